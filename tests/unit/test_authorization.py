"""The rules for reading an authorization request, without a database or a server."""

from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from itertools import product
from typing import Any

import pytest

from citizen_account.domain.clients import (
    AuthenticationMethod,
    Client,
    ClientProfile,
    GrantType,
)
from citizen_account.domain.errors import DomainError, ErrorCode
from citizen_account.openid.authorization import (
    RefusedToClient,
    ResponseMode,
    find_client_id,
    read_authorization_request,
)
from citizen_account.openid.authorization_response import answer_with_code, answer_with_error
from tests.authorization_facts import FIELDS, ISSUER, LIBRARY, START, accepted, read, refused
from tests.services import provider

# --- RFC 6749 section 4.1.1: reading ---


def test_plain_request_is_read() -> None:
    request = accepted()
    assert request.scope == ("openid", "email")
    assert request.target.state == "a state"
    assert request.target.mode is ResponseMode.QUERY


@pytest.mark.parametrize(
    "redirect_uri",
    [
        None,
        "",
        "https://library.example/callback/",
        "https://library.example/Callback",
        "https://library.example/callback?",
        "https://library.example/callback?extra=1",
        "https://library.example/callback#fragment",
        "https://library.example:443/callback",
        "HTTPS://library.example/callback",
        "https://library.example/%63allback",
        "https://library.example@thief.example/callback",
        "https://library.example\\@thief.example/callback",
        "https://thief.example/callback",
        "//library.example/callback",
        " https://library.example/callback",
        "https://library.example/callback\n",
        "javascript:alert(1)",
        "https://library.example/callback\x00",
    ],
)
def test_other_redirect_uri_never_becomes_a_target(redirect_uri: str | None) -> None:
    """RFC 9700 section 4.1.3."""
    with pytest.raises(DomainError) as refusal:
        read({"redirect_uri": redirect_uri})
    assert refusal.value.code is ErrorCode.REDIRECT_URI_UNREGISTERED


def forged_addresses() -> Iterator[str]:
    """Yield what gets past checks by prefix, by pattern, by parsing or by decoding."""
    hosts = ("library.example", "thief.example")
    joints = ("", ".", "@", ":", "/", "\\", "%2f", "%5c", "#", "?", ";", ",", "&", " ", "\t", "%00")
    schemes = ("https://", "http://", "HTTPS://", "//", "///", "https:", "https:/", "javascript:")
    paths = ("", "/", "/callback", "/callback/", "/Callback", "/%63allback", "/./callback")
    more = ("/callback/..", "/callback%00", "/callback\u3002", "/callback?", "/callback#")
    for scheme, joint, path in product(schemes, joints, (*paths, *more)):
        yield f"{scheme}{hosts[0]}{joint}{hosts[1]}{path}"
        yield f"{scheme}{hosts[1]}{joint}{hosts[0]}{path}"


def test_no_forged_address_becomes_a_target() -> None:
    """RFC 9700 section 4.1.3: thousands of forms, one rule."""
    addresses = set(forged_addresses())
    assert len(addresses) >= 2000
    for address in addresses:
        with pytest.raises(DomainError):
            read({"redirect_uri": address})


@pytest.mark.parametrize("client", [None, replace(LIBRARY, is_disabled=True)])
def test_unknown_or_disabled_client_is_told_on_our_page(client: Client | None) -> None:
    with pytest.raises(DomainError) as refusal:
        read({}, client)
    assert refusal.value.code is ErrorCode.CLIENT_UNKNOWN


@pytest.mark.parametrize("client_id", ["", "\x00", "lib\nrary", "x" * 256, "knižnica"])
def test_malformed_client_id_is_an_unknown_client(client_id: str) -> None:
    with pytest.raises(DomainError) as refusal:
        find_client_id([("client_id", client_id)])
    assert refusal.value.code is ErrorCode.CLIENT_UNKNOWN


@pytest.mark.parametrize("name", ["client_id", "redirect_uri"])
def test_repeated_client_or_redirect_uri_is_told_on_our_page(name: str) -> None:
    """RFC 6749 section 3.1."""
    twice = [*FIELDS.items(), (name, FIELDS[name])]
    reader = (
        find_client_id
        if name == "client_id"
        else partial(read_authorization_request, client=LIBRARY)
    )
    with pytest.raises(DomainError) as refusal:
        reader(twice)
    assert refusal.value.code is ErrorCode.REQUEST_MALFORMED


@pytest.mark.parametrize("name", ["scope", "nonce", "response_type", "unknown", "prompt"])
def test_repeated_parameter_is_refused_to_the_client(name: str) -> None:
    assert refused({name: "code"}, (name, "code")) == "invalid_request"


