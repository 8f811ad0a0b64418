"""Read a client's own JWT: it says of itself what a row would say, so that it needs none."""

from datetime import UTC, datetime
from uuid import UUID

from citizen_account.domain.clients import Client, ClientId
from citizen_account.domain.grants import (
    GrantId,
    PresentedToken,
    StoredToken,
    TokenKind,
    own_grant,
)
from citizen_account.domain.keys import KeyUse
from citizen_account.openid.access_token import ACCESS_TOKEN_TYPE
from citizen_account.openid.provider import Provider
from citizen_account.openid.sender import Confirmation
from citizen_account.security.signing import BadTokenError, Claims, read_header, verify
from citizen_account.security.tokens import digest


def read_self_contained(provider: Provider, text: str) -> PresentedToken | None:
    """Return what the token says of itself, as if it had a row; None for whatever else comes.

    Whether it was revoked is not written in it: who asks has looked for its row before.
    """
    try:
        # RFC 8725 section 3.11: an access token says that it is one.
        if read_header(text).get("typ") != ACCESS_TOKEN_TYPE:
            return None
        # A retired key is published as long as what it has signed lives; a revoked one no longer.
        claims = verify(text, provider.keys.published[KeyUse.ACCESS])
        return _rebuild(provider.issuer, claims, digest(text))
    except (BadTokenError, ValueError, OverflowError, OSError):
        return None


def has_ended_with(owner: Client, presented: PresentedToken) -> bool:
    """Say whether the token ended with its client, or with all that its client was granted.

    For those without a row, and for one that was issued while another process shut the client out.
    """
    issued_at, ended_at = presented.token.issued_at, owner.grants_ended_at
    if owner.is_disabled or ended_at is None:
        return owner.is_disabled
    # `iat` is in whole seconds, the past one: of one issued in that very second nothing is left.
    return issued_at < ended_at or (presented.is_self_contained and issued_at == ended_at)


def _rebuild(issuer: str, claims: Claims, found: bytes) -> PresentedToken | None:
    match claims:
        case {
            "iss": str() as signed_by,
            "aud": str() as resource,
            "sub": str() as subject,
            "client_id": str() as client_id,
            "iat": int() as issued,
            "exp": int() as expires,
            "jti": str() as jti,
            "scope": str() as scope,
        } if signed_by == issuer and subject == client_id:
            # RFC 9068 section 5: no client's id is a resident's `sub`. Hers is not read here: it
            # has a row, and once that is gone so is all that she allowed. Nor is its `jti` a UUID.
            grant_id = GrantId(UUID(jti))
            issued_at = datetime.fromtimestamp(issued, UTC)
            grant = own_grant(
                grant_id, ClientId(client_id), scope, issued_at, resources=(resource,)
            )
            token = StoredToken(
                found,
                grant_id,
                TokenKind.ACCESS,
                scope,
                issued_at,
                datetime.fromtimestamp(expires, UTC),
                resource=resource,
                confirmation=_confirmation(claims),
            )
            return PresentedToken(token, grant, is_self_contained=True)
        case _:
            return None


def _confirmation(claims: Claims) -> Confirmation | None:
    """Return the sender that it is bound to. Raises: ValueError."""
    if "cnf" not in claims:
        return None
    match claims["cnf"]:
        case dict() as members if members and all(isinstance(v, str) for v in members.values()):
            return {str(name): str(value) for name, value in members.items()}
        case _:
            # A binding that cannot be read must not become a token for any bearer.
            raise ValueError
