"""Offer the resident's application for a city flat: link by letter, follow, export."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from citizen_account.connector_sdk.errors import Gone
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
from connectors.housing.client import Keys, Offer, Publication, Reaction, Vera
from connectors.housing.mapping import Application, Mapper
from connectors.housing.texts import KEPT_WHILE_OPEN, LABELS, WOULD_BE_KEPT


def _utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Housing:
    """All capabilities over one housing system."""

    vera: Vera
    desk: LetterDesk
    mapper: Mapper
    source: str
    clock: Callable[[], datetime] = _utc_now

    async def link(self, context: Context, reference: str, secret: str) -> Link:
        """Link by a letter; the e-mail address goes along only where the resident allowed it."""
        email = context.claims.get("email", "")
        return await self.desk.link(context, reference, secret, email=email)

    async def unlink(self, context: Context) -> None:
        await self.desk.unlink(context)

    async def list_cases(self, context: Context, cursor: str | None = None) -> Answer[Case]:
        """Return every application: nobody has so many that they need pages."""
        del cursor
        applications, as_of = await self._applications(context)
        now = self.clock()
        return Answer(
            tuple(self.mapper.case(application, now) for application in applications),
            as_of=as_of,
            source=self.source,
            subject=context.subject,
        )

    async def get_case(self, context: Context, ref: str) -> Answer[Case]:
        answer = await self.list_cases(context)
        mine = [
            case for case in answer.records if case.ref == ref and case.subject == context.subject
        ]
        if not mine:
            raise Gone
        return Answer((mine[0],), answer.as_of, answer.source, answer.subject)

    async def export(self, context: Context) -> Export:
        applications, as_of = await self._applications(context)
        now = self.clock()
        nodes = [self.mapper.export(application, now) for application in applications]
        top = ExportNode(key="applications", label=LABELS["applications"], children=tuple(nodes))
        email = (await self.desk.status(context.subject)).email
        given = [ExportNode(key="email", label=LABELS["email"], value=email)] if email else []
        owners = {one.owner for one in applications} - {context.subject}
        return Export(
            next(iter(owners), context.subject),
            (*([top] if nodes else []), *given),
            as_of=as_of,
            source=self.source,
        )

    async def erase(self, context: Context, *, dry_run: bool) -> Erasure:
        """Take back the e-mail address; an open application stays until it is withdrawn."""
        reactions, _ = await self.vera.reactions(context.subject)
        if not dry_run:
            await self.desk.forget_email(context)
        text = WOULD_BE_KEPT if dry_run else KEPT_WHILE_OPEN
        refusals = (ErasureRefusal("application_open", text),) if reactions else ()
        return Erasure(context.subject, refusals)

    async def check(self) -> HealthReport:
        cases = await probe(self.vera.reactions(NOBODY))
        link = await probe(self.desk.probe())
        return HealthReport({"cases": cases, "gdpr": cases, "link": link})

    async def _applications(self, context: Context) -> tuple[list[Application], datetime]:
        reactions, reply = await self.vera.reactions(context.subject)
        offers = await self.vera.offers(context.subject) if reactions else []
        keys = [one.publication for one in reactions] + [one.publication for one in offers]
        known = await self.vera.publications([key.id for key in keys if key])
        # VERA ties an offer to a person, not to an application: the oldest one carries them.
        ordered = sorted(reactions, key=lambda reaction: self.vera.moment(reaction.at))
        found = [
            self._application(one, offers if one is ordered[0] else [], known, context.subject)
            for one in ordered
        ]
        return found, said_at(reply, self.clock())

    def _application(
        self,
        reaction: Reaction,
        offers: Sequence[Offer],
        known: Mapping[str, Publication],
        subject: str,
    ) -> Application:
        def published(key: Keys | None) -> Publication | None:
            return known.get(key.id) if key else None

        return Application(
            reaction=reaction,
            owner=self._owner(reaction, offers, subject),
            list_of_flats=published(reaction.publication),
            offers=[(offer, published(offer.publication)) for offer in offers],
        )

    def _owner(self, reaction: Reaction, offers: Sequence[Offer], subject: str) -> str:
        """Return whom the records name: the resident if she is among the applicants.

        An offer has one person; if that is somebody else, so is the owner of it all.
        """
        applicants = [self.vera.subject_of(uri) for uri in reaction.people]
        owner = subject if subject in applicants else next(iter(applicants), "")
        offered = [self.vera.subject_of(offer.person) for offer in offers]
        return next((other for other in offered if other != owner), owner)


def build(settings: Mapping[str, str], http: ConnectorHttp) -> Connector:
    vera = Vera(http, settings["relations_uri"], ZoneInfo(settings["time_zone"]))
    notice = timedelta(days=int(settings["renewal_notice_days"]))
    housing = Housing(
        vera,
        LetterDesk(http.peer("desk")),
        Mapper(vera, settings["language"], notice),
        settings["source"],
    )
    return Connector(health=housing, link=housing, cases=housing, gdpr=housing)
