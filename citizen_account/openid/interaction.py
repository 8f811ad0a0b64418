"""Decide what an authorization request needs next: a sign-in, an answer, or nothing more."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from authlib.oauth2 import OAuth2Error
from authlib.oauth2.rfc6749.errors import AccessDeniedError, InvalidRequestError
from authlib.oidc.core.errors import (
    ConsentRequiredError,
    InteractionRequiredError,
    LoginRequiredError,
)

from citizen_account.domain.accounts import Level, Session, SessionId
from citizen_account.domain.asking import Asking, plan, request_of
from citizen_account.domain.clients import Client
from citizen_account.domain.consents import Consent, Request, is_decided
from citizen_account.openid.authorization import AuthorizationRequest, Prompt, RefusedToClient

_ORDER = list(Level)


class UnmetRequirementsError(OAuth2Error):
    """OpenID Connect Core Error Code unmet_authentication_requirements 1.0."""

    error = "unmet_authentication_requirements"
    description = "The sign-in does not reach the required level."


class UnreadableHintError(InvalidRequestError):
    """OIDC Core section 3.1.2.1: the hint is no ID token that we gave to this client."""

    description = "The id_token_hint is not one of ours for this client."


@dataclass(frozen=True, slots=True)
class Visit:
    """What we know of the browser that brings the request."""

    session: Session | None
    subject: str | None
    """The resident's `sub` at this client."""
    hinted_subject: str | None
    """The `sub` of a proven id_token_hint."""
    consent: Consent | None
    started_at: datetime
    first_session: SessionId | None
    """The session that the browser brought at the start."""
    was_asked: bool = False
    """The resident has just answered this very request."""


@dataclass(frozen=True, slots=True)
class SignIn:
    """Send her to the sign-in page."""


@dataclass(frozen=True, slots=True)
class Register:
    """Send her to the page that creates an account."""


@dataclass(frozen=True, slots=True)
class Ask:
    """Ask what the service may receive."""

    asking: Asking


@dataclass(frozen=True, slots=True)
class Release:
    """Give a code: all is decided."""

    session: Session
    consent: Consent
    scope: tuple[str, ...]
    claims: frozenset[str]
    id_token_claims: frozenset[str]
    level: Level


class Why(StrEnum):
    """Why a resident must sign in although she has (RFC 9470)."""

    LEVEL = "level"
    """The service needs to know more surely who she is."""
    AGE = "age"
    """Her sign-in was too long ago for it."""
    WISH = "wish"
    """It asks for a sign-in of its own."""


Step = SignIn | Register | Ask | Release | RefusedToClient


def decide_step(request: AuthorizationRequest, client: Client, visit: Visit, now: datetime) -> Step:
    is_silent = Prompt.NONE in request.prompts
    session = visit.session
    if session is None or _must_sign_in(request, visit, session, now):
        return _sign_in(request, is_silent=is_silent)
    try:
        _require_subject(request, visit)
        _require_level(request, session)
    except (LoginRequiredError, UnmetRequirementsError) as error:
        return _another_sign_in(request, visit, session, error)
    if _may_step_up(request, visit, session):
        return SignIn()
    scope = _granted_scope(request, visit.consent)
    asked = request_of(client, scope, request.claims.names)
    if _must_ask(request, visit, asked):
        if is_silent:
            return RefusedToClient(request.target, ConsentRequiredError())
        in_full = Prompt.CONSENT in request.prompts
        return Ask(plan(client, asked, visit.consent, in_full=in_full))
    return _release(request, session, visit.consent, scope, asked)


def refuse_denied(request: AuthorizationRequest) -> RefusedToClient:
    """Word the resident's no (RFC 6749 section 4.1.2.1)."""
    return RefusedToClient(request.target, AccessDeniedError("The resident did not allow it."))


def refuse_ended(request: AuthorizationRequest) -> RefusedToClient:
    """Word it when the session or the consent ended while the request was being answered."""
    return RefusedToClient(request.target, InteractionRequiredError("The sign-in has ended."))


def is_fresh(visit: Visit, session: Session) -> bool:
    """Say whether she signed in for this request: one sign-in answers every wish for a new one."""
    if session.authenticated_at == visit.started_at:
        return session.id != visit.first_session
    return session.authenticated_at > visit.started_at


