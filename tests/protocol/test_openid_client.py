"""The whole way with npm's openid-client, a certified relying party that nobody here wrote."""

import json
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from joserfc.jwk import ECKey

from citizen_account.bootstrap import Runtime, build_runtime, utc_now
from tests.factories import settings_for
from tests.javascript import find_node, run_node
from tests.journeys.steps import register as open_account
from tests.pages import Visitor
from tests.servers import Server, serve
from tests.services import SECRET, register

KEY = ECKey.generate_key("P-256")
REDIRECT_URI = "https://library.example/callback"
AFTER_LOGOUT = "https://library.example/goodbye"
PRIVATE_JWK = json.dumps({**KEY.as_dict(private=True), "kid": "of-the-library", "alg": "ES256"})
Metadata = Mapping[str, object]


@dataclass(frozen=True)
class Method:
    """How the client proves itself: what it registers, and what it knows."""

    registered: Metadata
    known: Mapping[str, str]


METHODS = {
    "client_secret_basic": Method({}, {"SECRET": SECRET}),
    "client_secret_post": Method(
        {"token_endpoint_auth_method": "client_secret_post"},
        {"SECRET": SECRET, "METHOD": "client_secret_post"},
    ),
    "private_key_jwt": Method(
        {
            "token_endpoint_auth_method": "private_key_jwt",
            "client_secret": None,
            "jwks": {"keys": [{**KEY.as_dict(private=False), "kid": "of-the-library"}]},
            "id_token_signed_response_alg": "ES256",
        },
        {"PRIVATE_JWK": PRIVATE_JWK, "ALGORITHM": "ES256"},
    ),
}


@pytest.fixture
async def server(database_url: str) -> AsyncIterator[Server]:
    find_node()
    with serve(database_url) as [running]:
        yield running


@pytest.fixture
async def city(database_url: str, server: Server) -> AsyncIterator[Runtime]:
    """Yield the runtime of the city that is served."""
    runtime = build_runtime(settings_for(database_url, issuer=server.issuer), utc_now)
    yield runtime
    await runtime.database.close()


async def run(server: Server, method: Method, **variables: str) -> dict[str, Any]:
    return run_node(
        "openid_client.mjs",
        ISSUER=server.issuer,
        CLIENT_ID="library",
        REDIRECT_URI=REDIRECT_URI,
        AFTER_LOGOUT=AFTER_LOGOUT,
        SCOPE="openid profile email offline_access",
        **method.known,
        **variables,
    )


@pytest.mark.parametrize("name", METHODS)
async def test_from_discovery_to_logout(server: Server, city: Runtime, name: str) -> None:
    method = METHODS[name]
    await register(
        city,
        post_logout_redirect_uris=[AFTER_LOGOUT],
        grant_types=["authorization_code", "refresh_token", "client_credentials"],
        scope="openid profile email offline_access cases.read",
        **method.registered,
    )
    begun = await run(server, method, STEP="begin")
    async with server.client() as http:
        visitor = Visitor(http)
        await open_account(visitor, city)
        await visitor.open(begun["address"])
        await visitor.press("#allow")
        callback = visitor.left_for or ""
        assert callback.startswith(REDIRECT_URI)
        done = await run(server, method, STEP="finish", MEMORY=begun["memory"], CALLBACK=callback)
        check(done)
        await visitor.open(done["logout"])
        left = urlsplit(visitor.left_for or "")
        assert f"{left.scheme}://{left.netloc}{left.path}" == AFTER_LOGOUT
        assert parse_qs(left.query) == {"state": [done["state"]]}
        await visitor.open("/en/dashboard")
        assert visitor.path == "/en/sign-in"


def check(done: Mapping[str, Any]) -> None:
    """Require what openid-client itself does not."""
    claims, userinfo = done["claims"], done["userinfo"]
    assert claims["sub"] == userinfo["sub"] == done["again"]["sub"] == done["described"]["sub"]
    assert (userinfo["email"], userinfo["name"]) == ("jana@example.sk", "Jana Kováčová")
    assert "email" not in claims
    assert done["refreshed"]["auth_time"] == claims["auth_time"]
    assert done["machine_scope"] == "cases.read"
    assert done["described"]["active"] is True
    assert done["revoked"] == {"active": False}
    assert done["reused"] == done["after"] == "invalid_grant"
