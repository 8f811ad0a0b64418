"""Connectors that answer as each test says, on a runner that loses no time."""

from collections.abc import Awaitable, Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from citizen_account.connector_host.connectors import Connectors
from citizen_account.connector_host.outcomes import Failed, Outcome
from citizen_account.connector_host.registry import Installed, Registry
from citizen_account.connector_host.runner import Patience, Runner
from citizen_account.connector_sdk import example
from citizen_account.connector_sdk.manifest import Limits, Manifest, read_manifest
from citizen_account.connector_sdk.models import (
    Answer,
    Case,
    CaseStatus,
    Condition,
    Context,
    Erasure,
    Export,
    Health,
    HealthReport,
    Link,
    LinkState,
    Phase,
)
from citizen_account.connector_sdk.protocol import Connector
from citizen_account.storage.unit_of_work import Clock, Database

MANIFEST = read_manifest(Path(example.__file__).with_name("manifest.toml"))
EXAMPLE = "example"
SUBJECT, SOMEBODY_ELSE = "ABCDEFGH23456722", "ZZZZZZZZ77777722"
CONTEXT = Context(subject=SUBJECT, claims={"given_name": "Zuzana", "email": "z@city.example"})
NOW = datetime(2026, 3, 1, tzinfo=UTC)
QUICK = Patience(attempts=3, initial_seconds=0.001, jitter_seconds=0.001, maximum_seconds=0.01)
Ask = Callable[[Context, str | None], Awaitable[Answer[Case]]]


def case(ref: str = "a17", subject: str = SUBJECT) -> Case:
    return Case(
        subject=subject,
        ref=ref,
        type="application",
        title="Planting a tree",
        reference="2026/0017",
        status=CaseStatus("running", "Running"),
        phase=Phase.IN_PROGRESS,
        opened=date(2026, 2, 3),
    )


def answer(*cases: Case, subject: str = SUBJECT, cursor: str | None = None) -> Answer[Case]:
    return Answer(cases or (case(),), NOW, "Example office", subject, cursor)


class Office:
    """Answers as each test says, and counts."""

    def __init__(self, ask: Ask | None = None, *, report: HealthReport | None = None) -> None:
        self.calls = 0
        self.told: list[Context] = []
        self._ask = ask
        self._report = report

    async def list_cases(self, context: Context, cursor: str | None = None) -> Answer[Case]:
        self.calls += 1
        self.told.append(context)
        return answer() if self._ask is None else await self._ask(context, cursor)

    async def get_case(self, context: Context, ref: str) -> Answer[Case]:
        return await self.list_cases(context, ref)

    async def link(self, context: Context, reference: str, secret: str) -> Link:
        del reference, secret
        await self.list_cases(context)
        return Link(LinkState.LINKED)

    async def unlink(self, context: Context) -> None:
        await self.list_cases(context)

    async def export(self, context: Context) -> Export:
        await self.list_cases(context)
        return Export(SOMEBODY_ELSE, (), NOW, "Example office")

    async def erase(self, context: Context, *, dry_run: bool) -> Erasure:
        del dry_run
        await self.list_cases(context)
        return Erasure(context.subject)

    async def check(self) -> HealthReport:
        self.calls += 1
        return self._report or HealthReport({"cases": Health(Condition.OK)})


def raising(error: BaseException) -> Ask:
    async def ask(_: Context, __: str | None) -> Answer[Case]:
        raise error

    return ask


async def nothing_to_close() -> None:
    return


class Connect:
    """Puts an office behind a runner of its own, as another process would have."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def __call__(self, office: Office, *, timeout: float = 5, **limits: object) -> Connectors:
        own = Limits.model_validate({**MANIFEST.limits.model_dump(), **limits})
        # Shorter than a manifest may say: tests do not wait.
        own = own.model_copy(update={"timeout": timedelta(seconds=timeout)})
        manifest: Manifest = MANIFEST.model_copy(update={"limits": own})
        secrets = frozenset({"a-secret-setting"})
        return self.installed({EXAMPLE: Installed(manifest, connector_of(office), secrets=secrets)})

    def installed(self, connectors: dict[str, Installed]) -> Connectors:
        registry = Registry(connectors, {}, nothing_to_close)
        return Connectors(registry, Runner(registry, self._database, self._clock, QUICK))


def connector_of(office: Office) -> Connector:
    return Connector(health=office, link=office, cases=office, gdpr=office)


def failed(outcome: Outcome[Answer[Case]]) -> Failed:
    assert isinstance(outcome, Failed), outcome
    return outcome
