"""Remember how a connector fares: the state that all processes share."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import NewType

ConnectorId = NewType("ConnectorId", str)


class Gate(StrEnum):
    """Whether calls pass, and why not."""

    CLOSED = "closed"
    """All is well: calls pass (the word is the electrician's)."""
    OPEN = "open"
    """It failed too often: nothing passes until `open_until`, then one trial."""
    MISCONFIGURED = "misconfigured"
    """An administrator must act; a trial is made now and then."""
    RATE_LIMITED = "rate_limited"
    """The source asked us to wait until `open_until`."""


@dataclass(frozen=True, slots=True)
class ConnectorHealth:
    connector_id: ConnectorId
    gate: Gate = Gate.CLOSED
    failures: int = 0
    """In a row."""
    since: datetime | None = None
    """When the present trouble began; None when there is none."""
    open_until: datetime | None = None
    reason: str = ""
    """For the administrator; no personal data."""
    checked_at: datetime | None = None
    report: Mapping[str, str] = field(default_factory=dict)
    """From a capability to what the last check said: ok, degraded, down, misconfigured."""

    @property
    def is_troubled(self) -> bool:
        return self.since is not None
