"""oidcc-basic and oidcc-config: modules that no test of a specification shows as a whole."""

import ast
import json
import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import httpx2
import pytest
from joserfc import jwt
from joserfc.jwk import KeySet

from citizen_account import openid
from citizen_account.bootstrap import Runtime
from citizen_account.domain.accounts import AccountId
from tests.authorizing import (
    Fields,
    address,
    answer_in,
    answer_of,
    error_code,
    request_fields,
    sign_in,
)
from tests.factories import ISSUER, Clock
from tests.pages import Visitor
from tests.relying_party import Party
from tests.services import SECRET, register

PLAIN: Fields = {"code_challenge": None, "code_challenge_method": None}
LOW = "http://eidas.europa.eu/LoA/low"
# The registry of RFC 8414 section 7.1.2, as far as the suite's schema knows it.
KNOWN = frozenset(
    [
        "issuer",
        "authorization_endpoint",
        "token_endpoint",
        "jwks_uri",
        "registration_endpoint",
        "scopes_supported",
        "response_types_supported",
        "response_modes_supported",
        "grant_types_supported",
        "token_endpoint_auth_methods_supported",
        "token_endpoint_auth_signing_alg_values_supported",
        "service_documentation",
        "ui_locales_supported",
        "op_policy_uri",
        "op_tos_uri",
        "revocation_endpoint",
        "revocation_endpoint_auth_methods_supported",
        "revocation_endpoint_auth_signing_alg_values_supported",
        "introspection_endpoint",
        "introspection_endpoint_auth_methods_supported",
        "introspection_endpoint_auth_signing_alg_values_supported",
        "code_challenge_methods_supported",
        "userinfo_endpoint",
        "end_session_endpoint",
        "subject_types_supported",
        "id_token_signing_alg_values_supported",
        "userinfo_signing_alg_values_supported",
        "request_object_signing_alg_values_supported",
        "claim_types_supported",
        "claims_supported",
        "claims_locales_supported",
        "claims_parameter_supported",
        "request_parameter_supported",
        "request_uri_parameter_supported",
        "acr_values_supported",
        "frontchannel_logout_supported",
        "frontchannel_logout_session_supported",
        "backchannel_logout_supported",
        "backchannel_logout_session_supported",
        "dpop_signing_alg_values_supported",
        "display_values_supported",
        "pushed_authorization_request_endpoint",
        "require_pushed_authorization_requests",
        "authorization_signing_alg_values_supported",
        "mtls_endpoint_aliases",
        "tls_client_certificate_bound_access_tokens",
        "authorization_response_iss_parameter_supported",
        "require_signed_request_object",
        "introspection_signing_alg_values_supported",
        "prompt_values_supported",
    ]
)


async def run(visitor: Visitor, library: Party, changes: Fields) -> dict[str, Any]:
    """Go through one whole flow as the suite does; return the token response."""
    await visitor.open(address({**PLAIN, **changes}))
    if visitor.left_for is None:
        await visitor.press("#allow")
    code = answer_in(visitor.left_for)["code"]
    answer = await library.redeem(code, {"code_verifier": None})
    assert answer.status_code == 200, answer.text
    assert answer.headers["cache-control"] == "no-store"
    tokens: dict[str, Any] = answer.json()  # Any: a token response
    assert tokens["token_type"] == "Bearer"
    return tokens


async def claims_of(library: Party, tokens: dict[str, Any]) -> dict[str, Any]:
    """Verify the ID token by the published keys, as the suite does."""
    described = (await library.http.get("/.well-known/openid-configuration")).json()
    published = (await library.http.get(described["jwks_uri"])).json()
    assert all(key["kid"] for key in published["keys"])
    token = jwt.decode(tokens["id_token"], KeySet.import_key_set(published), algorithms=["RS256"])
    assert token.header["kid"] in {key["kid"] for key in published["keys"]}
    claims: dict[str, Any] = token.claims  # Any: as above
    assert (claims["iss"], claims["aud"]) == (ISSUER, library.client_id)
    assert claims["sub"].isascii()
    assert len(claims["sub"]) <= 255
    return claims


# --- requests that must succeed, each a module of its own ---

SUCCEEDING: dict[str, Fields] = {
    "oidcc-server": {},
    "oidcc-ensure-request-without-nonce-succeeds-for-code-flow": {"nonce": None},
    "oidcc-alternate-happy-flow": {"scope": "email openid"},
    "oidcc-display-page": {"display": "page"},
    "oidcc-display-popup": {"display": "popup"},
    "oidcc-ensure-request-with-unknown-parameter-succeeds": {"extra": "foobar"},
    "oidcc-login-hint": {"login_hint": "buffy@example.com"},
    "oidcc-ui-locales": {"ui_locales": "se"},
    "oidcc-claims-locales": {"claims_locales": "se"},
    "oidcc-ensure-request-with-acr-values-succeeds": {"acr_values": LOW},
    "oidcc-claims-essential": {"claims": json.dumps({"userinfo": {"name": {"essential": True}}})},
}


