"""Show one application with its steps, its deadline and what the resident has to do."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import ClassVar

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from citizen_account.connector_sdk.manifest import Manifest
from citizen_account.connector_sdk.models import (
    Case,
    Contact,
    Money,
    Offer,
    OfferState,
    Phase,
    Queue,
    Step,
    StepState,
    in_language,
)
from citizen_account.domain.errors import DomainError, ErrorCode
from citizen_account.domain.texts import LocalText
from citizen_account.i18n import Message, m
from citizen_account.usecases.cases import ServiceCard, show_case
from citizen_account.web.dependencies import InLanguage, InRuntime, SignedIn
from citizen_account.web.frames import frame_of, show

router = APIRouter(prefix="/{language}/services/{connector_id}/cases", include_in_schema=False)

STEP_STATES = {
    StepState.DONE: m("Done"),
    StepState.CURRENT: m("Now"),
    StepState.UPCOMING: m("Still to come"),
}
OFFER_STATES = {
    OfferState.OPEN: m("Waiting for your answer"),
    OfferState.ACCEPTED: m("You accepted it"),
    OfferState.DECLINED: m("You declined it"),
    OfferState.EXPIRED: m("The time to answer is over"),
    OfferState.WITHDRAWN: m("The city took it back"),
}


@dataclass(frozen=True, slots=True)
class StepLine:
    label: str
    state: StepState
    said: Message
    at: datetime | None


@dataclass(frozen=True, slots=True)
class QueueLine:
    position: int
    of: int | None
    as_of: datetime
    basis: str


@dataclass(frozen=True, slots=True)
class OfferLine:
    address: str
    rent: Money | None
    viewing_at: datetime | None
    answer_by: date | None
    said: Message
    is_open: bool


@dataclass(frozen=True, slots=True)
class CasePage:
    template: ClassVar = "portal/case.html"
    connector_id: str
    service: LocalText
    title: str
    reference: str
    status: str
    is_waiting_for_you: bool
    next_action: str
    opened: date
    deadline: date | None
    expected_by: date | None
    outcome: str
    steps: Sequence[StepLine]
    queue: QueueLine | None
    offers: Sequence[OfferLine]
    contact: Contact | None
    contact_name: str
    address: str
    as_of: datetime | None
    silent_since: datetime | None
    now: datetime


@router.get("/{reference:path}")
async def show_one_case(  # noqa: PLR0913, PLR0917  # what FastAPI hands over
    request: Request,
    language: InLanguage,
    connector_id: str,
    reference: str,
    resident: SignedIn,
    runtime: InRuntime,
) -> Response:
    async with runtime.database.read() as uow:
        card, case = await show_case(uow, resident.account_id, connector_id, reference)
    installed = runtime.connectors.registry.find(connector_id)
    if installed is None:
        raise DomainError(ErrorCode.CASE_UNKNOWN)
    page = case_page(case, card, installed.manifest, language, runtime.clock())
    return show(request, frame_of(request, resident), page)


def case_page(
    case: Case, card: ServiceCard, manifest: Manifest, language: str, now: datetime
) -> CasePage:
    is_waiting = case.phase is Phase.ACTION_NEEDED
    contact = case.contact
    return CasePage(
        connector_id=manifest.id,
        service=manifest.title,
        title=in_language(case.title, language),
        reference=case.reference,
        status=in_language(case.status.label, language),
        is_waiting_for_you=is_waiting,
        next_action=in_language(case.next_action, language),
        opened=case.opened,
        deadline=case.deadline,
        expected_by=case.expected_by,
        outcome=in_language(case.outcome, language),
        steps=[step_line(step, language) for step in case.steps],
        queue=None if case.extras.queue is None else queue_line(case.extras.queue, language),
        offers=[offer_line(offer) for offer in case.extras.offers],
        contact=contact,
        contact_name="" if contact is None else in_language(contact.name, language),
        # OWASP ASVS 5.0 section 1.2.2: a source's link is shown only where it leads to the web.
        address=case.url if case.url.startswith("https://") else "",
        as_of=card.as_of,
        silent_since=card.failing_since,
        now=now,
    )


def step_line(step: Step, language: str) -> StepLine:
    label = in_language(step.label, language)
    return StepLine(label, step.state, STEP_STATES[step.state], step.at)


def queue_line(queue: Queue, language: str) -> QueueLine:
    return QueueLine(queue.position, queue.of, queue.as_of, in_language(queue.basis, language))


def offer_line(offer: Offer) -> OfferLine:
    is_open = offer.state is OfferState.OPEN
    return OfferLine(
        address=offer.address,
        rent=offer.rent,
        viewing_at=offer.viewing_at,
        answer_by=offer.answer_by,
        said=OFFER_STATES[offer.state],
        is_open=is_open,
    )
