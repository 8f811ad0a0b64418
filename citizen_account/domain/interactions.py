"""Describe what a browser has begun at an endpoint of the provider and not yet finished."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import NewType
from uuid import UUID

from citizen_account.domain.accounts import SessionId
from citizen_account.domain.clients import ClientId

InteractionId = NewType("InteractionId", UUID)
INTERACTION_LIFETIME = timedelta(minutes=60)


class InteractionKind(StrEnum):
    AUTHORIZATION = "authorization"
    LOGOUT = "logout"


@dataclass(frozen=True, slots=True)
class Interaction:
    """A pending request. Only the browser that holds the secret of the digest may go on with it."""

    id: InteractionId
    kind: InteractionKind
    client_id: ClientId | None
    """None for a logout that no service asked for."""
    parameters: tuple[tuple[str, str], ...]
    """The request as it came; sealed at rest, since a hint may hold an address."""
    browser_digest: bytes | None
    """None until its first visit: a form that another site sent brings no cookies."""
    first_session: SessionId | None
    """The session that the browser brought at the start."""
    created_at: datetime
    expires_at: datetime
    decided_at: datetime | None
    pushed: bytes | None = None
    """The digest of the request URI by which it came (RFC 9126)."""

    def parameter(self, name: str) -> str:
        return next((value for field, value in self.parameters if field == name), "")
