"""Describe what must happen later, and when it is tried again."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

MAIL = "mail"

_FIRST_RETRIES = (
    timedelta(seconds=5),
    timedelta(seconds=30),
    timedelta(minutes=2),
    timedelta(minutes=10),
    timedelta(hours=1),
    timedelta(hours=4),
)
_LATER_RETRIES = timedelta(hours=12)
GIVE_UP = timedelta(hours=75)
_GIVE_UP_ON_MAIL = timedelta(hours=24)


class Delivery(StrEnum):
    PENDING = "pending"
    SENDING = "sending"
    DONE = "done"
    PARKED = "parked"
    SUPERSEDED = "superseded"


@dataclass(frozen=True, slots=True)
class Errand:
    """A row of the outbox. Handlers are idempotent: an errand may be run more than once."""

    id: UUID
    kind: str
    """An event's code, `mail`, or a job's name."""
    facts: Mapping[str, str]
    payload: bytes | None
    """Sealed; opened by `Outbox.payload_of`."""
    attempts: int
    """How often it was tried, this time included."""
    created_at: datetime


@dataclass(frozen=True, slots=True)
class ParkedErrand:
    """An errand that waits for a person."""

    id: UUID
    kind: str
    facts: Mapping[str, str]
    attempts: int
    created_at: datetime
    reason: str


@dataclass(frozen=True, slots=True)
class Mail:
    """A message to be rendered from `templates/email/<name>/` in the reader's language."""

    to: str
    language: str
    name: str
    facts: Mapping[str, str]


def next_try(errand: Errand, now: datetime) -> datetime | None:
    """Return when to try again, or None: then it is parked for a person."""
    limit = _GIVE_UP_ON_MAIL if errand.kind == MAIL else GIVE_UP
    tries = min(errand.attempts, len(_FIRST_RETRIES) + 1)
    wait = _LATER_RETRIES if tries > len(_FIRST_RETRIES) else _FIRST_RETRIES[tries - 1]
    due = now + wait
    return due if due - errand.created_at <= limit else None
