"""fapi2-message-signing-final: the same flow with signed requests and signed answers."""

import json
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from joserfc import jwt
from joserfc.jwk import KeySet

from citizen_account.bootstrap import Runtime
from tests.authorizing import request_fields
from tests.conformance.conftest import register_high
from tests.conformance.fapi_requests import SUCCEEDING, check_release
from tests.factories import ISSUER
from tests.fapi_party import Changes, HighParty
from tests.pages import Visitor

SIGNED: dict[str, Any] = {  # Any: metadata
    "require_signed_request_object": True,
    "authorization_signed_response_alg": "ES256",
}


@pytest.fixture
async def signing(runtime: Runtime, high: HighParty) -> HighParty:
    """Return the client as docs/conformance.md changes it for the plan."""
    await register_high(runtime, high, **SIGNED)
    return high


async def answer_to(
    visitor: Visitor, high: HighParty, changes: Changes, button: str = "#allow"
) -> dict[str, Any]:  # Any: claims
    """Push a signed request, decide, and return what the signed answer says."""
    wish = {
        name: json.loads(value) if name == "claims" else value for name, value in changes.items()
    }
    fields = high.signed({"response_mode": "jwt", "client_id": high.client_id, **wish})
    await visitor.open(await high.pushed({"client_id": high.client_id, **fields}))
    if visitor.left_for is None:
        await visitor.press(button)
    [(name, response)] = parse_qsl(urlsplit(visitor.left_for or "").query)
    assert name == "response"
    published = KeySet.import_key_set((await high.http.get("/jwks")).json())
    claims = dict(jwt.decode(response, published, algorithms=["ES256"]).claims)
    now = high.clock.now.timestamp()
    assert (claims["iss"], claims["aud"]) == (ISSUER, high.client_id)
    assert now < claims["exp"] <= now + 600
    assert claims.get("state") == {**request_fields(), **changes}["state"]
    return claims


@pytest.mark.parametrize("name", SUCCEEDING)
async def test_signed_request_gets_a_signed_code(
    visitor: Visitor, signing: HighParty, name: str
) -> None:
    answer = await answer_to(visitor, signing, SUCCEEDING[name])
    await check_release(signing, answer["code"], name)


async def test_refusal_is_signed(visitor: Visitor, signing: HighParty) -> None:
    answer = await answer_to(visitor, signing, {}, "#deny")
    assert answer["error"] == "access_denied"
    assert "code" not in answer


async def test_plain_oauth_is_signed_both_ways(
    runtime: Runtime, visitor: Visitor, high: HighParty
) -> None:
    """openid=plain_oauth: a signed request without `openid`, a signed code, and no ID token."""
    await register_high(runtime, high, **SIGNED, scope="permission:read")
    wish = {"scope": "permission:read", "nonce": None}
    unsigned = await high.push({**request_fields(), **wish})
    assert (unsigned.status_code, unsigned.json()["error"]) == (400, "invalid_request")
    answer = await answer_to(visitor, high, wish)
    tokens = (await high.redeem(answer["code"])).json()
    assert tokens["token_type"] == "DPoP"
    assert "id_token" not in tokens
    path = "/api/v1/me/permission"
    headers = high.prover.headers(path, tokens["access_token"])
    assert (await high.http.get(path, headers=headers)).status_code == 200
