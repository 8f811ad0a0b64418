"""Call a connector: in time, again where that is safe, not at all while its source is down.

Whatever comes back is checked for its types and its owner before anybody else sees it.
"""

import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from time import monotonic
from typing import Generic, TypeVar

import stamina

from citizen_account.connector_host.breaker import (
    after_failure,
    after_success,
    is_admitted,
    with_report,
    with_trial,
)
from citizen_account.connector_host.bulkhead import Bulkhead, BusyError
from citizen_account.connector_host.containment import BrokenConnectorError, contained, within
from citizen_account.connector_host.outcomes import Failed, Fetched, Outcome, Reason, Refusal
from citizen_account.connector_host.ownership import PUBLIC, ForeignRecordError, require_own
from citizen_account.connector_host.redaction import redact
from citizen_account.connector_host.registry import Installed, Registry
from citizen_account.connector_sdk.errors import (
    ConnectorError,
    RateLimited,
    Refused,
    Unavailable,
)
from citizen_account.connector_sdk.models import Context, HealthReport
from citizen_account.connector_sdk.protocol import Connector
from citizen_account.connector_sdk.wire import WireError, checked
from citizen_account.domain.connectors import ConnectorHealth, ConnectorId, Gate
from citizen_account.domain.events import ConnectorMisconfigured, ForeignRecordDropped
from citizen_account.domain.transactions import require_no_transaction
from citizen_account.storage.unit_of_work import Clock, Database, UnitOfWork
from citizen_account.telemetry import withholding

T = TypeVar("T")
NOBODY = Context(subject=PUBLIC)
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Patience:
    """How a read is tried again: exponentially, with jitter, within the budget of its call."""

    attempts: int = 3
    initial_seconds: float = 0.2
    jitter_seconds: float = 0.5
    maximum_seconds: float = 3.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Call(Generic[T]):
    """One thing that is asked of a connector."""

    connector_id: str
    capability: str
    shape: type[T] | None
    """What must come back; None for nothing."""
    invoke: Callable[[Connector, Context], Awaitable[T]]
    context: Context = NOBODY
    is_repeatable: bool = True
    """Doing it twice does no harm."""
    budget_seconds: float | None = None
    """For all tries together; by default twice the manifest's timeout."""
    withheld: frozenset[str] = frozenset()
    """What must appear in no log, besides what the context tells."""


class _AgainError(Exception):
    """Ask for another try. Without a text, because retries are logged by others."""

    def __init__(self, cause: Unavailable) -> None:
        super().__init__()
        self.cause = cause


