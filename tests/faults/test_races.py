"""Many processes use one thing at once, on each database: one succeeds, the others are refused.

`make races` runs many rounds. A back-channel logout token is raced for by workers, in
`test_logout_race.py`.
"""

import asyncio
import os
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import AsyncExitStack
from datetime import timedelta

import httpx2
import pytest

from citizen_account.bootstrap import Runtime, build_runtime, utc_now
from tests.factories import settings_for
from tests.faults.crowd import ATTEMPTS, CROWD_RACES, move_in
from tests.faults.races import KEY, RACES, Answer, Course, Race
from tests.servers import Server, serve
from tests.services import GRANT, open_account, register

PROCESSES = 4
ALL = {**RACES, **CROWD_RACES}
ROUNDS = int(os.environ.get("ROUNDS", "8"))


@pytest.fixture
def servers(database_url: str) -> Iterator[Sequence[Server]]:
    with serve(database_url, PROCESSES, registration="token") as running:
        yield running


@pytest.fixture
async def city(database_url: str, servers: Sequence[Server]) -> AsyncIterator[Runtime]:
    """Yield the runtime of a city that lives in real time, as its servers do."""
    runtime = build_runtime(settings_for(database_url, issuer=servers[0].issuer), utc_now)
    assert GRANT.account_id is not None
    await open_account(runtime, GRANT.account_id)
    await register(
        runtime,
        grant_types=["authorization_code", "refresh_token", "client_credentials"],
        scope="openid profile email cases.read",
    )
    await register(
        runtime,
        client_id="machine",
        client_secret=None,
        token_endpoint_auth_method="private_key_jwt",
        jwks={"keys": [KEY.as_dict(private=False)]},
        redirect_uris=[],
        grant_types=["client_credentials"],
        scope="cases.read",
    )
    await move_in(runtime, servers[0].client)
    yield runtime
    await runtime.database.close()


@pytest.fixture
async def clients(servers: Sequence[Server]) -> AsyncIterator[list[httpx2.AsyncClient]]:
    async with AsyncExitStack() as opened:
        yield [await opened.enter_async_context(server.client()) for server in servers]


async def test_of_many_at_once_one_succeeds(
    city: Runtime, servers: Sequence[Server], clients: Sequence[httpx2.AsyncClient]
) -> None:
    for number in range(ROUNDS):
        # The limits of tries are tested elsewhere; here they would end a long run.
        async with city.database.begin() as uow:
            await uow.throttles.forget_old(uow.now + timedelta(days=2))
        for name, prepare in ALL.items():
            # A browser and a service of its own for each, beside those that race.
            async with servers[0].client() as http:
                race = await prepare(Course(city, http, number, servers[0].client))
                await run(name, race, clients)
    # Told once for each code and token, however many came too late.
    assert await events(city, "code_replayed") == ROUNDS
    assert await events(city, "refresh_token_reused") == ROUNDS


async def run(name: str, race: Race, clients: Sequence[httpx2.AsyncClient]) -> None:
    turns = [clients[turn % PROCESSES] for turn in range(ATTEMPTS)]
    answers: list[Answer] = await asyncio.gather(*(race.use(client) for client in turns))
    winners = [answer for answer in answers if race.won(answer)]
    losers = Counter(answer.status_code for answer in answers if not race.won(answer))
    assert len(winners) == 1, (name, losers)
    assert all(400 <= status < 500 for status in losers), (name, losers)
    if race.check is not None:
        await race.check(winners[0])


async def events(city: Runtime, name: str) -> int:
    async with city.database.read() as uow:
        return len(await uow.audit.page(before=None, size=1000, event=name))