@pytest.mark.usefixtures("resident")
@pytest.mark.parametrize("module", SUCCEEDING)
async def test_request_succeeds(visitor: Visitor, library: Party, module: str) -> None:
    changes = SUCCEEDING[module]
    tokens = await run(visitor, library, changes)
    claims = await claims_of(library, tokens)
    assert claims.get("nonce") == {"nonce": "a-nonce", **changes}["nonce"]
    if "acr_values" in changes:
        assert claims["acr"] == LOW
    answer = await library.userinfo(tokens["access_token"])
    assert answer.json()["sub"] == claims["sub"]
    if "claims" in changes:
        assert answer.json()["name"] == "Jana Nováková"


@pytest.mark.usefixtures("resident")
async def test_pkce_is_accepted_from_who_need_not_send_it(visitor: Visitor, library: Party) -> None:
    await visitor.open(address())
    await visitor.press("#allow")
    assert (await library.redeem(answer_in(visitor.left_for)["code"])).status_code == 200


async def test_login_hint_and_locale_reach_the_page(visitor: Visitor, library: Party) -> None:
    assert library
    await visitor.open(address({"login_hint": "buffy@example.com", "ui_locales": "se en"}))
    assert visitor.path == "/en/sign-in"
    assert visitor.value("#email") == "buffy@example.com"


# --- scopes ---

PROFILE = (
    "name given_name family_name middle_name nickname preferred_username profile picture website"
    " gender birthdate zoneinfo locale updated_at"
)
OF_SCOPE = {
    "oidcc-scope-profile": PROFILE,
    "oidcc-scope-email": "email email_verified",
    "oidcc-scope-phone": "phone_number phone_number_verified",
    "oidcc-scope-address": "address",
    "oidcc-scope-all": (
        f"{PROFILE} email email_verified phone_number phone_number_verified address"
    ),
}
SCOPE_OF = {
    "oidcc-scope-all": "openid profile email address phone",
    **{name: f"openid {name.rsplit('-', 1)[1]}" for name in OF_SCOPE if not name.endswith("all")},
}


@pytest.mark.usefixtures("resident")
@pytest.mark.parametrize("module", OF_SCOPE)
async def test_scope_gives_its_claims_at_userinfo_and_not_in_the_id_token(
    visitor: Visitor, library: Party, module: str
) -> None:
    tokens = await run(visitor, library, {"scope": SCOPE_OF[module]})
    said = (await library.userinfo(tokens["access_token"])).json()
    assert said.keys() == {"sub", *OF_SCOPE[module].split()}
    assert isinstance(said.get("updated_at", 0), int)
    assert isinstance(said.get("phone_number_verified", False), bool)
    assert isinstance(said.get("address", {}), dict)
    claims = await claims_of(library, tokens)
    assert not claims.keys() & set(OF_SCOPE["oidcc-scope-all"].split())


# --- signing in again ---


async def sign_in_again(
    runtime: Runtime, visitor: Visitor, resident: AccountId, clock: Clock
) -> str:
    """Sign in once more and go back to the request; return the code."""
    assert visitor.path.endswith("/sign-in")
    waiting = visitor.last.url.query.decode()
    clock.now += timedelta(seconds=3)
    await sign_in(runtime, visitor.http, resident)
    await visitor.open(f"/authorize/continue?{waiting}")
    return answer_in(visitor.left_for)["code"]


@pytest.mark.parametrize("changes", [{"prompt": "login"}, {"max_age": "1"}], ids=str)
async def test_second_sign_in_tells_a_later_time(  # noqa: PLR0913, PLR0917  # what it takes
    runtime: Runtime,
    visitor: Visitor,
    library: Party,
    resident: AccountId,
    clock: Clock,
    changes: Fields,
) -> None:
    first = await claims_of(library, await run(visitor, library, {}))
    clock.now += timedelta(seconds=2)
    await visitor.open(address({**PLAIN, **changes}))
    code = await sign_in_again(runtime, visitor, resident, clock)
    tokens = (await library.redeem(code, {"code_verifier": None})).json()
    second = await claims_of(library, tokens)
    assert second["sub"] == first["sub"]
    assert second["auth_time"] > first["auth_time"]


@pytest.mark.usefixtures("resident")
async def test_sign_in_that_is_young_enough_is_told_again(
    visitor: Visitor, library: Party, clock: Clock
) -> None:
    first = await claims_of(library, await run(visitor, library, {"max_age": "15000"}))
    clock.now += timedelta(minutes=20)
    await visitor.open(address({**PLAIN, "max_age": "10000"}))
    # No page of ours came between.
    code = answer_in(visitor.left_for)["code"]
    tokens = (await library.redeem(code, {"code_verifier": None})).json()
    second = await claims_of(library, tokens)
    assert (second["sub"], second["auth_time"]) == (first["sub"], first["auth_time"])
    assert second["iat"] > first["iat"]


# --- the request as a form, by a browser that holds cookies back ---