def why_again(request: AuthorizationRequest, session: Session) -> Why:
    """Say why she who has signed in is asked to do it once more."""
    wanted = request.claims.essential_levels or frozenset(request.levels)
    if wanted and not _reaches(session.level, wanted):
        return Why.LEVEL
    return Why.AGE if request.max_age is not None else Why.WISH


def reached_level(request: AuthorizationRequest, session: Session) -> Level:
    """Return the `acr` to report: of the levels asked for, the highest that the sign-in reached."""
    asked = request.claims.essential_levels or frozenset(request.levels)
    reached = [level for level in asked if _reaches(session.level, {level})]
    return max(reached, key=_ORDER.index, default=session.level)


def _must_sign_in(
    request: AuthorizationRequest, visit: Visit, session: Session, now: datetime
) -> bool:
    if is_fresh(visit, session):
        return False
    # OIDC Core section 3.1.2.1: login asks again, select_account lets her choose another.
    if request.prompts & {Prompt.LOGIN, Prompt.SELECT_ACCOUNT, Prompt.CREATE}:
        return True
    # The same section: max_age=0 is prompt=login in other words.
    age = (now - session.authenticated_at).total_seconds()
    return request.max_age is not None and (request.max_age == 0 or age > request.max_age)


def _sign_in(request: AuthorizationRequest, *, is_silent: bool) -> Step:
    if is_silent:
        return RefusedToClient(request.target, LoginRequiredError())
    return Register() if Prompt.CREATE in request.prompts else SignIn()


def _another_sign_in(
    request: AuthorizationRequest, visit: Visit, session: Session, error: OAuth2Error
) -> Step:
    if Prompt.NONE in request.prompts:
        # OIDC Core section 3.1.2.6: a higher level could be reached, only not in silence.
        is_level = isinstance(error, UnmetRequirementsError)
        return RefusedToClient(request.target, InteractionRequiredError() if is_level else error)
    # She was asked already and came back as before: to ask for ever would be a trap.
    return RefusedToClient(request.target, error) if is_fresh(visit, session) else SignIn()


def _require_subject(request: AuthorizationRequest, visit: Visit) -> None:
    # OIDC Core sections 3.1.2.1 and 5.5.1: the answer must be about the resident that was meant.
    wanted = {visit.hinted_subject, request.claims.subject} - {None}
    if wanted - {visit.subject}:
        raise LoginRequiredError


def _require_level(request: AuthorizationRequest, session: Session) -> None:
    # OIDC Core section 5.5.1.1: an essential acr that is not reached is a failed sign-in.
    needed = request.claims.essential_levels
    if needed and not _reaches(session.level, needed):
        raise UnmetRequirementsError


def _reaches(level: Level, any_of: Collection[Level]) -> bool:
    return any(_ORDER.index(level) >= _ORDER.index(wanted) for wanted in any_of)


def _may_step_up(request: AuthorizationRequest, visit: Visit, session: Session) -> bool:
    # RFC 9470 section 5: try to reach one of acr_values. Once: it is a wish, and the answer tells
    # what was reached.
    is_wished = bool(request.levels) and not _reaches(session.level, request.levels)
    return is_wished and Prompt.NONE not in request.prompts and not is_fresh(visit, session)


def _granted_scope(request: AuthorizationRequest, consent: Consent | None) -> tuple[str, ...]:
    # OIDC Core section 11: without prompt=consent offline_access is ignored, unless the resident
    # has allowed it before.
    is_allowed = consent is not None and "offline_access" in consent.scopes
    if Prompt.CONSENT in request.prompts or is_allowed:
        return request.scope
    return tuple(name for name in request.scope if name != "offline_access")


def _must_ask(request: AuthorizationRequest, visit: Visit, asked: Request) -> bool:
    if visit.was_asked:
        return False
    return Prompt.CONSENT in request.prompts or not is_decided(asked, visit.consent)


def _release(
    request: AuthorizationRequest,
    session: Session,
    consent: Consent | None,
    scope: tuple[str, ...],
    asked: Request,
) -> Step:
    if consent is None or not is_decided(asked, consent):
        # The client's purposes grew between question and answer: nobody allowed that.
        return RefusedToClient(request.target, ConsentRequiredError())
    claims = asked.claims & consent.claims
    return Release(
        session=session,
        consent=consent,
        scope=scope,
        claims=claims,
        id_token_claims=claims & request.claims.id_token,
        level=reached_level(request, session),
    )
