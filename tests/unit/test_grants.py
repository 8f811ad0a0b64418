"""The rules by which codes, refresh tokens and clients get tokens, without a database."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from citizen_account.domain.clients import (
    AuthenticationMethod,
    Client,
    ClientId,
    ClientProfile,
    GrantType,
)
from citizen_account.domain.grants import Grant, PresentedToken, StoredCode, TokenKind
from citizen_account.openid.client_authentication import NoProof
from citizen_account.openid.grants import (
    CODE_LIFETIME,
    Replayed,
    Reused,
    TokenForClient,
    TokensToIssue,
    TokensToRenew,
    TokensToRotate,
    decide_for_client,
    decide_redemption,
    decide_refresh,
)
from citizen_account.openid.requests import ClientRequest, CodeRequest, RefreshRequest
from citizen_account.openid.responses import Refused
from citizen_account.openid.userinfo import released_claims
from tests.factories import REDIRECT_URI, START, VERIFIER
from tests.services import GRANT, LIBRARY, LIBRARY_ID, a_code, a_refresh_token

NOBODY = NoProof(LIBRARY_ID)
CODE_REQUEST = CodeRequest(NOBODY, "code", REDIRECT_URI, VERIFIER)
REFRESH_REQUEST = RefreshRequest(NOBODY, "refresh", None)
MUSEUM_GRANT = replace(GRANT, client_id=ClientId("museum"))
MACHINE = replace(
    LIBRARY,
    grant_types=frozenset({GrantType.CLIENT_CREDENTIALS}),
    scopes=frozenset({"openid", "cases.read", "cases.write"}),
)


def error_of(decision: object) -> str:
    assert isinstance(decision, Refused)
    return str(decision.error.error)


def test_right_code_becomes_tokens() -> None:
    code = a_code()
    assert decide_redemption(CODE_REQUEST, LIBRARY, code, now=START) == TokensToIssue(
        code, with_refresh_token=True
    )


def test_client_without_the_grant_type_gets_no_refresh_token() -> None:
    client = replace(LIBRARY, grant_types=frozenset({GrantType.AUTHORIZATION_CODE}))
    decision = decide_redemption(CODE_REQUEST, client, a_code(), now=START)
    assert decision == TokensToIssue(a_code(), with_refresh_token=False)


def test_used_code_is_a_replay_even_when_expired() -> None:
    used = a_code(used_at=START)
    decision = decide_redemption(CODE_REQUEST, LIBRARY, used, now=START + 2 * CODE_LIFETIME)
    assert decision == Replayed(used)


def test_used_code_of_another_client_is_no_replay() -> None:
    foreign = a_code(used_at=START, grant=MUSEUM_GRANT)
    assert isinstance(decide_redemption(CODE_REQUEST, LIBRARY, foreign, now=START), Refused)


@pytest.mark.parametrize(
    "code",
    [
        None,
        a_code(grant=MUSEUM_GRANT),
        a_code(expires_at=START),
        a_code(grant=replace(GRANT, ended_at=START)),
        a_code(redirect_uri="https://library.example/other"),
        a_code(code_challenge=None),
        a_code(code_challenge=VERIFIER),
    ],
    ids=["unknown", "foreign", "expired", "ended", "redirect", "no challenge", "plain challenge"],
)
def test_code_is_refused(code: StoredCode | None) -> None:
    decision = decide_redemption(CODE_REQUEST, LIBRARY, code, now=START)
    assert error_of(decision) == "invalid_grant"


@pytest.mark.parametrize("verifier", [None, "short", VERIFIER[::-1], VERIFIER + "\n"])
def test_verifier_is_refused(verifier: str | None) -> None:
    request = replace(CODE_REQUEST, code_verifier=verifier)
    decision = decide_redemption(request, LIBRARY, a_code(), now=START)
    assert error_of(decision) == "invalid_grant"


def test_request_without_challenge_needs_no_verifier() -> None:
    request = replace(CODE_REQUEST, code_verifier=None)
    decision = decide_redemption(request, LIBRARY, a_code(code_challenge=None), now=START)
    assert isinstance(decision, TokensToIssue)


def test_grant_type_that_was_not_registered_is_refused() -> None:
    decision = decide_redemption(CODE_REQUEST, MACHINE, a_code(), now=START)
    assert error_of(decision) == "unauthorized_client"


def test_refresh_token_keeps_its_scope_when_none_is_named() -> None:
    presented = a_refresh_token()
    decision = decide_refresh(REFRESH_REQUEST, LIBRARY, presented, now=START)
    assert decision == TokensToRotate(presented, "openid profile email")


def test_scope_may_be_narrowed_in_the_order_it_was_granted() -> None:
    request = replace(REFRESH_REQUEST, scope=frozenset({"email", "openid"}))
    decision = decide_refresh(request, LIBRARY, a_refresh_token(), now=START)
    assert isinstance(decision, TokensToRotate)
    assert decision.scope == "openid email"


def test_scope_may_not_be_widened() -> None:
    request = replace(REFRESH_REQUEST, scope=frozenset({"openid", "phone"}))
    decision = decide_refresh(request, LIBRARY, a_refresh_token(), now=START)
    assert error_of(decision) == "invalid_scope"


def test_used_refresh_token_is_a_reuse() -> None:
    used = a_refresh_token(used_at=START)
    assert decide_refresh(REFRESH_REQUEST, LIBRARY, used, now=START) == Reused(used)


@pytest.mark.parametrize(
    "presented",
    [
        None,
        a_refresh_token(MUSEUM_GRANT),
        a_refresh_token(MUSEUM_GRANT, used_at=START),
        a_refresh_token(replace(GRANT, ended_at=START)),
        a_refresh_token(expires_at=START),
        a_refresh_token(kind=TokenKind.ACCESS),
    ],
    ids=["unknown", "foreign", "foreign and used", "ended", "expired", "access token"],
)
def test_refresh_token_is_refused(presented: PresentedToken | None) -> None:
    decision = decide_refresh(REFRESH_REQUEST, LIBRARY, presented, now=START)
    assert error_of(decision) == "invalid_grant"


@pytest.mark.parametrize(
    ("asked", "scope"),
    [(None, "cases.read cases.write"), (frozenset({"cases.read"}), "cases.read")],
)
def test_client_gets_what_is_its_own(asked: frozenset[str] | None, scope: str) -> None:
    assert decide_for_client(ClientRequest(NOBODY, asked), MACHINE) == TokenForClient(scope)


@pytest.mark.parametrize(
    ("client", "asked", "error"),
    [
        (MACHINE, frozenset({"openid"}), "invalid_scope"),
        (MACHINE, frozenset({"cases.delete"}), "invalid_scope"),
        (LIBRARY, None, "unauthorized_client"),
        (
            replace(MACHINE, authentication_method=AuthenticationMethod.NONE),
            None,
            "unauthorized_client",
        ),
    ],
    ids=["a resident's scope", "unregistered", "no grant type", "public"],
)
def test_client_is_refused(client: Client, asked: frozenset[str] | None, error: str) -> None:
    assert error_of(decide_for_client(ClientRequest(NOBODY, asked), client)) == error


@pytest.mark.parametrize(
    ("scope", "claims"),
    [
        ("openid profile email", {"name", "email", "email_verified", "phone_number"}),
        ("openid email", {"email", "email_verified", "phone_number"}),
        ("openid", {"phone_number"}),
    ],
)
def test_narrower_token_opens_fewer_claims(scope: str, claims: set[str]) -> None:
    # The telephone number was asked for by itself, with the claims parameter.
    grant: Grant = replace(GRANT, claims=GRANT.claims | {"phone_number"})
    assert released_claims(grant, scope) == claims


def test_codes_live_for_a_minute() -> None:
    assert timedelta(seconds=60) == CODE_LIFETIME


@pytest.mark.parametrize(
    ("of_client", "bound"),
    [
        ({"profile": ClientProfile.HIGH}, None),
        ({}, {"jkt": "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"}),
    ],
    ids=["profile high", "sender-constrained"],
)
def test_fapi_2_5_3_2_1_9_refresh_token_is_not_rotated(
    of_client: dict[str, Any], bound: dict[str, str] | None
) -> None:
    client = replace(LIBRARY, **of_client)
    presented = a_refresh_token(confirmation=bound)
    decision = decide_refresh(REFRESH_REQUEST, client, presented, sender=bound or {}, now=START)
    assert isinstance(decision, TokensToRenew)


def test_rfc9700_4_14_2_refresh_token_of_a_public_client_is_rotated() -> None:
    public = replace(LIBRARY, authentication_method=AuthenticationMethod.NONE)
    bound = {"jkt": "any"}
    presented = a_refresh_token(confirmation=bound)
    decision = decide_refresh(REFRESH_REQUEST, public, presented, sender=bound, now=START)
    assert isinstance(decision, TokensToRotate)
