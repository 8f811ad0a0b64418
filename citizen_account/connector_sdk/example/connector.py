"""Follow applications at an invented office."""

from collections.abc import Mapping
from datetime import UTC, date, datetime
from http import HTTPStatus
from types import MappingProxyType
from urllib.parse import quote

from citizen_account.connector_sdk.errors import Gone
from citizen_account.connector_sdk.health import probe
from citizen_account.connector_sdk.http import ConnectorHttp
from citizen_account.connector_sdk.models import (
    Answer,
    Case,
    CaseStatus,
    Context,
    Erasure,
    ErasureRefusal,
    Export,
    ExportNode,
    HealthReport,
    Link,
    LinkState,
    Phase,
)
from citizen_account.connector_sdk.protocol import Connector
from citizen_account.connector_sdk.reading import Said, read_each

SOURCE = "Example office"
PHASES: Mapping[str, Phase] = MappingProxyType(
    {"new": Phase.RECEIVED, "running": Phase.IN_PROGRESS, "decided": Phase.DECIDED}
)
KEPT_BY_LAW = ErasureRefusal(
    "kept_by_law",
    {
        "en": "Decided applications are kept for ten years.",
        "sk": "Rozhodnuté žiadosti sa uchovávajú desať rokov.",
    },
)


class Application(Said):
    """An application as the source tells it; members that nobody reads are left out."""

    id: str
    owner: str
    number: str
    name: str
    state: str
    since: date


class ExampleOffice:
    def __init__(self, office: str, http: ConnectorHttp) -> None:
        self._office = office
        self._http = http

    async def recognise(self, context: Context) -> Link:
        known = await self._applications(context.subject)
        return Link(LinkState.LINKED if known is not None else LinkState.NOT_LINKED, SOURCE)

    async def unlink(self, context: Context) -> None:
        """Leave nothing behind: the source keeps no links."""

    async def list_cases(self, context: Context, cursor: str | None = None) -> Answer[Case]:
        del cursor  # one page holds all
        found = await self._applications(context.subject) or []
        return self._answer(context, [_case(application) for application in found])

    async def get_case(self, context: Context, ref: str) -> Answer[Case]:
        found = await self._applications(context.subject) or []
        asked = [_case(application) for application in found if application.id == ref]
        if not asked:
            raise Gone
        return self._answer(context, asked)

    async def export(self, context: Context) -> Export:
        found = await self._applications(context.subject) or []
        nodes = tuple(ExportNode(key="application", value=each.number) for each in found)
        return Export(context.subject, nodes, datetime.now(UTC), SOURCE)

    async def erase(self, context: Context, *, dry_run: bool) -> Erasure:
        path = f"{self._person(context.subject)}?dry_run={str(dry_run).lower()}"
        reply = await self._http.request(
            "DELETE", path, is_read=True, expected=[HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT]
        )
        refused = reply.status == HTTPStatus.CONFLICT
        return Erasure(context.subject, (KEPT_BY_LAW,) if refused else ())

    async def check(self) -> HealthReport:
        health = await probe(self._http.get_json(f"offices/{self._office}"))
        return HealthReport({"cases": health, "gdpr": health, "link": health})

    async def _applications(self, subject: str) -> list[Application] | None:
        """Return what the source knows of the subject; None when it does not know her."""
        path = f"{self._person(subject)}/applications"
        reply = await self._http.request("GET", path, expected=[HTTPStatus.NOT_FOUND])
        if reply.status == HTTPStatus.NOT_FOUND:
            return None
        return read_each(Application, reply.body)

    def _person(self, subject: str) -> str:
        return f"offices/{self._office}/people/{quote(subject, safe='')}"

    def _answer(self, context: Context, cases: list[Case]) -> Answer[Case]:
        return Answer(tuple(cases), datetime.now(UTC), SOURCE, context.subject)


def _case(said: Application) -> Case:
    return Case(
        # As the source says it, not as we asked: the host compares both.
        subject=said.owner,
        ref=said.id,
        type="application",
        title=said.name,
        reference=said.number,
        status=CaseStatus(said.state, said.state),
        phase=PHASES.get(said.state, Phase.IN_PROGRESS),
        opened=said.since,
    )


def build(config: Mapping[str, str], http: ConnectorHttp) -> Connector:
    """Build the connector: the entry point names this function."""
    office = ExampleOffice(config["office"], http)
    return Connector(health=office, recognition=office, cases=office, gdpr=office)
