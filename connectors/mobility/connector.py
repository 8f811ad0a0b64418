"""Offer parking rights to the resident, and bikes nearby to anybody."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from citizen_account.connector_sdk.errors import ConnectorError, Unavailable
from citizen_account.connector_sdk.health import probe
from citizen_account.connector_sdk.http import ConnectorHttp
from citizen_account.connector_sdk.lenient import said_at
from citizen_account.connector_sdk.letter_desk import NOBODY, LetterDesk
from citizen_account.connector_sdk.models import (
    Answer,
    Condition,
    Context,
    Entitlement,
    Erasure,
    ErasureRefusal,
    Export,
    ExportNode,
    Health,
    HealthReport,
    Link,
    Place,
    in_language,
)
from citizen_account.connector_sdk.protocol import Connector
from connectors.mobility.apds import Apds, entitlement
from connectors.mobility.gbfs import Gbfs, System
from connectors.mobility.nearby import KIND, places_within
from connectors.mobility.texts import KEPT_FOR_ACCOUNTS, LABELS

Clock = Callable[[], datetime]
# Less than the limit of a call: what answered in time is shown.
SYSTEM_SECONDS = 5


def _utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Parking:
    """The resident's part: link, rights, export."""

    apds: Apds
    desk: LetterDesk
    source: str
    clock: Clock

    async def link(self, context: Context, reference: str, secret: str) -> Link:
        return await self.desk.link(context, reference, secret)

    async def unlink(self, context: Context) -> None:
        await self.desk.unlink(context)

    async def mine(self, context: Context) -> Answer[Entitlement]:
        rights, reply = await self.apds.rights(context.subject)
        known = await self.apds.specifications(rights)
        now = self.clock()
        found = tuple(
            entitlement(
                right,
                self.apds.owner(right),
                known.get(right.specification.id) if right.specification else None,
                now,
            )
            for right in rights
        )
        return Answer(found, as_of=said_at(reply, now), source=self.source, subject=context.subject)

    async def export(self, context: Context) -> Export:
        answer = await self.mine(context)
        cards = tuple(_exported(one) for one in answer.records)
        top = ExportNode(key="cards", label=LABELS["cards"], children=cards)
        owners = {one.subject for one in answer.records} - {context.subject}
        subject = next(iter(owners), context.subject)
        return Export(subject, (top,) if cards else (), answer.as_of, self.source)

    async def erase(self, context: Context, *, dry_run: bool) -> Erasure:
        """Refuse while there are cards: they were paid for."""
        del dry_run  # nothing is ever erased here
        rights, _ = await self.apds.rights(context.subject)
        refusals = (ErasureRefusal("accounting_act", KEPT_FOR_ACCOUNTS),) if rights else ()
        return Erasure(context.subject, refusals)


@dataclass(frozen=True, slots=True)
class Bikes:
    """The public part: it is told no resident and sends no key."""

    systems: tuple[Gbfs, ...]
    source: str
    clock: Clock

    async def near(
        self, lat: float, lon: float, radius: float, kinds: Sequence[str] = ()
    ) -> Answer[Place]:
        if kinds and KIND not in kinds:
            return Answer((), as_of=self.clock(), source=self.source)
        systems = await self._systems()
        found = places_within(systems, lat, lon, radius, self.clock())
        return Answer(found, as_of=min(one.as_of for one in systems), source=self.source)

    async def _systems(self) -> list[System]:
        """Return the systems that answer in time; raise the first error when none does."""
        tried = await asyncio.gather(*(_in_time(gbfs) for gbfs in self.systems))
        found = [one for one in tried if isinstance(one, System)]
        if not found:
            raise next(one for one in tried if isinstance(one, ConnectorError))
        return found

    async def check(self) -> Health:
        """Report a system that fails beside one that answers as degraded."""
        found = [await probe(gbfs.system()) for gbfs in self.systems]
        bad = [health for health in found if health.condition is not Condition.OK]
        if not bad:
            return Health(Condition.OK)
        if len(bad) < len(found):
            return Health(Condition.DEGRADED, bad[0].detail)
        return bad[0]


async def _in_time(gbfs: Gbfs) -> System | ConnectorError:
    """Return the system, or why not: a slow one must not cost the others their time."""
    try:
        async with asyncio.timeout(SYSTEM_SECONDS):
            return await gbfs.system()
    except ConnectorError as error:
        return error
    except TimeoutError:
        return Unavailable(f"no answer within {SYSTEM_SECONDS} seconds")


@dataclass(frozen=True, slots=True)
class Mobility:
    """Both parts, for their health."""

    parking: Parking
    bikes: Bikes

    async def check(self) -> HealthReport:
        rights = await probe(self.parking.apds.rights(NOBODY))
        link = await probe(self.parking.desk.probe())
        return HealthReport(
            {
                "entitlements": rights,
                "gdpr": rights,
                "link": link,
                "places": await self.bikes.check(),
            }
        )


def _exported(card: Entitlement) -> ExportNode:
    facts = {
        "title": in_language(card.title, "sk"),
        "plates": ", ".join(card.credentials),
        "areas": ", ".join(in_language(area, "sk") for area in card.areas),
        "valid_from": card.valid_from.isoformat() if card.valid_from else "",
        "valid_to": card.valid_to.isoformat() if card.valid_to else "",
        "remaining": str(card.remaining.value) if card.remaining else "",
        "state": card.state.value,
        "reference": card.subject,
    }
    nodes = [
        ExportNode(key=key, label=LABELS[key], value=value) for key, value in facts.items() if value
    ]
    return ExportNode(key=card.ref, children=tuple(nodes))


def assemble(settings: Mapping[str, str], http: ConnectorHttp, clock: Clock) -> Connector:
    feeds = settings["bike_feeds"].split()
    parking = Parking(
        Apds(http, settings["credential_class"]),
        LetterDesk(http.peer("desk")),
        settings["parking_source"],
        clock,
    )
    bikes = Bikes(
        tuple(Gbfs(http.peer("bikes"), path, clock) for path in feeds),
        settings["bikes_source"],
        clock,
    )
    return Connector(
        health=Mobility(parking, bikes),
        link=parking,
        entitlements=parking,
        places=bikes,
        gdpr=parking,
    )


def build(settings: Mapping[str, str], http: ConnectorHttp) -> Connector:
    return assemble(settings, http, _utc_now)
