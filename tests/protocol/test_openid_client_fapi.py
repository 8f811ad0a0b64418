"""FAPI 2.0 with npm's openid-client: pushed and signed request, signed answer, bound tokens."""

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from joserfc.jwk import ECKey

from citizen_account.bootstrap import Runtime, build_runtime, utc_now
from tests.factories import settings_for
from tests.javascript import find_node, run_node
from tests.journeys.steps import register as open_account
from tests.pages import Visitor
from tests.servers import Server, serve
from tests.services import register

KEY = ECKey.generate_key("P-256")
REDIRECT_URI = "https://library.example/callback"
PRIVATE_JWK = json.dumps({**KEY.as_dict(private=True), "kid": "of-the-library", "alg": "ES256"})


@pytest.fixture
async def server(database_url: str) -> AsyncIterator[Server]:
    find_node()
    with serve(database_url) as [running]:
        yield running


@pytest.fixture
async def city(database_url: str, server: Server) -> AsyncIterator[Runtime]:
    """Yield the runtime of the city that is served, with a service of the profile `high`."""
    runtime = build_runtime(settings_for(database_url, issuer=server.issuer), utc_now)
    await register(
        runtime,
        profile="high",
        client_secret=None,
        token_endpoint_auth_method="private_key_jwt",
        jwks={"keys": [{**KEY.as_dict(private=False), "kid": "of-the-library"}]},
        require_signed_request_object=True,
        scope="openid profile email offline_access",
    )
    yield runtime
    await runtime.database.close()


async def run(server: Server, **variables: str) -> dict[str, Any]:  # Any: what the program prints
    return run_node(
        "fapi_client.mjs",
        ISSUER=server.issuer,
        CLIENT_ID="library",
        REDIRECT_URI=REDIRECT_URI,
        SCOPE="openid profile email offline_access",
        PRIVATE_JWK=PRIVATE_JWK,
        **variables,
    )


async def test_fapi_2_from_the_pushed_request_to_the_refreshed_token(
    server: Server, city: Runtime
) -> None:
    begun = await run(server, STEP="begin")
    assert "request_uri=urn" in begun["address"]
    async with server.client() as http:
        visitor = Visitor(http)
        await open_account(visitor, city)
        await visitor.open(begun["address"])
        await visitor.press("#allow")
        callback = visitor.left_for or ""
    assert callback.startswith(f"{REDIRECT_URI}?response=")
    done = await run(server, STEP="finish", MEMORY=begun["memory"], CALLBACK=callback)
    assert done["callback"] == ["response"]
    assert done["token_type"] == "dpop"
    assert done["claims"]["sub"] == done["userinfo"]["sub"] == done["again"]["sub"]
    assert done["userinfo"]["email"] == "jana@example.sk"
    assert done["stolen"] == "invalid_grant"
    assert done["bearer"] is not None
    assert done["rotated"] is False
    assert done["described"]["token_type"] == "DPoP"
    assert set(done["described"]["cnf"]) == {"jkt"}
