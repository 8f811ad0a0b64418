"""OpenID Connect Back-Channel Logout section 2.5: of many workers one tells the service, once."""

import asyncio
from collections.abc import Iterator
from contextlib import ExitStack
from time import monotonic

import pytest

from citizen_account.bootstrap import build_runtime, utc_now
from tests.factories import settings_for
from tests.faults.crowd import ATTEMPTS
from tests.faults.test_races import PROCESSES, ROUNDS
from tests.protocol.test_oidc_backchannel_logout import LIBRARY, listening, log_of, sign_out, use
from tests.servers import PROGRAM, environment_variables, process
from tests.services import GRANT, open_account, register

PATIENCE_SECONDS = 60
# Longer than a worker rests: whoever would tell it again has had the time.
REST_SECONDS = 2.5


@pytest.fixture
def workers(database_url: str) -> Iterator[None]:
    variables = environment_variables(database_url)
    with ExitStack() as running:
        for _ in range(PROCESSES):
            running.enter_context(process([*PROGRAM, "worker"], variables))
        yield


@pytest.mark.usefixtures("workers")
async def test_each_logout_is_told_by_one_process_once(database_url: str) -> None:
    # The workers live in real time.
    runtime = build_runtime(settings_for(database_url), utc_now)
    assert GRANT.account_id is not None
    await open_account(runtime, GRANT.account_id)
    async with listening() as receiver:
        await register(runtime, backchannel_logout_uri=receiver.address)
        wanted = 0
        for _ in range(ROUNDS):
            for _ in range(ATTEMPTS):
                await use(runtime, LIBRARY)
                await sign_out(runtime)
            wanted += ATTEMPTS
            until = monotonic() + PATIENCE_SECONDS
            while len(receiver.bodies) < wanted and monotonic() < until:  # noqa: ASYNC110  # other processes
                await asyncio.sleep(0.05)
        await asyncio.sleep(REST_SECONDS)
        assert len(receiver.bodies) == wanted
        assert len(set(receiver.bodies)) == wanted
    assert LIBRARY in await log_of(runtime)
    await runtime.database.close()
    await runtime.outbound.close()
