"""Make authorization requests, and visits of browsers, without a database or a server."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from citizen_account.domain.accounts import AccountId, Level, Session, SessionId
from citizen_account.domain.clients import (
    AuthenticationMethod,
    Client,
    ClientId,
    ClientProfile,
    GrantType,
    SubjectType,
)
from citizen_account.domain.consents import Consent, ConsentId, LegalBasis
from citizen_account.openid.authorization import (
    AuthorizationRequest,
    RefusedToClient,
    read_authorization_request,
)
from citizen_account.openid.interaction import (
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