@pytest.mark.usefixtures("resident")
@pytest.mark.parametrize("changes", [{}, {"prompt": "none"}], ids=str)
async def test_post_of_another_site_finds_the_session(
    visitor: Visitor, library: Party, other_visitor: Visitor, changes: Fields
) -> None:
    await run(visitor, library, {})
    # A cross-site POST carries no SameSite=Lax cookie: the other client stands for it.
    posted = await other_visitor.http.post("/authorize", data=request_fields(changes))
    assert posted.status_code == 303
    # The redirect is a GET at the top: there the cookies come along.
    answer = await visitor.http.get(posted.headers["location"])
    assert "code" in answer_of(answer)


# --- refusals ---


@pytest.mark.usefixtures("resident")
async def test_unregistered_redirect_uri_is_a_page_of_ours(visitor: Visitor) -> None:
    await visitor.open(address({"redirect_uri": "https://library.example/callback/unregistered"}))
    assert error_code(visitor) == "redirect_uri_unregistered"


@pytest.mark.usefixtures("resident")
@pytest.mark.parametrize("seconds", [0, 30])
async def test_code_that_comes_again_ends_its_token(
    visitor: Visitor, library: Party, clock: Clock, seconds: int
) -> None:
    await visitor.open(address(PLAIN))
    await visitor.press("#allow")
    code = answer_in(visitor.left_for)["code"]
    tokens = (await library.redeem(code, {"code_verifier": None})).json()
    clock.now += timedelta(seconds=seconds)
    again = await library.redeem(code, {"code_verifier": None})
    assert (again.status_code, again.json()["error"]) == (400, "invalid_grant")
    assert (await library.userinfo(tokens["access_token"])).status_code == 401


@pytest.mark.usefixtures("resident")
async def test_refreshed_id_token_fits_the_first_and_client2_gets_none(
    runtime: Runtime, visitor: Visitor, library: Party
) -> None:
    wish = {"scope": "openid offline_access", "prompt": "consent"}
    first = await run(visitor, library, wish)
    refreshed = (await library.refresh(first["refresh_token"])).json()
    before, after = [await claims_of(library, each) for each in (first, refreshed)]
    assert all(before[name] == after[name] for name in ("iss", "sub", "aud", "auth_time"))
    # OIDC Core section 12.2.
    assert "nonce" not in after
    assert first["access_token"] != refreshed["access_token"]
    client = await register(runtime, client_id="second", require_pkce=False)
    stranger = Party(library.http, client.id, SECRET)
    refused = await stranger.refresh(refreshed["refresh_token"])
    assert (refused.status_code, refused.json()["error"]) == (400, "invalid_grant")


# RFC 6749 sections 4.1.2.1 and 5.2: no quotation mark, no backslash, ASCII only.
DESCRIPTION = re.compile(r"[\x20-\x21\x23-\x5b\x5d-\x7e]+")
RULES = Path(openid.__file__).parent


def descriptions(source: str) -> Iterator[str]:
    """Yield each text that the source gives to an error, with gaps where values go."""
    for call in ast.walk(ast.parse(source)):
        if not isinstance(call, ast.Call) or not ast.unparse(call.func).endswith("Error"):
            continue
        for part in call.args:
            for text in ast.walk(part):
                if isinstance(text, ast.Constant) and isinstance(text.value, str):
                    yield text.value


@pytest.mark.parametrize("file", sorted(RULES.glob("*.py")), ids=lambda file: str(file.name))
def test_descriptions_of_errors_hold_permitted_characters(file: Path) -> None:
    said = list(descriptions(file.read_text(encoding="utf-8")))
    assert not [text for text in said if not DESCRIPTION.fullmatch(text)]


def test_forbidden_character_is_noticed() -> None:
    [said] = descriptions("""raise InvalidRequestError('Not a "code".')""")
    assert not DESCRIPTION.fullmatch(said)


# --- oidcc-config ---


async def test_discovery_document_is_complete_and_holds_nothing_strange(
    http: httpx2.AsyncClient,
) -> None:
    described = (await http.get("/.well-known/openid-configuration")).json()
    assert not described.keys() - KNOWN
    for name, value in described.items():
        if name.endswith(("_endpoint", "_uri")):
            assert value.startswith("https://"), name
    assert "RS256" in described["id_token_signing_alg_values_supported"]
    assert "RS256" in described["request_object_signing_alg_values_supported"]
    # So that the three modules of unsigned request objects are skipped.
    assert "none" not in described["request_object_signing_alg_values_supported"]
    assert {"authorization_code", "refresh_token"} <= set(described["grant_types_supported"])
    assert described["claims_supported"]
    keys = (await http.get("/jwks")).json()["keys"]
    assert len({key["kid"] for key in keys}) == len(keys)


@pytest.mark.parametrize("name", ["request", "request_uri"])
async def test_unsigned_request_object_is_refused_by_name(library: Party, name: str) -> None:
    value = "eyJhbGciOiJub25lIn0.e30." if name == "request" else "https://suite.example/object"
    fields = {**request_fields(PLAIN), name: value}
    answer = answer_of(await library.http.get(f"/authorize?{urlencode(fields)}"))
    assert answer["error"] == f"{name}_not_supported"
