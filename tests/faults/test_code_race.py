"""Many processes use one code, one refresh token, one assertion at once, on each database."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from time import time
from uuid import uuid4

import httpx2
import pytest
from joserfc import jwt
from joserfc.jwk import ECKey

from citizen_account.bootstrap import Runtime, build_runtime, utc_now
from tests.factories import settings_for
from tests.relying_party import Party
from tests.servers import Server, serve
from tests.services import GRANT, SECRET, authorize, open_account, register

PROCESSES = 4
ATTEMPTS = 100
ROUNDS = 3
KEY = ECKey.generate_key("P-256")
TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
ONE_SUCCESS = {200: 1, 400: ATTEMPTS - 1}
Attempt = Callable[[Party], Awaitable[httpx2.Response]]


@pytest.fixture
async def city(database_url: str) -> AsyncIterator[Runtime]:
    """Yield the runtime of a city that lives in real time, as its servers do."""
    runtime = build_runtime(settings_for(database_url), utc_now)
    assert GRANT.account_id is not None
    await open_account(runtime, GRANT.account_id)
    await register(runtime)
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
    yield runtime
    await runtime.database.close()


@pytest.fixture
async def servers(database_url: str, city: Runtime) -> AsyncIterator[Sequence[Server]]:
    assert city
    with serve(database_url, PROCESSES) as running:
        yield running


@pytest.fixture
async def clients(servers: Sequence[Server]) -> AsyncIterator[list[httpx2.AsyncClient]]:
    async with AsyncExitStack() as opened:
        yield [await opened.enter_async_context(server.client()) for server in servers]


async def race(clients: Sequence[httpx2.AsyncClient], attempt: Attempt) -> list[httpx2.Response]:
    parties = [Party(client, "library", SECRET) for client in clients]
    return await asyncio.gather(*(attempt(parties[turn % PROCESSES]) for turn in range(ATTEMPTS)))


def statuses(answers: Sequence[httpx2.Response]) -> Counter[int]:
    return Counter(answer.status_code for answer in answers)


async def events(city: Runtime, name: str) -> int:
    async with city.database.read() as uow:
        return len(await uow.audit.page(before=None, size=1000, event=name))


async def test_of_a_hundred_uses_at_once_one_succeeds(
    city: Runtime, servers: Sequence[Server], clients: list[httpx2.AsyncClient]
) -> None:
    for _ in range(ROUNDS):
        await race_for_a_code(city, clients)
        await race_for_a_refresh_token(city, clients)
        await race_with_an_assertion(clients, servers[0].issuer)
    # Told once for each code and token, however many came too late.
    assert await events(city, "code_replayed") == ROUNDS
    assert await events(city, "refresh_token_reused") == ROUNDS


async def race_for_a_code(city: Runtime, clients: Sequence[httpx2.AsyncClient]) -> None:
    code = await authorize(city)
    answers = await race(clients, lambda party: party.redeem(code))
    assert statuses(answers) == ONE_SUCCESS
    [issued] = [answer.json() for answer in answers if answer.status_code == 200]
    # The losers were replays, so what the winner got has ended too.
    library = Party(clients[0], "library", SECRET)
    assert (await library.userinfo(issued["access_token"])).status_code == 401
    assert (await library.refresh(issued["refresh_token"])).status_code == 400


async def race_for_a_refresh_token(city: Runtime, clients: Sequence[httpx2.AsyncClient]) -> None:
    library = Party(clients[0], "library", SECRET)
    token = (await library.redeem(await authorize(city))).json()["refresh_token"]
    answers = await race(clients, lambda party: party.refresh(token))
    assert statuses(answers) == ONE_SUCCESS
    [issued] = [answer.json() for answer in answers if answer.status_code == 200]
    assert (await library.refresh(issued["refresh_token"])).status_code == 400


async def race_with_an_assertion(clients: Sequence[httpx2.AsyncClient], issuer: str) -> None:
    claims = {"iss": "machine", "sub": "machine", "aud": issuer, "exp": time() + 60}
    proof = jwt.encode({"alg": "ES256"}, {**claims, "jti": uuid4().hex}, KEY)
    fields = {"client_assertion": proof, "client_assertion_type": TYPE}
    answers = await race(clients, lambda party: Party(party.http, "machine").ask_for_itself(fields))
    # Those who came after thirty refusals in a row are asked to wait, which is no success either.
    counted = statuses(answers)
    assert counted.pop(200) == 1
    assert set(counted) <= {400, 429}
