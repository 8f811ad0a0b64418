"""OpenID Connect Back-Channel Logout section 2.5: of many workers one tells the service, once."""

import asyncio
from contextlib import AsyncExitStack

from citizen_account.bootstrap import Runtime, build_runtime
from tests.factories import Clock, settings_for, work_off
from tests.faults.test_races import PROCESSES, ROUNDS
from tests.protocol.test_oidc_backchannel_logout import LIBRARY, listening, log_of, sign_out, use
from tests.services import GRANT, open_account, register


async def test_logout_is_told_by_one_worker_once(
    runtime: Runtime, database_url: str, clock: Clock
) -> None:
    assert GRANT.account_id is not None
    await open_account(runtime, GRANT.account_id)
    async with listening() as receiver, AsyncExitStack() as opened:
        await register(runtime, backchannel_logout_uri=receiver.address)
        # Connections of their own, as processes have; the database alone decides who tells.
        others = [build_runtime(settings_for(database_url), clock) for _ in range(PROCESSES)]
        for other in others:
            opened.push_async_callback(other.database.close)
            opened.push_async_callback(other.outbound.close)
        for number in range(1, ROUNDS + 1):
            await use(runtime, LIBRARY)
            await sign_out(runtime)
            await asyncio.gather(*(work_off(each) for each in others))
            assert len(receiver.bodies) == number
    assert LIBRARY in await log_of(runtime)
