"""Describe the resource servers: the APIs that access tokens are made for (RFC 8707)."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from citizen_account.domain.accounts import Level
from citizen_account.domain.clients import ClientId
from citizen_account.domain.texts import LocalText


class TokenFormat(StrEnum):
    OPAQUE = "opaque"
    """A handle: the resource server asks us what it is worth (RFC 7662)."""
    JWT = "jwt"
    """A signed statement that the resource server reads by itself (RFC 9068)."""


@dataclass(frozen=True, slots=True)
class ResourceServer:
    """One API, and what its tokens look like."""

    id: str
    """An absolute URI, to the letter: the `resource` of a request and the `aud` of a token."""
    name: LocalText
    client_id: ClientId | None
    """The client by whose credentials it introspects; None: it reads its tokens by itself."""
    scopes: frozenset[str]
    """What it understands: a token for it holds no other."""
    token_format: TokenFormat
    signing_algorithm: str
    token_lifetime: timedelta
    required_level: Level | None
    """The least sign-in that it accepts (RFC 9470)."""
    max_age: timedelta | None
    """The oldest sign-in that it accepts, counted when the resident allows the access."""
    is_disabled: bool
    created_at: datetime
