"""Turn a reaction with its offers into the account's case, and into the lines of an export."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from citizen_account.connector_sdk.models import (
    Case,
    CaseStatus,
    ExportNode,
    Extras,
    Money,
    OfferState,
    Phase,
    Queue,
    Step,
    StepState,
    Text,
)
from citizen_account.connector_sdk.models import Offer as CaseOffer
from connectors.housing.client import Offer, Publication, Reaction, Vera
from connectors.housing.texts import (
    ANSWER,
    APPLICATION,
    ASSIGNED,
    BASIS,
    LABELS,
    OFFERED,
    REGISTERED,
    RENEW,
    WAITING,
    translated,
)

# VERA's reference data: AANBIEDINGSTATUS, and AANBIEDINGDETAILSTATUS for an answer that came late.
STATES: Mapping[str, OfferState] = {
    "AAN": OfferState.OPEN,
    "TOE": OfferState.ACCEPTED,
    "GEW": OfferState.DECLINED,
    "ING": OfferState.WITHDRAWN,
}
TOO_LATE = "REA"
CENTS = 100
# More is no figure of a city's housing list.
DIGITS = 9


@dataclass(frozen=True, slots=True)
class Application:
    """A reaction with all that belongs to it."""

    reaction: Reaction
    owner: str
    list_of_flats: Publication | None
    offers: Sequence[tuple[Offer, Publication | None]]


@dataclass(frozen=True, slots=True)
class Mapper:
    vera: Vera
    language: str
    notice: timedelta

    def case(self, application: Application, now: datetime) -> Case:
        reaction = application.reaction
        offers = tuple(self._offer(offer, flat, now) for offer, flat in application.offers)
        due = self._due(reaction, offers, now)
        return Case(
            subject=application.owner,
            ref=reaction.id,
            type="housing-application",
            title=self._title(application),
            reference=reaction.code or reaction.id,
            status=self._status(reaction, offers),
            phase=_phase(offers, due),
            opened=self.vera.moment(reaction.at).date(),
            steps=self._steps(reaction, application, offers),
            deadline=due[1] if due else None,
            next_action=due[0] if due else "",
            outcome=ASSIGNED if _has(offers, OfferState.ACCEPTED) else "",
            extras=Extras(queue=self._queue(reaction, now), offers=offers),
        )

    def _title(self, application: Application) -> Text:
        label = application.list_of_flats.label if application.list_of_flats else ""
        return translated(label, self.language) if label else APPLICATION

    def _status(self, reaction: Reaction, offers: Sequence[CaseOffer]) -> CaseStatus:
        at = self.vera.moment(reaction.at)
        if _has(offers, OfferState.ACCEPTED):
            return CaseStatus("assigned", ASSIGNED)
        if _has(offers, OfferState.OPEN):
            return CaseStatus("offered", OFFERED)
        if reaction.status is None or not reaction.status.name:
            return CaseStatus("waiting", WAITING, at)
        said = translated(reaction.status.name, self.language)
        return CaseStatus(reaction.status.code.lower() or "waiting", said, at)

    def _queue(self, reaction: Reaction, now: datetime) -> Queue | None:
        if reaction.position is None or reaction.position < 1:
            return None
        counted = _day(reaction.extra.get("positiePeildatum", ""))
        as_of = datetime.combine(counted, datetime.min.time(), self.vera.zone) if counted else now
        size = reaction.extra.get("aantalReacties", "")
        of = int(size) if size.isascii() and size.isdigit() and len(size) <= DIGITS else None
        return Queue(position=reaction.position, of=of, as_of=as_of.astimezone(UTC), basis=BASIS)

    def _offer(self, offer: Offer, flat: Publication | None, now: datetime) -> CaseOffer:
        facts = {**(flat.extra if flat else {}), **offer.extra}
        answer_by = self.vera.moment(offer.answer_by) if offer.answer_by else None
        return CaseOffer(
            ref=offer.id,
            address=facts.get("adres") or (flat.label if flat else "") or offer.id,
            rent=_money(facts.get("huurprijs", ""), facts.get("valuta", "EUR")),
            viewing_at=self.vera.moment(flat.viewing) if flat and flat.viewing else None,
            answer_by=answer_by,
            state=_state(offer, answer_by, now),
        )

    def _due(
        self, reaction: Reaction, offers: Sequence[CaseOffer], now: datetime
    ) -> tuple[Text, date | None] | None:
        """Return what the resident has to do, and by which day: an offer goes first."""
        opened = [offer for offer in offers if offer.state is OfferState.OPEN]
        if opened:
            days = [_local_day(offer.answer_by, self.vera) for offer in opened if offer.answer_by]
            return ANSWER, min(days, default=None)
        renewal = _day(reaction.extra.get("verlengenVoor", ""))
        if renewal and renewal - now.date() <= self.notice:
            return RENEW, renewal
        return None

    def _steps(
        self, reaction: Reaction, application: Application, offers: Sequence[CaseOffer]
    ) -> tuple[Step, ...]:
        current = 1
        if _has(offers, OfferState.OPEN):
            current = 2
        if _has(offers, OfferState.ACCEPTED):
            current = 4
        offered = [offer.offered for offer, _ in application.offers if offer.offered]
        times = (self.vera.moment(reaction.at), None, _latest(offered, self.vera), None)
        labels = (REGISTERED, WAITING, OFFERED, ASSIGNED)
        return tuple(
            Step(label, _step_state(number, current), at if number <= current else None)
            for number, (label, at) in enumerate(zip(labels, times, strict=True))
        )

    def export(self, application: Application, now: datetime) -> ExportNode:
        reaction = application.reaction
        case = self.case(application, now)
        queue = case.extras.queue
        place = f"{queue.position}/{queue.of or '?'} ({queue.as_of.date()})" if queue else ""
        facts = {
            "number": case.reference,
            "list": application.list_of_flats.label if application.list_of_flats else "",
            "registered": case.opened.isoformat(),
            "status": reaction.status.name if reaction.status else "",
            "position": place,
            "reference": application.owner,
        }
        further = [ExportNode(key=name, value=value) for name, value in reaction.extra.items()]
        offers = [_exported(offer) for offer in case.extras.offers]
        return ExportNode(
            key=case.reference,
            children=(*_nodes(facts), *_group("extras", further), *_group("offers", offers)),
        )


def _exported(offer: CaseOffer) -> ExportNode:
    rent = f"{offer.rent.amount_minor / CENTS:.2f} {offer.rent.currency}" if offer.rent else ""
    facts = {
        "address": offer.address,
        "rent": rent,
        "viewing_at": offer.viewing_at.isoformat() if offer.viewing_at else "",
        "answer_by": offer.answer_by.isoformat() if offer.answer_by else "",
        "status": offer.state.value,
    }
    return ExportNode(key=offer.ref, children=tuple(_nodes(facts)))


def _nodes(facts: Mapping[str, str]) -> list[ExportNode]:
    return [
        ExportNode(key=key, label=LABELS[key], value=value) for key, value in facts.items() if value
    ]


def _group(key: str, nodes: Sequence[ExportNode]) -> tuple[ExportNode, ...]:
    return (ExportNode(key=key, label=LABELS[key], children=tuple(nodes)),) if nodes else ()


def _phase(offers: Sequence[CaseOffer], due: tuple[Text, date | None] | None) -> Phase:
    if _has(offers, OfferState.ACCEPTED):
        return Phase.DECIDED
    return Phase.ACTION_NEEDED if due else Phase.IN_PROGRESS


def _has(offers: Sequence[CaseOffer], state: OfferState) -> bool:
    return any(offer.state is state for offer in offers)


def _state(offer: Offer, answer_by: datetime | None, now: datetime) -> OfferState:
    if offer.detail and offer.detail.code == TOO_LATE:
        return OfferState.EXPIRED
    state = STATES.get(offer.status.code if offer.status else "AAN", OfferState.WITHDRAWN)
    is_late = state is OfferState.OPEN and answer_by is not None and answer_by < now
    return OfferState.EXPIRED if is_late else state


def _step_state(number: int, current: int) -> StepState:
    if number < current:
        return StepState.DONE
    return StepState.CURRENT if number == current else StepState.UPCOMING


def _latest(moments: Sequence[datetime], vera: Vera) -> datetime | None:
    return max((vera.moment(moment) for moment in moments), default=None)


def _local_day(moment: datetime | date, vera: Vera) -> date:
    return moment.astimezone(vera.zone).date() if isinstance(moment, datetime) else moment


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text.strip()[:10])
    except ValueError:
        return None


def _money(amount: str, currency: str) -> Money | None:
    try:
        minor = Decimal(amount.strip()) * CENTS
        is_plausible = 0 <= minor < 10**DIGITS
    except ArithmeticError:
        return None
    is_iso = len(currency) == len("EUR") and currency.isascii() and currency.isupper()
    return Money(round(minor), currency) if is_plausible and is_iso else None
