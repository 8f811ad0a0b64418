"""Describe how one service is told that a resident is signed out, as the delivery log shows it."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID, uuid5

from citizen_account.domain.accounts import AccountId, SessionId
from citizen_account.domain.clients import ClientId


class DeliveryState(StrEnum):
    PENDING = "pending"
    DELIVERED = "delivered"
    UNDELIVERABLE = "undeliverable"
    """Trying again is useless until a person has looked."""


@dataclass(frozen=True, slots=True)
class LogoutDelivery:
    id: UUID
    client_id: ClientId
    account_id: AccountId
    session_id: SessionId | None
    """None: all of the resident's sessions at the service end, as she withdrew her consent."""
    state: DeliveryState
    attempts: int
    last_answer: str
    """The last status, or why there was none; empty before the first attempt."""
    created_at: datetime
    last_tried_at: datetime | None


def delivery_id(cause: UUID, client_id: ClientId, session_id: SessionId | None) -> UUID:
    """Return the same id however often the cause is looked at."""
    return uuid5(cause, f"{client_id} {session_id}")
