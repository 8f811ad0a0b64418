"""Say how a call to a connector ended, in words that a page or a job can act on."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Generic, TypeVar

from citizen_account.connector_sdk.models import Text

T = TypeVar("T")


class Reason(StrEnum):
    UNAVAILABLE = "unavailable"
    RATE_LIMITED = "rate_limited"
    OUTCOME_UNKNOWN = "outcome_unknown"
    REFUSED = "refused"
    NEEDS_RELINK = "needs_relink"
    GONE = "gone"
    MISCONFIGURED = "misconfigured"
    BROKEN = "broken"
    """A bug of the connector, or an answer that is not what its types promise."""
    FOREIGN_RECORD = "foreign_record"
    """A record of somebody else was in the answer: all of it was dropped."""
    PAUSED = "paused"
    """It failed before and was not called."""
    NOT_OFFERED = "not_offered"
    """No such connector, switched off, or without this capability."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """The source's no, as the resident reads it."""

    why: str
    text: Text
    fields: Mapping[str, Text]


@dataclass(frozen=True, slots=True)
class Fetched(Generic[T]):
    answer: T


@dataclass(frozen=True, slots=True)
class Failed:
    reason: Reason
    since: datetime | None = None
    """When the trouble began; None for what is no trouble of the source."""
    retry_after: float | None = None
    """Seconds after which a try makes sense, where that is known."""
    refusal: Refusal | None = None

    @property
    def may_pass(self) -> bool:
        """Tell whether trying later can help without anybody's doing."""
        return self.reason in {
            Reason.UNAVAILABLE,
            Reason.RATE_LIMITED,
            Reason.OUTCOME_UNKNOWN,
            Reason.BROKEN,
            Reason.PAUSED,
            Reason.MISCONFIGURED,
        }


Outcome = Fetched[T] | Failed
