"""Decide what becomes tokens: a code, a refresh token, a client's own wish (RFC 6749, RFC 7636)."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from hmac import compare_digest

from authlib.oauth2 import OAuth2Error
from authlib.oauth2.rfc6749.errors import (
    InvalidGrantError,
    InvalidScopeError,
    UnauthorizedClientError,
)
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from authlib.oauth2.rfc7636.challenge import CODE_VERIFIER_PATTERN

from citizen_account.domain.claims import SCOPES
from citizen_account.domain.clients import AuthenticationMethod, Client, GrantType
from citizen_account.domain.grants import PresentedToken, StoredCode, TokenKind
from citizen_account.openid.requests import ClientRequest, CodeRequest, RefreshRequest
from citizen_account.openid.responses import Refused
from citizen_account.openid.sender import (
    NOBODY,
    Confirmation,
    is_sender_constrained,
    require_refresher,
    require_same_sender,
)

# RFC 9700 section 4.5.3.2 and FAPI 2.0 section 5.3.2.1 clause 11.
CODE_LIFETIME = timedelta(seconds=60)
ACCESS_TOKEN_LIFETIME = timedelta(minutes=10)
REFRESH_TOKEN_LIFETIME = timedelta(days=30)
OPENID = "openid"


@dataclass(frozen=True, slots=True)
class TokensToIssue:
    """Promise tokens, on the condition that nobody uses the code first."""

    code: StoredCode
    with_refresh_token: bool


@dataclass(frozen=True, slots=True)
class Replayed:
    """Refuse, and end all that the first use of this code gave."""

    code: StoredCode


@dataclass(frozen=True, slots=True)
class TokensToRotate:
    """Promise new tokens, on the condition that nobody uses the refresh token first."""

    presented: PresentedToken
    scope: str
    """Of the access token; the refresh token keeps all that it stood for."""


@dataclass(frozen=True, slots=True)
class TokensToRenew:
    """Promise an access token; the refresh token stays good, as it is worth nothing to a thief."""

    presented: PresentedToken
    scope: str


@dataclass(frozen=True, slots=True)
class Reused:
    """Refuse, and end the family: one of its holders is a thief (RFC 9700 section 4.14.2)."""

    presented: PresentedToken


@dataclass(frozen=True, slots=True)
class TokenForClient:
    scope: str


def decide_redemption(
    request: CodeRequest,
    client: Client,
    code: StoredCode | None,
    *,
    sender: Confirmation = NOBODY,
    now: datetime,
) -> TokensToIssue | Replayed | Refused:
    try:
        _require_grant_type(client, GrantType.AUTHORIZATION_CODE)
        code = _code_of(client, code)
        # RFC 6749 section 4.1.2: a code used twice MUST be denied and its tokens SHOULD end.
        if code.used_at is not None:
            return Replayed(code)
        _require_alive(code, now)
        _require_same_redirect(request, code)
        _require_verifier(request.code_verifier, code.code_challenge)
        require_same_sender(code.grant.confirmation, sender)
    except OAuth2Error as error:
        return Refused(error)
    return TokensToIssue(code, with_refresh_token=GrantType.REFRESH_TOKEN in client.grant_types)


def decide_refresh(
    request: RefreshRequest,
    client: Client,
    presented: PresentedToken | None,
    *,
    sender: Confirmation = NOBODY,
    now: datetime,
) -> TokensToRotate | TokensToRenew | Reused | Refused:
    try:
        _require_grant_type(client, GrantType.REFRESH_TOKEN)
        presented = _refresh_token_of(client, presented)
        if presented.token.used_at is not None:
            return Reused(presented)
        if not presented.is_alive(now):
            raise _unusable_token()
        require_refresher(client, presented.token.confirmation, sender)
        scope = _narrowed(request.scope, presented.token.scope)
    except OAuth2Error as error:
        return Refused(error)
    if keeps_refresh_token(client, presented):
        return TokensToRenew(presented, scope)
    return TokensToRotate(presented, scope)


def keeps_refresh_token(client: Client, presented: PresentedToken) -> bool:
    """Say whether a refresh token is good again and again, as only its owner can use it."""
    # RFC 9700 section 4.14.2: a public client's must be rotated or bound; ours are rotated.
    if client.authentication_method is AuthenticationMethod.NONE:
        return False
    # FAPI 2.0 section 5.3.2.1 clause 9: no rotation, as a lost answer would end the access.
    return is_sender_constrained(client) or presented.token.confirmation is not None


def decide_for_client(request: ClientRequest, client: Client) -> TokenForClient | Refused:
    try:
        _require_grant_type(client, GrantType.CLIENT_CREDENTIALS)
        # RFC 6749 section 4.4: confidential clients only.
        if client.authentication_method is AuthenticationMethod.NONE:
            raise UnauthorizedClientError("A public client has nothing of its own.")
        # There is no resident, so nothing that speaks of one can be given.
        own = client.scopes - frozenset(SCOPES)
        asked = own if request.scope is None else request.scope
        if not asked <= own:
            raise InvalidScopeError("The client may not ask for this scope for itself.")
    except OAuth2Error as error:
        return Refused(error)
    return TokenForClient(" ".join(sorted(asked)))


def refuse_replay() -> Refused:
    """Word a replay like an unknown code: a thief learns nothing from the difference."""
    return Refused(_unusable_code())


def refuse_reuse() -> Refused:
    """Word a reused refresh token like an unknown one."""
    return Refused(_unusable_token())


def _require_grant_type(client: Client, grant_type: GrantType) -> None:
    # RFC 6749 section 5.2, unauthorized_client.
    if grant_type not in client.grant_types:
        raise UnauthorizedClientError("The client is not registered for this grant type.")


def _code_of(client: Client, code: StoredCode | None) -> StoredCode:
    # RFC 6749 section 4.1.3: the code was issued to the client that redeems it. Another client's
    # code is not a replay, or any client could end the tokens of any other.
    if code is None or code.grant.client_id != client.id:
        raise _unusable_code()
    return code


def _refresh_token_of(client: Client, presented: PresentedToken | None) -> PresentedToken:
    # RFC 6749 section 6: the refresh token is bound to the client to which it was issued.
    if presented is None or presented.grant.client_id != client.id:
        raise _unusable_token()
    if presented.token.kind is not TokenKind.REFRESH:
        raise _unusable_token()
    return presented


def _require_alive(code: StoredCode, now: datetime) -> None:
    # RFC 6749 section 5.2: an expired or revoked grant is invalid_grant.
    if code.expires_at <= now or code.grant.ended_at is not None:
        raise _unusable_code()


def _require_same_redirect(request: CodeRequest, code: StoredCode) -> None:
    # RFC 6749 section 4.1.3: the redirect URI must equal the one of the request.
    if request.redirect_uri != code.redirect_uri:
        raise InvalidGrantError("The redirect_uri is not the one of the request.")


def _require_verifier(verifier: str | None, challenge: str | None) -> None:
    if challenge is None:
        # RFC 9700 section 4.8.2: a verifier without a challenge betrays a PKCE downgrade.
        if verifier is not None:
            raise InvalidGrantError("The request had no code_challenge.")
        return
    # RFC 7636 section 4.1: 43 to 128 unreserved characters. fullmatch, as Authlib's $ lets a
    # newline through.
    if verifier is None or not CODE_VERIFIER_PATTERN.fullmatch(verifier):
        raise InvalidGrantError("The code_verifier is missing or malformed.")
    # RFC 7636 section 4.6; S256 alone: RFC 9700 section 2.1.1 discourages plain.
    expected: str = create_s256_code_challenge(verifier)  # type: ignore[no-untyped-call]  # stubs
    if not compare_digest(expected, challenge):
        raise InvalidGrantError("The code_verifier does not match.")


def _narrowed(asked: frozenset[str] | None, granted: str) -> str:
    if asked is None:
        return granted
    # RFC 6749 section 6: nothing that was not granted before.
    scopes = granted.split()
    if not asked <= frozenset(scopes):
        raise InvalidScopeError("The scope is wider than what was granted.")
    return " ".join(scope for scope in scopes if scope in asked)


def _unusable_code() -> InvalidGrantError:
    return InvalidGrantError("The code is unknown, used, expired or not yours.")


def _unusable_token() -> InvalidGrantError:
    return InvalidGrantError("The refresh token is unknown, used, expired or not yours.")
