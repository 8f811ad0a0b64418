"""The whole way with Authlib's client, which shares no code with what it meets here but grammar."""

from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest
from authlib.common.security import generate_token
from authlib.integrations.httpx_client import AsyncOAuth2Client, OAuthError
from authlib.oauth2.rfc7523 import PrivateKeyJWT
from fastapi import FastAPI
from joserfc import jwt
from joserfc.jwk import KeySet, RSAKey

from citizen_account.bootstrap import Runtime, build_runtime, utc_now
from tests.factories import ISSUER, REDIRECT_URI, settings_for
from tests.journeys.steps import register as open_account
from tests.pages import Visitor
from tests.services import SECRET, register

AFTER_LOGOUT = "https://library.example/goodbye"
# Authlib repeats its scope at each refresh, so it asks for what it is sure to get.
SCOPE = "openid profile email"
KEY = RSAKey.generate_key(2048, {"kid": "of-the-library"})


@pytest.fixture
async def runtime(database_url: str) -> AsyncIterator[Runtime]:
    """Yield a city in real time: Authlib has a clock of its own."""
    built = build_runtime(settings_for(database_url), utc_now)
    yield built
    await built.database.close()


def relying_party(app: FastAPI, method: str | PrivateKeyJWT, secret: object) -> AsyncOAuth2Client:
    """Return Authlib's client, which reaches the provider without a network."""
    return AsyncOAuth2Client(
        client_id="library",
        scope=SCOPE,
        redirect_uri=REDIRECT_URI,
        code_challenge_method="S256",
        transport=httpx2.ASGITransport(app),
        token_endpoint_auth_method=method,
        revocation_endpoint_auth_method=method,
        client_secret=secret,
    )


async def discover(client: AsyncOAuth2Client) -> dict[str, Any]:
    answer = await client.request(
        "GET", f"{ISSUER}/.well-known/openid-configuration", withhold_token=True
    )
    described: dict[str, Any] = answer.json()
    client.metadata["token_endpoint"] = described["token_endpoint"]
    return described


@pytest.mark.parametrize("method", ["client_secret_basic", "client_secret_post", "key"])
async def test_from_discovery_to_logout(
    app: FastAPI, runtime: Runtime, visitor: Visitor, method: str
) -> None:
    client = await registered(app, runtime, method)
    described = await discover(client)
    verifier, nonce = generate_token(48), generate_token(20)
    address, state = client.create_authorization_url(
        described["authorization_endpoint"], code_verifier=verifier, nonce=nonce
    )
    await open_account(visitor, runtime)
    await visitor.open(address)
    await visitor.press("#allow")
    issued = await client.fetch_token(
        described["token_endpoint"],
        authorization_response=visitor.left_for,
        state=state,
        code_verifier=verifier,
    )
    claims = await id_token(client, described, issued["id_token"])
    assert (claims["iss"], claims["aud"], claims["nonce"]) == (ISSUER, "library", nonce)
    userinfo = (await client.get(described["userinfo_endpoint"])).json()
    assert (userinfo["sub"], userinfo["email"]) == (claims["sub"], "jana@example.sk")
    refreshed = await client.refresh_token(described["token_endpoint"])
    assert refreshed["access_token"] != issued["access_token"]
    assert (await client.get(described["userinfo_endpoint"])).json() == userinfo
    described_token = await client.introspect_token(
        described["introspection_endpoint"], token=refreshed["access_token"]
    )
    assert described_token.json()["active"] is True
    await client.revoke_token(  # type: ignore[no-untyped-call]  # stubs
        described["revocation_endpoint"], token=refreshed["refresh_token"]
    )
    with pytest.raises(OAuthError, match="invalid_grant"):
        await client.refresh_token(
            described["token_endpoint"], refresh_token=refreshed["refresh_token"]
        )
    await sign_out(visitor, described, refreshed["id_token"])


async def registered(app: FastAPI, runtime: Runtime, method: str) -> AsyncOAuth2Client:
    logout = {"post_logout_redirect_uris": [AFTER_LOGOUT]}
    if method != "key":
        await register(runtime, token_endpoint_auth_method=method, **logout)
        return relying_party(app, method, SECRET)
    await register(
        runtime,
        token_endpoint_auth_method="private_key_jwt",
        client_secret=None,
        jwks={"keys": [KEY.as_dict(private=False)]},
        **logout,
    )
    return relying_party(app, PrivateKeyJWT(ISSUER, alg="PS256"), KEY)


async def id_token(
    client: AsyncOAuth2Client, described: dict[str, Any], token: str
) -> dict[str, Any]:
    answer = await client.request("GET", described["jwks_uri"], withhold_token=True)
    return dict(jwt.decode(token, KeySet.import_key_set(answer.json())).claims)


async def sign_out(visitor: Visitor, described: dict[str, Any], hint: str) -> None:
    asked = httpx2.QueryParams(
        id_token_hint=hint, post_logout_redirect_uri=AFTER_LOGOUT, state="left"
    )
    await visitor.open(f"{described['end_session_endpoint']}?{asked}")
    left = urlsplit(visitor.left_for or "")
    assert f"{left.scheme}://{left.netloc}{left.path}" == AFTER_LOGOUT
    assert parse_qs(left.query) == {"state": ["left"]}
    await visitor.open("/en/dashboard")
    assert visitor.path == "/en/sign-in"
