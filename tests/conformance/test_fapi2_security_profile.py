"""fapi2-security-profile-final: modules that no test of a specification shows as a whole."""

import base64
import json
from dataclasses import replace
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode
from uuid import uuid4

import httpx2
import pytest
from joserfc.jwk import ECKey, RSAKey

from citizen_account.bootstrap import Runtime
from tests.authorizing import Fields, answer_in, error_code, request_fields
from tests.conformance.conftest import SCOPE, register_high
from tests.conformance.fapi_requests import SUCCEEDING, check_release, code_of
from tests.factories import ISSUER, Clock
from tests.fapi_party import HighParty
from tests.pages import Visitor
from tests.proofs import Prover, code_fields, encode


async def ask(high: HighParty, path: str, fields: Fields) -> httpx2.Response:
    """Post with a proof, and once more with the nonce where one is wanted."""
    answer = None
    for _ in range(2):
        headers = {"DPoP": high.prover.proof(path)}
        answer = await high.http.post(path, data={**high.assertion(), **fields}, headers=headers)
        high.prover.nonce = answer.headers.get("dpop-nonce", high.prover.nonce)
        if answer.json().get("error") != "use_dpop_nonce":
            break
    assert answer is not None
    return answer


def error_of(answer: httpx2.Response) -> tuple[int, str]:
    assert answer.headers["content-type"] == "application/json"
    return answer.status_code, answer.json()["error"]


# --- requests that must succeed ---


@pytest.mark.parametrize("name", SUCCEEDING)
async def test_request_succeeds(visitor: Visitor, high: HighParty, name: str) -> None:
    code = await code_of(visitor, high, SUCCEEDING[name])
    await check_release(high, code, name)


async def test_scheme_has_no_case_and_the_query_holds_no_token(
    visitor: Visitor, high: HighParty
) -> None:
    token = (await high.redeem(await code_of(visitor, high))).json()["access_token"]
    for scheme in ("dpop", "dPOP"):
        headers = high.prover.headers("/userinfo", token)
        headers["Authorization"] = f"{scheme} {token}"
        assert (await high.http.get("/userinfo", headers=headers)).status_code == 200
    del headers["Authorization"]
    refused = await high.http.get("/userinfo", params={"access_token": token}, headers=headers)
    assert refused.status_code == 401


async def test_token_of_client2_is_nothing_to_the_key_of_client1(
    visitor: Visitor, high: HighParty, other_high: HighParty
) -> None:
    token = (await other_high.redeem(await code_of(visitor, other_high))).json()["access_token"]
    high.prover.nonce = other_high.prover.nonce
    headers = high.prover.headers("/userinfo", token)
    assert (await high.http.get("/userinfo", headers=headers)).status_code == 401


async def test_user_who_refuses_is_access_denied(visitor: Visitor, high: HighParty) -> None:
    await visitor.open(await high.pushed(request_fields()))
    await visitor.press("#deny")
    assert answer_in(visitor.left_for)["error"] == "access_denied"


async def test_plain_oauth_opens_the_api(
    runtime: Runtime, visitor: Visitor, high: HighParty
) -> None:
    await register_high(runtime, high, scope="permission:read")
    wish = {"scope": "permission:read", "nonce": None}
    tokens = (await high.redeem(await code_of(visitor, high, wish))).json()
    assert "id_token" not in tokens
    path = "/api/v1/me/permission"
    headers = high.prover.headers(path, tokens["access_token"])
    permitted = await high.http.get(path, headers=headers)
    # Without `openid` nobody signs in, so nobody is told who she is.
    assert (permitted.status_code, permitted.json()["sub"]) == (200, None)
    del headers["Authorization"]
    query = {"access_token": tokens["access_token"]}
    assert (await high.http.get(path, params=query, headers=headers)).status_code == 401


# --- codes ---


async def test_code_of_client1_is_refused_to_client2(
    visitor: Visitor, high: HighParty, other_high: HighParty
) -> None:
    code = await code_of(visitor, high)
    assert error_of(await other_high.redeem(code)) == (400, "invalid_grant")
    # The id of the second client over an assertion by the first one's key.
    mixed = HighParty(high.http, high.clock, high.prover, high.key, other_high.client_id)
    assert error_of(await mixed.redeem(code)) == (400, "invalid_client")
    assert (await high.redeem(code)).status_code == 200


async def test_code_that_comes_again_after_a_second_ends_its_token(
    visitor: Visitor, high: HighParty, clock: Clock
) -> None:
    code = await code_of(visitor, high)
    token = (await high.redeem(code)).json()["access_token"]
    clock.now += timedelta(seconds=1)
    assert error_of(await high.redeem(code)) == (400, "invalid_grant")
    headers = high.prover.headers("/userinfo", token)
    assert (await high.http.get("/userinfo", headers=headers)).status_code == 401


