"""Describe what links a resident to her business at a city service, and what is known of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import NewType
from uuid import UUID

from citizen_account.domain.accounts import AccountId

ConnectionId = NewType("ConnectionId", UUID)

# While nothing is wrong, and after a failure.
REFRESH_EVERY = timedelta(minutes=15)
RETRY_AFTER = timedelta(minutes=2)
RETRY_AT_MOST = timedelta(hours=4)


class ConnectionState(StrEnum):
    LINKED = "linked"
    CHECKING = "checking"
    """The service did not answer in time: a job goes on asking."""
    NEEDS_RELINK = "needs_relink"


@dataclass(frozen=True, slots=True)
class Connection:
    """A resident's link to one connector. `subject` is how the connector knows her."""

    id: ConnectionId
    account_id: AccountId
    connector_id: str
    subject: str
    """16 characters of base32, pairwise."""
    label: Mapping[str, str]
    """How the service calls it, by language; empty when it does not say."""
    agreed: frozenset[str]
    """The purposes based on consent that she agreed to."""
    text_digest: str
    text_language: str
    state: ConnectionState
    linked_at: datetime


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What a connector last said for one capability; `payload` is JSON of SDK dataclasses."""

    connection_id: ConnectionId
    capability: str
    payload: bytes | None
    """None while the service has never answered."""
    as_of: datetime | None
    failing_since: datetime | None
    failure: str
    """The SDK's error code of the last attempt; empty when it went well."""
    attempts: int
    due_at: datetime

    @property
    def is_stale(self) -> bool:
        return self.failing_since is not None


def next_refresh(snapshot: Snapshot | None, now: datetime, *, has_failed: bool) -> datetime:
    """Return when to ask again: soon after a failure, then ever more rarely."""
    if not has_failed:
        return now + REFRESH_EVERY
    attempts = 0 if snapshot is None else snapshot.attempts
    doublings: int = 2 ** min(attempts, 10)
    return now + min(RETRY_AFTER * doublings, RETRY_AT_MOST)
