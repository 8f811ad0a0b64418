"""Describe what one authorization gave a client: the root of its code and of all its tokens."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NewType
from uuid import UUID

from citizen_account.domain.accounts import AccountId, Level, SessionId
from citizen_account.domain.clients import ClientId
from citizen_account.domain.consents import ConsentId

GrantId = NewType("GrantId", UUID)


class GrantEnd(StrEnum):
    CODE_REPLAYED = "code_replayed"
    REFRESH_REUSED = "refresh_reused"
    REVOKED = "revoked"
    CONSENT_WITHDRAWN = "consent_withdrawn"
    SIGNED_OUT = "signed_out"
    CLIENT_DISABLED = "client_disabled"
    ACCOUNT_CLOSED = "account_closed"


class TokenKind(StrEnum):
    ACCESS = "access"
    REFRESH = "refresh"


@dataclass(frozen=True, slots=True)
class Grant:
    """One authorization: by a resident with a session, or by the client for itself.

    `account_id`, `session_id`, `consent_id`, `authenticated_at` and `level` are None for
    client_credentials.
    """

    id: GrantId
    client_id: ClientId
    account_id: AccountId | None
    session_id: SessionId | None
    consent_id: ConsentId | None
    scope: str
    claims: frozenset[str]
    """The claims that userinfo may release under this grant."""
    nonce: str | None
    authenticated_at: datetime | None
    methods: tuple[str, ...]
    level: Level | None
    is_offline: bool
    """Granted `offline_access`: outlives the session (OIDC Core section 11)."""
    created_at: datetime
    id_token_claims: frozenset[str] = frozenset()
    """Those of `claims` that the claims parameter asked for in the ID token (section 5.5)."""
    session_ends_at: datetime | None = None
    """The session's absolute end: refreshing ends with it, unless `is_offline`."""
    resources: tuple[str, ...] = ()
    """The resource servers that its access tokens may be for (RFC 8707)."""
    confirmation: Mapping[str, str] | None = None
    """The sender to whom the code is bound (RFC 9449 section 10); None: to any of the client's."""
    ended_at: datetime | None = None
    ended_by: GrantEnd | None = None


def own_grant(
    grant_id: GrantId,
    client_id: ClientId,
    scope: str,
    now: datetime,
    *,
    resources: tuple[str, ...],
) -> Grant:
    """Return what a client has for itself: no resident and no session have a part in it."""
    return Grant(
        id=grant_id,
        client_id=client_id,
        account_id=None,
        session_id=None,
        consent_id=None,
        scope=scope,
        claims=frozenset(),
        nonce=None,
        authenticated_at=None,
        methods=(),
        level=None,
        is_offline=False,
        created_at=now,
        resources=resources,
    )


@dataclass(frozen=True, slots=True)
class StoredCode:
    """An authorization code as it was issued, with its grant."""

    digest: bytes
    grant: Grant
    redirect_uri: str
    code_challenge: str | None
    expires_at: datetime
    used_at: datetime | None


@dataclass(frozen=True, slots=True)
class StoredToken:
    """A token as it was issued; `used_at` marks a refresh token that was exchanged."""

    digest: bytes
    grant_id: GrantId
    kind: TokenKind
    scope: str
    issued_at: datetime
    expires_at: datetime
    used_at: datetime | None = None
    resource: str | None = None
    """The one resource server that an access token is for; None: ourselves."""
    confirmation: Mapping[str, str] | None = None
    """The sender to whom it is bound, as `cnf` of RFC 7800; None: whoever bears it."""


@dataclass(frozen=True, slots=True)
class PresentedToken:
    """A token that somebody brought, with the grant it belongs to."""

    token: StoredToken
    grant: Grant
    is_self_contained: bool = False
    """Read from the token itself: no row was written when it was issued."""

    def is_alive(self, now: datetime) -> bool:
        return (
            self.token.used_at is None
            and self.token.expires_at > now
            and self.grant.ended_at is None
        )
