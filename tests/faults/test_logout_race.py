"""OpenID Connect Back-Channel Logout section 2.5: of many workers one tells the service, once.

The account makes logout tokens and takes none. Such a token has one use on each side: who delivers
it races here, who takes it in `tests/unit/test_library.py`.
"""

import asyncio
import json
import os
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import AsyncExitStack, ExitStack
from itertools import chain
from time import monotonic
from urllib.parse import parse_qs

import pytest
from joserfc import jwt
from joserfc.jwk import KeySet

from citizen_account.bootstrap import Runtime, build_runtime, utc_now
from citizen_account.domain.logout_deliveries import DeliveryState
from citizen_account.security.tokens import new_id
from citizen_account.usecases.backchannel_logout import announce_sign_out
from tests.factories import settings_for
from tests.faults.crowd import ATTEMPTS
from tests.faults.rival_workers import WORKERS, Rivals, rival_workers
from tests.faults.test_races import PROCESSES, ROUNDS
from tests.protocol.test_oidc_backchannel_logout import (
    LIBRARY,
    SESSION,
    listening,
    log_of,
    sign_out,
    use,
)
from tests.servers import PROGRAM, environment_variables, process
from tests.services import GRANT, open_account, register

PATIENCE_SECONDS = 60
# Longer than a worker rests: whoever would tell it again has had the time.
REST_SECONDS = 2.5


@pytest.fixture
async def city(database_url: str) -> AsyncIterator[Runtime]:
    """Yield a runtime that lives in real time, as the workers do."""
    runtime = build_runtime(settings_for(database_url), utc_now)
    assert GRANT.account_id is not None
    await open_account(runtime, GRANT.account_id)
    yield runtime
    await runtime.database.close()
    await runtime.outbound.close()


@pytest.fixture
def workers(database_url: str) -> Iterator[None]:
    variables = environment_variables(database_url)
    with ExitStack() as running:
        for _ in range(PROCESSES):
            running.enter_context(process([*PROGRAM, "worker"], variables))
        yield


@pytest.fixture
async def rivals(database_url: str) -> AsyncIterator[Sequence[Rivals]]:
    assert PROCESSES * WORKERS == ATTEMPTS
    variables = os.environ | environment_variables(database_url)
    async with AsyncExitStack() as running:
        starting = (running.enter_async_context(rival_workers(variables)) for _ in range(PROCESSES))
        yield await asyncio.gather(*starting)


async def sign_out_announced(runtime: Runtime) -> None:
    """Leave what is left when the follow-up of a sign-out is done: one token to deliver, now."""
    async with runtime.database.begin() as uow:
        await uow.client_sessions.end_of_session(SESSION, uow.now)
        await announce_sign_out(uow, new_id(), SESSION)


async def read(runtime: Runtime, body: str) -> jwt.Token:
    [token] = parse_qs(body, strict_parsing=True)["logout_token"]
    published = KeySet.import_key_set(json.loads((await runtime.keys.load()).jwks))
    return jwt.decode(token, published, algorithms=["RS256"])


async def test_of_many_who_deliver_a_token_at_once_one_does(
    city: Runtime, rivals: Sequence[Rivals]
) -> None:
    """Section 2.4: its `jti` reaches the service once."""
    async with listening() as receiver:
        await register(city, backchannel_logout_uri=receiver.address)
        for _ in range(ROUNDS):
            receiver.bodies.clear()
            await use(city, LIBRARY)
            await sign_out_announced(city)
            done = await asyncio.gather(*(each.work_off() for each in rivals))
            assert sorted(chain(*done)) == [0] * (ATTEMPTS - 1) + [1]
            assert len(receiver.bodies) == 1
            line = (await log_of(city))[LIBRARY]
            assert (line.state, line.attempts) == (DeliveryState.DELIVERED, 1)


@pytest.mark.usefixtures("workers")
async def test_each_logout_is_told_by_one_process_once(city: Runtime) -> None:
    async with listening() as receiver:
        await register(city, backchannel_logout_uri=receiver.address)
        wanted = 0
        for _ in range(ROUNDS):
            for _ in range(ATTEMPTS):
                await use(city, LIBRARY)
                await sign_out(city)
            wanted += ATTEMPTS
            until = monotonic() + PATIENCE_SECONDS
            while len(receiver.bodies) < wanted and monotonic() < until:  # noqa: ASYNC110  # other processes
                await asyncio.sleep(0.05)
        await asyncio.sleep(REST_SECONDS)
        tokens = [await read(city, body) for body in receiver.bodies]
        assert len(tokens) == wanted
        assert len({token.claims["jti"] for token in tokens}) == wanted
    assert LIBRARY in await log_of(city)