class Runner:
    def __init__(
        self, registry: Registry, database: Database, clock: Clock, patience: Patience | None = None
    ) -> None:
        self._registry = registry
        self._database = database
        self._clock = clock
        self._patience = patience or Patience()
        self._bulkheads = {
            name: Bulkhead(installed.manifest.limits)
            for name, installed in registry.connectors.items()
        }

    async def run(self, call: Call[T]) -> Outcome[T]:
        """Do it, and say how it ended. Raises only for errors of ours."""
        require_no_transaction()
        installed = self._registry.find(call.connector_id)
        if installed is None or installed.connector is None:
            return Failed(Reason.NOT_OFFERED)
        if call.capability not in installed.manifest.capabilities:
            return Failed(Reason.NOT_OFFERED)
        health = await self._admit(ConnectorId(call.connector_id))
        if isinstance(health, Failed):
            return health
        return await self._tried(_Prepared(call, installed, installed.connector), health)

    async def check(self, connector_id: str) -> Outcome[HealthReport]:
        """Ask for its health, whatever failed before, and keep the answer."""
        require_no_transaction()
        installed = self._registry.find(connector_id)
        if installed is None or installed.connector is None:
            return Failed(Reason.NOT_OFFERED)
        call = Call(
            connector_id=connector_id,
            capability="health",
            shape=HealthReport,
            invoke=lambda connector, _: connector.health.check(),
            is_repeatable=False,
        )
        outcome = await self._tried(
            _Prepared(call, installed, installed.connector),
            ConnectorHealth(ConnectorId(connector_id)),
        )
        if isinstance(outcome, Failed):
            return outcome
        report = _redacted(outcome.answer, installed.secrets)

        def change(health: ConnectorHealth) -> ConnectorHealth:
            return with_report(health, report, self._clock())

        await self._change(ConnectorId(connector_id), change)
        return Fetched(report)

    async def _tried(self, call: "_Prepared[T]", health: ConnectorHealth) -> Outcome[T]:
        try:
            with withholding(call.withheld):
                answer = await self._attempts(call)
        except BusyError as error:
            return Failed(Reason.RATE_LIMITED, retry_after=error.retry_after)
        except ConnectorError as error:
            return await self._failed(call, error, str(error))
        except (BrokenConnectorError, WireError) as error:
            return await self._failed(call, None, str(error))
        except ForeignRecordError:
            return await self._dropped(call)
        if health.is_troubled or health.gate is not Gate.CLOSED:
            await self._change(health.connector_id, after_success)
        return Fetched(answer)

    async def _admit(self, connector_id: ConnectorId) -> ConnectorHealth | Failed:
        now = self._clock()
        async with self._database.read() as uow:
            health = await uow.connector_health.find(connector_id)
        if health.open_until is None:
            return health
        async with self._database.begin() as uow:
            # Of all that come when the pause is over, one makes the trial.
            health = await uow.connector_health.hold(connector_id)
            if is_admitted(health, now):
                await uow.connector_health.save(with_trial(health, now))
                return health
        until = health.open_until or now
        return Failed(Reason.PAUSED, health.since, max((until - now).total_seconds(), 0.0))

    async def _attempts(self, call: "_Prepared[T]") -> T:
        ends_at = monotonic() + call.budget_seconds
        attempts = self._patience.attempts if call.call.is_repeatable else 1

        def pause(error: Exception) -> bool | float:
            if not isinstance(error, _AgainError):
                return False
            asked = error.cause.retry_after
            if (asked or 0.0) >= ends_at - monotonic():
                return False
            return True if asked is None else asked

        try:
            async for attempt in stamina.retry_context(
                pause,
                attempts=attempts,
                timeout=call.budget_seconds,
                wait_initial=self._patience.initial_seconds,
                wait_jitter=self._patience.jitter_seconds,
                wait_max=self._patience.maximum_seconds,
            ):
                with attempt:
                    return await self._once(call, ends_at - monotonic())
        except _AgainError as error:
            raise error.cause from None
        raise AssertionError("stamina always tries or raises")

    async def _once(self, call: "_Prepared[T]", remaining: float) -> T:
        seconds = min(remaining, call.installed.manifest.limits.timeout.total_seconds())
        bulkhead = self._bulkheads[call.call.connector_id]
        try:
            async with bulkhead.place(seconds):
                answer = await within(seconds, lambda: call.invoke(seconds))
        except Unavailable as error:
            raise _AgainError(error) from None
        return call.accepted(answer)

    async def _failed(
        self, call: "_Prepared[T]", error: ConnectorError | None, detail: str
    ) -> Failed:
        code = Reason.BROKEN if error is None else Reason(error.code)
        reason = redact(detail, call.withheld)
        call.log(code, reason)

        def change(health: ConnectorHealth) -> ConnectorHealth:
            return after_failure(health, error, reason, self._clock())

        health = await self._change(ConnectorId(call.call.connector_id), change)
        return Failed(code, health.since, _retry_after(error), _refusal(error))

    async def _dropped(self, call: "_Prepared[T]") -> Failed:
        call.log(Reason.FOREIGN_RECORD, "a record of somebody else: the answer was dropped")
        event = ForeignRecordDropped(
            call.call.connector_id, call.call.capability, call.call.context.reference
        )
        async with self._database.begin() as uow:
            uow.record(event)
        return Failed(Reason.FOREIGN_RECORD, self._clock())

    async def _change(
        self, connector_id: ConnectorId, change: Callable[[ConnectorHealth], ConnectorHealth]
    ) -> ConnectorHealth:
        async with self._database.begin() as uow:
            return await change_health(uow, connector_id, change)


async def change_health(
    uow: UnitOfWork,
    connector_id: ConnectorId,
    change: Callable[[ConnectorHealth], ConnectorHealth],
) -> ConnectorHealth:
    """Change the shared state, and tell administrators of a connector that they must mend."""
    before = await uow.connector_health.hold(connector_id)
    after = change(before)
    if after != before:
        await uow.connector_health.save(after)
    if after.gate is Gate.MISCONFIGURED and before.gate is not Gate.MISCONFIGURED:
        uow.record(ConnectorMisconfigured(connector_id))
    return after


@dataclass(frozen=True, slots=True)
class _Prepared(Generic[T]):
    call: Call[T]
    installed: Installed
    connector: Connector

    @property
    def budget_seconds(self) -> float:
        own = self.installed.manifest.limits.timeout.total_seconds()
        return self.call.budget_seconds or 2 * own

    @property
    def withheld(self) -> frozenset[str]:
        context = self.call.context
        told = {context.subject, *context.claims.values()} - {""}
        return self.call.withheld | self.installed.secrets | told

    def invoke(self, seconds: float) -> Awaitable[T]:
        allowed = self.installed.manifest.claims
        context = self.call.context
        told = {name: value for name, value in context.claims.items() if name in allowed}
        return self.call.invoke(
            self.connector, replace(context, claims=told, deadline_seconds=seconds)
        )

    def accepted(self, answer: T) -> T:
        shape = self.call.shape
        if shape is None:
            return answer
        whole = contained(lambda: checked(answer, shape))
        require_own(whole, self.call.context.subject)
        return whole

    def log(self, code: Reason, detail: str) -> None:
        facts = {
            "connector": self.call.connector_id,
            "capability": self.call.capability,
            "code": code.value,
            "detail": detail,
            "reference": self.call.context.reference,
        }
        log.warning("connector_failed", extra=facts)


def _redacted(report: HealthReport, secrets: frozenset[str]) -> HealthReport:
    return HealthReport(
        {
            name: replace(health, detail=redact(health.detail, secrets))
            for name, health in report.capabilities.items()
        }
    )


def _retry_after(error: ConnectorError | None) -> float | None:
    return error.retry_after if isinstance(error, Unavailable | RateLimited) else None


def _refusal(error: ConnectorError | None) -> Refusal | None:
    return Refusal(error.why, error.text, error.fields) if isinstance(error, Refused) else None
