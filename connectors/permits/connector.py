"""Offer the resident's permit applications: link by letter, follow, export."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from citizen_account.connector_sdk.errors import Gone, Misconfigured
from citizen_account.connector_sdk.health import probe
from citizen_account.connector_sdk.http import ConnectorHttp
from citizen_account.connector_sdk.lenient import said_at
from citizen_account.connector_sdk.letter_desk import NOBODY, LetterDesk
from citizen_account.connector_sdk.models import (
    Answer,
    Case,
    Context,
    Erasure,
    ErasureRefusal,
    Export,
    ExportNode,
    HealthReport,
    Link,
)
from citizen_account.connector_sdk.protocol import Connector
from connectors.permits.client import Dossier, Zgw
from connectors.permits.mapping import Mapper
from connectors.permits.texts import ACT_ON_RECORDS, LABELS

# `anpIdentificatie` holds no more.
SUBJECT_MAXIMUM = 17
PAGE_SIZE = 50
MOST_PAGES = 100


def _utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Permits:
    """All capabilities over one case system."""

    zgw: Zgw
    desk: LetterDesk
    mapper: Mapper
    source: str
    clock: Callable[[], datetime] = _utc_now
    page_size: int = PAGE_SIZE

    async def link(self, context: Context, reference: str, secret: str) -> Link:
        return await self.desk.link(context, reference, secret)

    async def unlink(self, context: Context) -> None:
        await self.desk.unlink(context)

    async def list_cases(self, context: Context, cursor: str | None = None) -> Answer[Case]:
        page = _page_of(cursor)
        zaken, has_more, reply = await self.zgw.zaken(
            _fitting(context.subject), page, self.page_size
        )
        dossiers = await self.zgw.dossiers(zaken, context.subject)
        return Answer(
            tuple(self.mapper.case(dossier) for dossier in dossiers),
            as_of=said_at(reply, self.clock()),
            source=self.source,
            subject=context.subject,
            cursor=str(page + 1) if has_more and page < MOST_PAGES else None,
        )

    async def get_case(self, context: Context, ref: str) -> Answer[Case]:
        try:
            zaak, reply = await self.zgw.zaak(str(UUID(ref)))
        except ValueError:
            raise Gone from None
        [dossier] = await self.zgw.dossiers([zaak], context.subject)
        if dossier.owner != context.subject:
            raise Gone
        case = self.mapper.case(dossier)
        as_of = said_at(reply, self.clock())
        return Answer((case,), as_of=as_of, source=self.source, subject=context.subject)

    async def export(self, context: Context) -> Export:
        """Return every case on which the resident is registered, with its steps and notes."""
        dossiers = await self._all(context)
        owners = {dossier.owner for dossier in dossiers} - {context.subject}
        subject = next(iter(owners), context.subject)
        cases = tuple(self.mapper.export(dossier) for dossier in dossiers)
        top = ExportNode(key="cases", label=LABELS["cases"], children=cases)
        nodes = (top,) if cases else ()
        return Export(subject, nodes, as_of=self.clock(), source=self.source)

    async def erase(self, context: Context, *, dry_run: bool) -> Erasure:
        """Refuse while there are records: no part of them may be erased on request."""
        del dry_run  # nothing is ever erased here
        zaken, _, _ = await self.zgw.zaken(_fitting(context.subject), 1, 1)
        refusals = (ErasureRefusal("records_act", ACT_ON_RECORDS),) if zaken else ()
        return Erasure(context.subject, refusals)

    async def _all(self, context: Context) -> list[Dossier]:
        found: list[Dossier] = []
        for page in range(1, MOST_PAGES + 1):
            zaken, has_more, _ = await self.zgw.zaken(
                _fitting(context.subject), page, self.page_size
            )
            found += await self.zgw.dossiers(zaken, context.subject)
            if not has_more:
                break
        return found

    async def check(self) -> HealthReport:
        cases = await probe(self._probe())
        return HealthReport({"cases": cases, "gdpr": cases, "link": await probe(self.desk.probe())})

    async def _probe(self) -> None:
        await self.zgw.zaken(NOBODY, 1, 1)
        await self.zgw.case_types()


def _fitting(subject: str) -> str:
    if len(subject) > SUBJECT_MAXIMUM:
        raise Misconfigured("the resident's reference does not fit into the case system")
    return subject


def _page_of(cursor: str | None) -> int:
    return int(cursor) if cursor and cursor.isascii() and cursor.isdigit() else 1


def build(settings: Mapping[str, str], http: ConnectorHttp) -> Connector:
    permits = Permits(
        Zgw(http),
        LetterDesk(http.peer("desk")),
        Mapper(settings["language"], settings["wanted_property"], settings["wanted_by_property"]),
        settings["source"],
    )
    return Connector(health=permits, link=permits, cases=permits, gdpr=permits)
