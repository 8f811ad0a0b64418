"""Send the requests of the FAPI plans that must succeed, and look at what comes of them."""

import base64
import json

import httpx2

from citizen_account.domain.claims import CLAIMS
from tests.authorizing import request_fields
from tests.factories import ISSUER
from tests.fapi_party import UNCHANGED, Changes, HighParty
from tests.pages import Visitor

# Everything that discovery offers, in every form of OIDC Core section 5.5, and what it ignores.
IDENTITY_CLAIMS = {
    "userinfo": dict.fromkeys(CLAIMS),
    "id_token": {
        **dict.fromkeys(CLAIMS),
        "name": {"essential": True},
        "email": {},
        "unknown_claim": {"essential": True, "unknown_member": "x"},
        "acr": {"essential": False},
    },
    "unknown_place": {"name": None},
}
OWN_CLAIMS = {"iss", "sub", "aud", "iat", "exp", "nonce", "at_hash", "auth_time", "acr", "amr"}
SUCCEEDING: dict[str, Changes] = {
    "without-state": {"state": None},
    "without-nonce": {"nonce": None},
    "64-char-nonce": {"nonce": "n" * 64},
    "long-nonce": {"nonce": "n" * 384},
    "long-state": {"state": "-._~" * 250},
    "other-scope-order": {"scope": "email openid"},
    "identity-claims": {"claims": json.dumps(IDENTITY_CLAIMS)},
}


async def code_of(visitor: Visitor, high: HighParty, changes: Changes = UNCHANGED) -> str:
    """Push a request, allow it, and return the code."""
    fields = {**request_fields(), "client_id": high.client_id, **changes}
    await visitor.open(await high.pushed(fields))
    if visitor.left_for is None:
        await visitor.press("#allow")
    received = dict(httpx2.URL(visitor.left_for or "").params)
    assert received["iss"] == ISSUER
    assert received.get("state") == fields["state"]
    return str(received["code"])


async def check_release(high: HighParty, code: str, name: str) -> None:
    """Look at the tokens, the ID token and userinfo as the suite does."""
    changes = SUCCEEDING[name]
    tokens = (await high.redeem(code)).json()
    payload = tokens["id_token"].split(".")[1]
    claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    assert claims.get("nonce") == {**request_fields(), **changes}["nonce"]
    # The suite warns of every claim that it neither knows nor asked for.
    asked = set(CLAIMS) if name == "identity-claims" else set()
    assert claims.keys() - OWN_CLAIMS == asked
    headers = high.prover.headers("/userinfo", tokens["access_token"])
    told = await high.http.get("/userinfo", headers=headers)
    assert told.status_code == 200
    assert asked <= told.json().keys()
