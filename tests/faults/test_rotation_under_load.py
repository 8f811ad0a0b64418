"""Keys change by hand while four processes are asked, and no valid request fails for it."""

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack

import httpx2
import pytest

from citizen_account.bootstrap import Runtime, build_runtime, utc_now
from citizen_account.domain.keys import KEY_KINDS, PUBLISH_LEAD, KeyUse
from tests.factories import settings_for
from tests.faults.hurried_keys import PROGRAM, UVICORN, hurried, retirement
from tests.faults.key_load import Api, Kind, Load
from tests.resource_servers import GRANT_TYPES, PARKING, PERMITS, SCOPE, register_api
from tests.servers import Server, environment_variables, serve
from tests.services import GRANT, open_account, register

PROCESSES = 4
SECONDS_BEFORE, SECONDS_AFTER = 1, 2
APIS = (
    Api(PARKING, "parking.read", "ES256"),
    Api(PERMITS, "permits.read", "RS256"),
)
# EdDSA's name makes joserfc warn; the three others stand for it.
SEEN = (
    (KeyUse.IDENTITY, "RS256"),
    (KeyUse.ACCESS, "ES256"),
    (KeyUse.ACCESS, "RS256"),
    (KeyUse.ANSWER, "ES256"),
    (KeyUse.ANSWER, "PS256"),
)


@pytest.fixture
def servers(database_url: str) -> Iterator[Sequence[Server]]:
    with serve(database_url, PROCESSES, uvicorn=UVICORN) as running:
        yield running


@pytest.fixture
async def city(database_url: str, servers: Sequence[Server]) -> AsyncIterator[Runtime]:
    """Yield the runtime of a city that lives in real time, as its servers do."""
    runtime = build_runtime(settings_for(database_url, issuer=servers[0].issuer), utc_now)
    assert GRANT.account_id is not None
    await open_account(runtime, GRANT.account_id)
    await register(
        runtime, grant_types=GRANT_TYPES, scope=SCOPE, userinfo_signed_response_alg="ES256"
    )
    for api in APIS:
        await register_api(
            runtime,
            resource=api.resource,
            scopes_supported=[api.scope],
            access_token_format="jwt",
            access_token_signing_alg=api.algorithm,
        )
    await register(
        runtime,
        client_id="parking",
        grant_types=[],
        scope="openid",
        introspection_signed_response_alg="PS256",
    )
    yield runtime
    await runtime.database.close()


@pytest.fixture
async def load(city: Runtime, servers: Sequence[Server]) -> AsyncIterator[Load]:
    async with AsyncExitStack() as opened:
        yield Load(city, [await opened.enter_async_context(each.client()) for each in servers])


def rotate_by_hand(database_url: str, issuer: str) -> Mapping[Kind, str]:
    """Do it as an operator does; return the key ids that it names."""
    done = subprocess.run(
        [sys.executable, *PROGRAM, "keys", "rotate"],
        env=environment_variables(database_url, issuer=issuer),
        check=True,
        capture_output=True,
        text=True,
    )
    assert done.stdout.count(" signs from ") == len(KEY_KINDS)
    words = [line.split() for line in done.stdout.splitlines()]
    return {(KeyUse(use), algorithm): kid for use, algorithm, kid, *_ in words}


async def published(http: httpx2.AsyncClient) -> set[str]:
    return {key["kid"] for key in (await http.get("/jwks")).json()["keys"]}


@pytest.mark.slow
async def test_rotation_by_hand_under_load_fails_no_request(
    database_url: str, servers: Sequence[Server], load: Load
) -> None:
    """OIDC Core section 10.1.1: published first, then signing, and published until all is over."""
    old = {kind: key.kid for kind, key in (await load.city.keys.load()).active.items()}
    assert await published(load.clients[0]) == set(old.values())
    async with asyncio.TaskGroup() as running:
        # Of each kind one that asks for key ids that it does not know, and one that does not.
        for asks_again in (False, True):
            for api in APIS:
                running.create_task(load.of_machine(api, load.verifier(asks_again=asks_again)))
            running.create_task(load.of_resident(load.verifier(asks_again=asks_again)))
        await asyncio.sleep(SECONDS_BEFORE)
        new = await asyncio.to_thread(rotate_by_hand, database_url, servers[0].issuer)
        await asyncio.sleep(hurried(PUBLISH_LEAD + retirement()) + SECONDS_AFTER)
        load.is_over = True
    for number, http in enumerate(load.clients):
        assert await published(http) == set(new.values())
        for kind in SEEN:
            assert load.signed[number, kind] == {old[kind], new[kind]}
