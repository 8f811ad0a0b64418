"""Describe how one service is told that a resident is signed out, as the delivery log shows it."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import assert_never
from uuid import UUID, uuid5

from citizen_account.domain.accounts import AccountId, SessionId
from citizen_account.domain.clients import ClientId
from citizen_account.domain.errands import GIVE_UP


class DeliveryState(StrEnum):
    PENDING = "pending"
    DELIVERED = "delivered"
    UNDELIVERABLE = "undeliverable"
    """Trying again is useless until a person has looked."""


class Progress(StrEnum):
    """What a person is told of a delivery."""

    TOLD = "told"
    NOT_YET = "not_yet"
    FAILED = "failed"


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


def progress_of(delivery: LogoutDelivery, now: datetime) -> Progress:
    """Say how far it came: what is not tried by itself any more has failed."""
    match delivery.state:
        case DeliveryState.DELIVERED:
            return Progress.TOLD
        case DeliveryState.UNDELIVERABLE:
            return Progress.FAILED
        case DeliveryState.PENDING:
            is_given_up = now - delivery.created_at > GIVE_UP
            return Progress.FAILED if is_given_up else Progress.NOT_YET
        case unexpected:
            assert_never(unexpected)


def delivery_id(cause: UUID, client_id: ClientId, session_id: SessionId | None) -> UUID:
    """Return the same id however often the cause is looked at."""
    return uuid5(cause, f"{client_id} {session_id}")