def test_two_states_are_both_left_out() -> None:
    outcome = read({}, LIBRARY, ("state", "other"))
    assert isinstance(outcome, RefusedToClient)
    assert outcome.target.state is None


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"response_type": None}, "invalid_request"),
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"response_type": "code id_token"}, "unsupported_response_type"),
        ({"response_type": "none"}, "unsupported_response_type"),
        ({"response_mode": "fragment"}, "invalid_request"),
        ({"response_mode": "web_message"}, "invalid_request"),
        ({"scope": None}, "invalid_scope"),
        ({"scope": "email"}, "invalid_scope"),
        ({"scope": "city:unknown"}, "invalid_scope"),
        ({"request": "e30.e30."}, "request_not_supported"),
        ({"request_uri": "https://library.example/r"}, "request_uri_not_supported"),
        ({"registration": "{}"}, "registration_not_supported"),
        ({"prompt": "none login"}, "invalid_request"),
        ({"prompt": "later"}, "invalid_request"),
        ({"max_age": "-1"}, "invalid_request"),
        ({"max_age": "1e3"}, "invalid_request"),
        ({"max_age": "9" * 40}, "invalid_request"),
        ({"max_age": "\u0661"}, "invalid_request"),
        ({"claims": "{"}, "invalid_request"),
        ({"claims": "[]"}, "invalid_request"),
        ({"claims": '{"userinfo":[1]}'}, "invalid_request"),
        ({"claims": "[" * 4000}, "invalid_request"),
        ({"claims": '{"id_token":' + "9" * 6000 + "}"}, "invalid_request"),
        ({"nonce": "\x00"}, "invalid_request"),
        ({"nonce": "\ud800"}, "invalid_request"),
        ({"nonce": "x" * 2049}, "invalid_request"),
        ({"login_hint": "a\x00b"}, "invalid_request"),
        ({"state": "x" * 2049}, "invalid_request"),
        ({"state": "\x00"}, "invalid_request"),
        ({"state": "stav ž"}, "invalid_request"),
        ({"id_token_hint": "x" * 20_000}, "invalid_request"),
    ],
)
def test_request_is_refused_to_the_client(changes: dict[str, str | None], error: str) -> None:
    assert refused(changes) == error


@pytest.mark.parametrize(
    "changes",
    [
        {"display": "popup", "claims_locales": "se", "unknown": "\x00"},
        {"scope": "openid email city:unknown address"},
        {"state": "x" * 2048, "nonce": "y" * 2048},
        {"state": "", "prompt": ""},
        {"acr_values": "urn:whatever 1 2"},
    ],
)
def test_what_is_not_understood_is_ignored(changes: dict[str, str | None]) -> None:
    """OIDC Core section 3.1.2.1: unknown parameters, scopes and values."""
    assert accepted(changes).scope == ("openid", "email")


def test_client_with_scopes_of_an_api_may_do_without_openid() -> None:
    scopes = LIBRARY.scopes | {"city:tax"}
    assert accepted({"scope": "city:tax"}, scopes=scopes).scope == ("city:tax",)


def test_client_without_the_grant_is_refused() -> None:
    only = frozenset({GrantType.CLIENT_CREDENTIALS})
    assert refused({}, grant_types=only) == "unauthorized_client"


# --- RFC 7636 and RFC 9700 section 2.1.1: PKCE ---


@pytest.mark.parametrize(
    "changes",
    [
        {"code_challenge": None, "code_challenge_method": None},
        {"code_challenge": None},
        {"code_challenge_method": None},
        {"code_challenge_method": "plain"},
        {"code_challenge_method": "s256"},
        {"code_challenge": "short"},
        {"code_challenge": "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM="},
        {"code_challenge": "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-c\n"},
    ],
)
def test_pkce_must_be_s256(changes: dict[str, str | None]) -> None:
    assert refused(changes) == "invalid_request"


NO_PKCE = {"code_challenge": None, "code_challenge_method": None}


def test_exempted_confidential_client_may_do_without_pkce() -> None:
    assert accepted(NO_PKCE, require_pkce=False).code_challenge is None


@pytest.mark.parametrize(
    "of_client",
    [{"authentication_method": AuthenticationMethod.NONE}, {"profile": ClientProfile.HIGH}],
)
def test_public_and_high_clients_are_never_exempted(of_client: dict[str, Any]) -> None:
    assert refused(NO_PKCE, require_pkce=False, **of_client) == "invalid_request"


def test_exempted_client_cannot_downgrade_to_plain() -> None:
    changes = {"code_challenge_method": "plain"}
    assert refused(changes, require_pkce=False) == "invalid_request"


# --- RFC 9207 and response modes: answering ---


def test_code_answer_names_the_issuer_and_keeps_the_query() -> None:
    request = accepted({"redirect_uri": "https://library.example/callback?kept=1"})
    assert answer_with_code(request.target, "c/d", provider(), now=START).location == (
        "https://library.example/callback?kept=1"
        "&code=c%2Fd&state=a+state&iss=https%3A%2F%2Faccount.city.example"
    )


def test_error_answer_names_the_issuer() -> None:
    outcome = read({"response_type": None, "response_mode": "form_post"})
    assert isinstance(outcome, RefusedToClient)
    answer = answer_with_error(outcome.target, outcome.error, provider(), now=START)
    assert answer.mode is ResponseMode.FORM_POST
    assert dict(answer.fields) | {"error_description": ""} == {
        "error": "invalid_request",
        "error_description": "",
        "state": "a state",
        "iss": ISSUER,
    }