async def test_code_expires_after_a_minute(visitor: Visitor, high: HighParty, clock: Clock) -> None:
    code = await code_of(visitor, high)
    clock.now += timedelta(seconds=61)
    assert error_of(await high.redeem(code)) == (400, "invalid_grant")


@pytest.mark.parametrize("verifier", [None, "x" * 43], ids=["missing", "wrong"])
async def test_code_needs_its_verifier(
    visitor: Visitor, high: HighParty, verifier: str | None
) -> None:
    fields = code_fields(await code_of(visitor, high), {"code_verifier": verifier})
    given = {name: value for name, value in fields.items() if value is not None}
    assert error_of(await ask(high, "/token", given)) == (400, "invalid_grant")


# --- client assertions ---


def unsecured(high: HighParty) -> str:
    parts = ({"alg": "none"}, {"iss": high.client_id, "sub": high.client_id, "aud": ISSUER})
    coded = [base64.urlsafe_b64encode(json.dumps(each).encode()).rstrip(b"=") for each in parts]
    return f"{coded[0].decode()}.{coded[1].decode()}."


def wrong_assertions(high: HighParty) -> dict[str, dict[str, str]]:
    """Return what proves nothing, each for one reason."""
    now = int(high.clock.now.timestamp())
    good = high.assertion()
    claims = {"iss": "library", "sub": "library", "aud": ISSUER, "exp": now + 60, "jti": "r"}
    by_another = encode({"alg": "ES256"}, claims, ECKey.generate_key("P-256"))
    kind = good["client_assertion_type"]
    return {
        "none": {},
        "no type": {"client_assertion": good["client_assertion"]},
        "wrong type": {**good, "client_assertion_type": "urn:wrong"},
        "no sub": high.assertion({"sub": None}),
        "wrong sub": high.assertion({"sub": "somebody"}),
        "no iss": high.assertion({"iss": None}),
        "wrong iss": high.assertion({"iss": "somebody"}),
        "no aud": high.assertion({"aud": None}),
        "wrong aud": high.assertion({"aud": "https://other.example"}),
        "PAR endpoint as aud": high.assertion({"aud": f"{ISSUER}/par"}),
        "token endpoint as aud": high.assertion({"aud": f"{ISSUER}/token"}),
        "aud in an array": high.assertion({"aud": [ISSUER]}),
        "exp 5 minutes past": high.assertion({"iat": now - 360, "exp": now - 300}),
        "nbf over 60 seconds ahead": high.assertion(
            {"iat": now + 62, "nbf": now + 62, "exp": now + 122}
        ),
        "alg none": {"client_assertion": unsecured(high), "client_assertion_type": kind},
        "key of another": {"client_assertion": by_another, "client_assertion_type": kind},
        "broken signature": {**good, "client_assertion": good["client_assertion"][:-6] + "AAAAAA"},
    }


@pytest.mark.parametrize("endpoint", ["/par", "/token"])
async def test_wrong_client_assertion_is_refused(
    visitor: Visitor, high: HighParty, endpoint: str
) -> None:
    code = await code_of(visitor, high)
    fields = code_fields(code) if endpoint == "/token" else request_fields()
    wrong = wrong_assertions(high)
    # Several runs follow each other on one day: nobody is told to wait.
    for name, proof in [*wrong.items()] * 4:
        given = {"client_id": high.client_id, **fields, **proof}
        headers = {"DPoP": high.prover.proof(endpoint)}
        answer = await high.http.post(endpoint, data=given, headers=headers)
        assert answer.status_code in {400, 401}, name
        assert answer.json()["error"] in {"invalid_client", "invalid_request"}, name


async def test_rs256_is_refused_of_the_very_key_that_may_sign_ps256(
    runtime: Runtime, visitor: Visitor, high: HighParty
) -> None:
    """FAPI 2.0 section 5.4.1: neither at /par nor at /token, whatever key is registered."""
    strong = replace(high, key=RSAKey.generate_key(2048), algorithm="PS256")
    weak = replace(strong, algorithm="RS256")
    await register_high(runtime, strong)
    fields = code_fields(await code_of(visitor, strong))
    assert error_of(await weak.push(request_fields())) == (400, "invalid_client")
    assert error_of(await ask(weak, "/token", fields)) == (400, "invalid_client")
    assert (await ask(strong, "/token", fields)).status_code == 200


