"""The rules of the authorization endpoint, without a database or a server."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import product
from typing import Any
from uuid import UUID

import pytest

from citizen_account.domain.accounts import AccountId, Level, Session, SessionId
from citizen_account.domain.clients import (
    AuthenticationMethod,
    ClaimUse,
    Client,
    ClientId,
    ClientProfile,
    ClientPurpose,
    GrantType,
    SubjectType,
)
from citizen_account.domain.consents import Consent, ConsentEnd, ConsentId, LegalBasis
from citizen_account.domain.errors import DomainError, ErrorCode
from citizen_account.openid.authorization import (
    AuthorizationRequest,
    Prompt,
    RefusedToClient,
    ResponseMode,
    find_client_id,
    read_authorization_request,
)
from citizen_account.openid.authorization_response import answer_with_code, answer_with_error
from citizen_account.openid.interaction import (
    Ask,
    Register,
    Release,
    SignIn,
    Step,
    Visit,
    decide_step,
)

START = datetime(2026, 3, 1, 12, tzinfo=UTC)
ISSUER = "https://account.city.example"
CALLBACK = "https://library.example/callback"
RESIDENT = AccountId(UUID(int=1))
HIGH = "http://eidas.europa.eu/LoA/high"
SUBSTANTIAL = "http://eidas.europa.eu/LoA/substantial"
LIBRARY = Client(
    id=ClientId("library"),
    name={"en": "Library"},
    operator={"en": "City"},
    service_url="https://library.example",
    is_first_party=True,
    profile=ClientProfile.STANDARD,
    redirect_uris=(CALLBACK, "https://library.example/callback?kept=1"),
    post_logout_redirect_uris=(),
    authentication_method=AuthenticationMethod.BASIC,
    secret_digest=b"",
    jwks=None,
    jwks_uri=None,
    grant_types=frozenset({GrantType.AUTHORIZATION_CODE, GrantType.REFRESH_TOKEN}),
    scopes=frozenset({"openid", "profile", "email", "phone", "offline_access"}),
    subject_type=SubjectType.PAIRWISE,
    sector="library.example",
    id_token_algorithm="RS256",
    require_pkce=True,
    backchannel_logout_uri=None,
    is_disabled=False,
    purposes=(),
    created_at=START,
)
FIELDS: Mapping[str, str] = {
    "response_type": "code",
    "client_id": "library",
    "redirect_uri": CALLBACK,
    "scope": "openid email",
    "state": "a state",
    "nonce": "n-0S6_WzA2Mj",
    "code_challenge": "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
    "code_challenge_method": "S256",
}
SESSION = Session(
    id=SessionId(UUID(int=2)),
    account_id=RESIDENT,
    authenticated_at=START - timedelta(minutes=5),
    methods=("pwd",),
    level=Level.LOW,
    created_at=START - timedelta(minutes=5),
    last_seen_at=START,
    expires_at=START + timedelta(hours=12),
)
CONSENT = Consent(
    id=ConsentId(UUID(int=3)),
    account_id=RESIDENT,
    client_id="library",
    scopes=frozenset({"openid", "email"}),
    claims=frozenset({"email", "email_verified"}),
    refused=frozenset(),
    purposes=frozenset({"sign_in"}),
    basis=LegalBasis.CONSENT,
    text_digest="",
    text_language="en",
    given_at=START,
    last_used_at=None,
    ended_at=None,
    ended_by=None,
)
VISIT = Visit(
    session=SESSION,
    subject="subject",
    hinted_subject=None,
    consent=CONSENT,
    started_at=START,
    first_session=SESSION.id,
)


def read(
    changes: Mapping[str, str | None] | None = None,
    client: Client | None = LIBRARY,
    *more: tuple[str, str],
) -> AuthorizationRequest | RefusedToClient:
    fields = {**FIELDS, **(changes or {})}
    parameters = [(name, value) for name, value in fields.items() if value is not None]
    return read_authorization_request([*parameters, *more], client)


def accepted(
    changes: Mapping[str, str | None] | None = None,
    **of_client: Any,  # noqa: ANN401  # any field of a client
) -> AuthorizationRequest:
    request = read(changes, replace(LIBRARY, **of_client))
    assert isinstance(request, AuthorizationRequest), request
    return request


def refused(changes: Mapping[str, str | None], *more: tuple[str, str], **of_client: Any) -> str:  # noqa: ANN401  # any field of a client
    outcome = read(changes, replace(LIBRARY, **of_client), *more)
    assert isinstance(outcome, RefusedToClient), outcome
    return str(outcome.error.error)


def step(
    changes: Mapping[str, str | None] | None = None,
    *,
    client: Client = LIBRARY,
    seconds: int = 0,
    **facts: Any,  # noqa: ANN401  # any fact of a visit
) -> Step:
    request = read(changes, client)
    assert isinstance(request, AuthorizationRequest), request
    now = START + timedelta(seconds=seconds)
    return decide_step(request, client, replace(VISIT, **facts), now)


def error_of(decided: Step) -> str:
    assert isinstance(decided, RefusedToClient), decided
    return str(decided.error.error)


FRESH = replace(SESSION, id=SessionId(UUID(int=9)), authenticated_at=START + timedelta(seconds=20))


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
    assert answer_with_code(request.target, "c/d", ISSUER).location == (
        "https://library.example/callback?kept=1"
        "&code=c%2Fd&state=a+state&iss=https%3A%2F%2Faccount.city.example"
    )


def test_error_answer_names_the_issuer() -> None:
    outcome = read({"response_type": None, "response_mode": "form_post"})
    assert isinstance(outcome, RefusedToClient)
    answer = answer_with_error(outcome.target, outcome.error, ISSUER)
    assert answer.mode is ResponseMode.FORM_POST
    assert dict(answer.fields) | {"error_description": ""} == {
        "error": "invalid_request",
        "error_description": "",
        "state": "a state",
        "iss": ISSUER,
    }


# --- OIDC Core section 3.1.2.3: the next step ---


def test_decided_request_is_released_in_silence() -> None:
    for prompt in (None, "none"):
        released = step({"prompt": prompt})
        assert isinstance(released, Release)
        assert released.claims == {"email", "email_verified"}
        assert released.level is Level.LOW


@pytest.mark.parametrize(
    ("facts", "error"),
    [
        ({"session": None}, "login_required"),
        ({"consent": None}, "consent_required"),
        ({"hinted_subject": "another"}, "login_required"),
    ],
)
def test_prompt_none_shows_no_page(facts: dict[str, Any], error: str) -> None:
    assert error_of(step({"prompt": "none"}, **facts)) == error


def test_prompt_none_refuses_an_old_sign_in() -> None:
    assert error_of(step({"prompt": "none", "max_age": "10"})) == "login_required"


@pytest.mark.parametrize("prompt", ["login", "select_account", "login consent"])
def test_prompt_forces_one_new_sign_in(prompt: str) -> None:
    assert step({"prompt": prompt}) == SignIn()
    assert step({"prompt": prompt}, session=FRESH) != SignIn()


def test_prompt_create_leads_to_registration_once() -> None:
    assert step({"prompt": "create"}, session=None) == Register()
    assert step({"prompt": "create"}) == Register()
    assert isinstance(step({"prompt": "create"}, session=FRESH), Release)


def test_sign_in_of_the_same_instant_is_no_new_one_unless_the_session_is_new() -> None:
    same = replace(SESSION, authenticated_at=START)
    assert step({"prompt": "login"}, session=same) == SignIn()
    other = replace(same, id=SessionId(UUID(int=8)))
    assert isinstance(step({"prompt": "login"}, session=other), Release)


def test_max_age_counts_from_the_last_sign_in() -> None:
    assert step({"max_age": "299"}) == SignIn()
    assert isinstance(step({"max_age": "300"}), Release)
    assert step({"max_age": "0"}) == SignIn()


def test_max_age_is_met_by_the_sign_in_it_asked_for_however_long_consent_takes() -> None:
    assert isinstance(step({"max_age": "1"}, session=FRESH, seconds=600), Release)


def test_hint_of_another_resident_asks_once_then_fails() -> None:
    assert step(hinted_subject="another") == SignIn()
    assert error_of(step(hinted_subject="another", session=FRESH)) == "login_required"
    assert isinstance(step(hinted_subject="subject"), Release)


def test_claims_parameter_may_name_the_resident() -> None:
    """OIDC Core section 5.5.1."""
    named = json.dumps({"id_token": {"sub": {"value": "another"}}})
    assert step({"claims": named}) == SignIn()


def essential_acr(*values: str) -> dict[str, str | None]:
    wish = {"essential": True, "values": list(values)}
    return {"claims": json.dumps({"id_token": {"acr": wish}})}


def test_essential_acr_steps_up_once_then_fails() -> None:
    """OIDC Core section 5.5.1.1."""
    wish = essential_acr(SUBSTANTIAL)
    assert step(wish) == SignIn()
    assert error_of(step(wish, session=FRESH)) == "unmet_authentication_requirements"
    assert error_of(step({**wish, "prompt": "none"})) == "interaction_required"
    raised = step(wish, session=replace(FRESH, level=Level.HIGH))
    assert isinstance(raised, Release)
    assert raised.level is Level.SUBSTANTIAL


def test_acr_that_nobody_knows_is_refused_only_when_essential() -> None:
    assert refused(essential_acr("urn:unknown")) == "invalid_request"
    assert isinstance(step({"acr_values": "urn:unknown"}), Release)


def test_acr_values_are_a_wish() -> None:
    released = step({"acr_values": f"{HIGH} {SUBSTANTIAL}"})
    assert isinstance(released, Release)
    assert released.level is Level.LOW


# --- what needs the resident's answer ---


def asked_claims(decided: Step) -> list[str]:
    assert isinstance(decided, Ask), decided
    return [claim.name for claim in decided.asking.claims]


def test_new_service_asks_for_everything_and_folds_what_belongs_together() -> None:
    wanted = {"scope": "openid profile email phone"}
    assert asked_claims(step(wanted, consent=None)) == [
        "name",
        "birthdate",
        "email",
        "phone_number",
        "locale",
    ]


def test_grown_scope_asks_for_the_new_part_alone() -> None:
    decided = step({"scope": "openid email phone"})
    assert asked_claims(decided) == ["phone_number"]
    assert isinstance(decided, Ask)
    assert decided.asking.is_addition


def test_refused_claim_is_not_asked_again() -> None:
    phone = frozenset({"phone_number", "phone_number_verified"})
    consent = replace(CONSENT, scopes=CONSENT.scopes | {"phone"}, refused=phone)
    released = step({"scope": "openid email phone"}, consent=consent)
    assert isinstance(released, Release)
    assert not released.claims & phone


def test_prompt_consent_asks_in_full_and_once() -> None:
    assert asked_claims(step({"prompt": "consent"})) == ["email"]
    assert isinstance(step({"prompt": "consent"}, was_asked=True), Release)


def test_withdrawn_consent_is_none() -> None:
    ended = replace(CONSENT, ended_at=START, ended_by=ConsentEnd.WITHDRAWN)
    assert asked_claims(step(consent=ended)) == ["email"]


def test_new_purpose_asks_again() -> None:
    email = ClaimUse("email", is_required=True, reason={"en": "reminders"})
    loans = ClientPurpose("loans", {"en": "Loans"}, LegalBasis.CONTRACT, "§ 1", "P1Y", (email,))
    client = replace(LIBRARY, purposes=(loans,))
    assert isinstance(step(client=client), Ask)


def test_claim_without_a_purpose_is_never_released() -> None:
    email = ClaimUse("email", is_required=True, reason={"en": "reminders"})
    loans = ClientPurpose("loans", {"en": "Loans"}, LegalBasis.CONTRACT, "§ 1", "P1Y", (email,))
    client = replace(LIBRARY, purposes=(loans,))
    consent = replace(CONSENT, purposes=frozenset({"loans"}))
    wanted = {"claims": json.dumps({"id_token": {"phone_number": None, "email": None}})}
    released = step(wanted, client=client, consent=consent)
    assert isinstance(released, Release)
    assert released.claims == {"email", "email_verified"}
    assert released.id_token_claims == {"email"}


def test_offline_access_needs_prompt_consent_or_an_earlier_yes() -> None:
    """OIDC Core section 11."""
    wanted = {"scope": "openid email offline_access"}
    released = step(wanted)
    assert isinstance(released, Release)
    assert released.scope == ("openid", "email")
    asked = step({**wanted, "prompt": "consent"})
    assert isinstance(asked, Ask)
    assert asked.asking.is_offline
    allowed = replace(CONSENT, scopes=CONSENT.scopes | {"offline_access"})
    kept = step(wanted, consent=allowed)
    assert isinstance(kept, Release)
    assert "offline_access" in kept.scope


def test_every_prompt_is_a_known_one() -> None:
    assert {prompt.value for prompt in Prompt} == {
        "none",
        "login",
        "consent",
        "create",
        "select_account",
    }
