"""Describe how a service registers itself, and what an administrator decides about it."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from citizen_account.domain.accounts import AccountId
from citizen_account.domain.clients import ClientId
from citizen_account.domain.throttling import Rule

# Without an initial access token anybody can ask. A conformance run registers two clients a test.
REGISTRATION_RULE = Rule("client registration", 600, timedelta(hours=1))
# A queue that nobody could ever read is closed until it is read.
LONGEST_QUEUE = 1000
PENDING_LIFETIME = timedelta(days=90)
MAXIMUM_REASON = 500


class RegistrationMode(StrEnum):
    """Who may register a client without an operator (RFC 7591 section 3)."""

    CLOSED = "closed"
    TOKEN = "token"  # noqa: S105  # a mode, no secret
    QUEUE = "queue"
    OPEN = "open"


@dataclass(frozen=True, slots=True)
class RegistrationPolicy:
    mode: RegistrationMode = RegistrationMode.CLOSED
    requires_pkce: bool = True
    """False exempts confidential clients of the profile `standard`."""


@dataclass(frozen=True, slots=True)
class ClientRegistration:
    """What we keep of a client's own registration beside its metadata."""

    client_id: ClientId
    token_digest: bytes
    """Of the registration access token (RFC 7592)."""
    initial_token_id: UUID | None
    """The initial access token by which it came; None where it brought none."""
    asked_at: datetime
    """When it registered, or changed so much that it must be looked at again."""
    decided_at: datetime | None = None
    decided_by: AccountId | None = None
    reason: str = ""
    """What the administrator wrote to the client's team."""


@dataclass(frozen=True, slots=True)
class InitialToken:
    """A right to register clients without waiting (RFC 7591 section 1.2)."""

    id: UUID
    digest: bytes
    uses_left: int
    created_at: datetime
    expires_at: datetime
