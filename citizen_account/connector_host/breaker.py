"""Decide when a failing source is left alone. Pure: the row that it decides on is shared.

The state lives in the database, not in memory: a source that fails for one worker is spared by
all of them, an administrator sees it from any process, and a restart forgets nothing.
"""

from dataclasses import replace
from datetime import datetime, timedelta

from citizen_account.connector_sdk.errors import (
    ConnectorError,
    Misconfigured,
    OutcomeUnknown,
    RateLimited,
    Unavailable,
)
from citizen_account.connector_sdk.models import Condition, HealthReport
from citizen_account.domain.connectors import ConnectorHealth, Gate

FAILURES_UNTIL_OPEN = 3
PAUSE = timedelta(seconds=30)
LONGEST_PAUSE = timedelta(minutes=15)
# A trial that is under way keeps the others waiting this long.
TRIAL = timedelta(seconds=30)


def is_admitted(health: ConnectorHealth, now: datetime) -> bool:
    """Tell whether a call may pass; once a pause is over, the next call is the trial."""
    return health.open_until is None or health.open_until <= now


def with_trial(health: ConnectorHealth, now: datetime) -> ConnectorHealth:
    """Let one call pass and keep the others waiting for its outcome."""
    return replace(health, open_until=now + TRIAL)


def after_success(health: ConnectorHealth) -> ConnectorHealth:
    return replace(health, gate=Gate.CLOSED, failures=0, since=None, open_until=None, reason="")


def after_failure(
    health: ConnectorHealth, error: ConnectorError | None, reason: str, now: datetime
) -> ConnectorHealth:
    """Return the state after an error; None stands for a bug of the connector."""
    match error:
        case RateLimited(retry_after=seconds):
            # No fault of anybody's: it does not count.
            return replace(
                health, gate=Gate.RATE_LIMITED, open_until=now + timedelta(seconds=seconds)
            )
        case Misconfigured():
            return _paused(health, Gate.MISCONFIGURED, reason, now)
        case Unavailable() | OutcomeUnknown() | None:
            return _paused(health, Gate.OPEN, reason, now)
        case _:
            # The source answered, so it is there.
            return after_success(health)


def with_report(health: ConnectorHealth, report: HealthReport, now: datetime) -> ConnectorHealth:
    """Keep what a check found. Nothing working counts as a failure, everything as a success."""
    conditions = {name: each.condition.value for name, each in report.capabilities.items()}
    found = replace(health, checked_at=now, report=conditions)
    worst = report.condition
    if worst is Condition.OK:
        return after_success(found)
    if worst is Condition.DEGRADED or Condition.OK in conditions.values():
        return found
    gate = Gate.MISCONFIGURED if worst is Condition.MISCONFIGURED else Gate.OPEN
    troubled = [name for name, each in report.capabilities.items() if each.condition is worst]
    return _paused(found, gate, f"{worst.value}: {', '.join(sorted(troubled))}", now)


def _paused(health: ConnectorHealth, gate: Gate, reason: str, now: datetime) -> ConnectorHealth:
    failures = health.failures + 1
    must_pause = gate is Gate.MISCONFIGURED or failures >= FAILURES_UNTIL_OPEN
    return replace(
        health,
        gate=gate if must_pause else Gate.CLOSED,
        failures=failures,
        since=health.since or now,
        open_until=now + _pause(failures) if must_pause else None,
        reason=reason,
    )


def _pause(failures: int) -> timedelta:
    """Double from half a minute to a quarter of an hour."""
    doublings = min(max(failures - FAILURES_UNTIL_OPEN, 0), 10)
    return min(PAUSE * (1 << doublings), LONGEST_PAUSE)