async def test_assertion_of_a_clock_8_seconds_ahead_is_accepted(high: HighParty) -> None:
    ahead = int(high.clock.now.timestamp()) + 8
    proof = high.assertion({"iat": ahead, "nbf": ahead, "exp": ahead + 60})
    answer = await high.http.post("/par", data={**request_fields(), **proof})
    assert answer.status_code == 201


# --- refresh tokens ---


async def test_refresh_token_is_kept_and_bound_to_client_and_key(
    runtime: Runtime, visitor: Visitor, high: HighParty, other_high: HighParty, clock: Clock
) -> None:
    await register_high(runtime, high, grant_types=["authorization_code", "refresh_token"])
    wish = {"scope": "openid offline_access", "prompt": "consent"}
    first = (await high.redeem(await code_of(visitor, high, wish))).json()
    fields = {"grant_type": "refresh_token", "refresh_token": first["refresh_token"]}
    clock.now += timedelta(seconds=30)
    for _ in range(2):
        refreshed = await ask(high, "/token", fields)
        assert refreshed.status_code == 200
        # Not rotated: the one that was given first stays good.
        given = refreshed.json().get("refresh_token", first["refresh_token"])
        assert given == first["refresh_token"]
    assert error_of(await ask(other_high, "/token", fields)) == (400, "invalid_grant")
    unproven = {**fields, "client_id": high.client_id}
    headers = {"DPoP": high.prover.proof("/token")}
    assert (await high.http.post("/token", data=unproven, headers=headers)).status_code == 400


# --- pushed requests ---


async def test_used_request_uri_leads_to_a_page_of_ours(visitor: Visitor, high: HighParty) -> None:
    place = await high.pushed(request_fields())
    await visitor.open(place)
    await visitor.press("#allow")
    await visitor.open(place)
    assert error_code(visitor) == "request_uri_invalid"


async def test_doubled_parameter_cannot_be_pushed(high: HighParty) -> None:
    fields = [*{**request_fields(), **high.assertion()}.items(), ("scope", "openid")]
    content = urlencode(fields)
    kind = {"Content-Type": "application/x-www-form-urlencoded"}
    answer = await high.http.post("/par", content=content, headers=kind)
    assert error_of(answer) == (400, "invalid_request")


async def test_pushed_parameters_need_not_be_repeated_at_the_authorization_endpoint(
    visitor: Visitor, high: HighParty
) -> None:
    assert set(httpx2.URL(await high.pushed(request_fields())).params) == {
        "client_id",
        "request_uri",
    }
    assert await code_of(visitor, high)


# --- discovery ---


async def test_discovery_says_what_fapi_needs(high: HighParty) -> None:
    described: dict[str, Any] = (  # Any: a document
        await high.http.get("/.well-known/openid-configuration")
    ).json()
    oauth = (await high.http.get("/.well-known/oauth-authorization-server")).json()
    assert oauth == described
    assert described["pushed_authorization_request_endpoint"].startswith("https://")
    assert described["authorization_response_iss_parameter_supported"] is True
    assert isinstance(described["require_pushed_authorization_requests"], bool)
    assert "private_key_jwt" in described["token_endpoint_auth_methods_supported"]
    assert "jwt" in described["response_modes_supported"]
    for name in (
        "dpop_signing_alg_values_supported",
        "id_token_signing_alg_values_supported",
        "token_endpoint_auth_signing_alg_values_supported",
        "userinfo_signing_alg_values_supported",
        "request_object_signing_alg_values_supported",
        "authorization_signing_alg_values_supported",
    ):
        assert {"PS256", "ES256", "EdDSA"} <= set(described[name]), name
    assert {*SCOPE.split(), "consents:read", "permission:read"} <= set(
        described["scopes_supported"]
    )


# --- the plan's variant without residents ---


async def test_client_credentials_are_bound_to_the_key(runtime: Runtime, high: HighParty) -> None:
    machine = HighParty(high.http, high.clock, Prover(high.clock), client_id=uuid4().hex[:12])
    await register(runtime, machine)
    answer = await ask(machine, "/token", {"grant_type": "client_credentials"})
    assert (answer.status_code, answer.json()["token_type"]) == (200, "DPoP")
    path = "/api/v1/consents"
    headers = machine.prover.headers(path, answer.json()["access_token"])
    assert (await machine.http.get(path, headers=headers)).status_code == 200
    bare = {"grant_type": "client_credentials", **machine.assertion()}
    assert error_of(await machine.http.post("/token", data=bare)) == (400, "invalid_request")


async def register(runtime: Runtime, party: HighParty) -> None:
    await register_high(
        runtime,
        party,
        grant_types=["client_credentials"],
        redirect_uris=None,
        scope="consents:read",
    )
