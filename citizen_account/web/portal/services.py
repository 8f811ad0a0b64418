"""Show what the city offers, and one linked service with all that it last said."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from http import HTTPStatus
from typing import ClassVar

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from citizen_account.connector_host.registry import Installed
from citizen_account.connector_sdk.manifest import Manifest
from citizen_account.connector_sdk.models import (
    Case,
    Entitlement,
    EntitlementState,
    Phase,
    in_language,
)
from citizen_account.domain.clients import Client
from citizen_account.domain.connections import ConnectionState
from citizen_account.domain.errors import DomainError, ErrorCode
from citizen_account.domain.texts import LocalText
from citizen_account.i18n import Message, m, mn
from citizen_account.openid.third_party_login import login_address
from citizen_account.usecases.cases import ServiceCard, ask_again, find_card, list_cards
from citizen_account.usecases.connections import change_agreement, unlink
from citizen_account.web.dependencies import InLanguage, InRuntime, Resident, SignedIn, SignedInForm
from citizen_account.web.frames import frame_of, show
from citizen_account.web.places import with_query
from citizen_account.web.portal.purposes import PurposeLine, purpose_lines

router = APIRouter(prefix="/{language}/services", include_in_schema=False)

RIGHT_STATES = {
    EntitlementState.ACTIVE: m("Valid"),
    EntitlementState.UPCOMING: m("Not valid yet"),
    EntitlementState.EXPIRED: m("Expired"),
    EntitlementState.SUSPENDED: m("Suspended"),
    EntitlementState.REVOKED: m("Withdrawn by the city"),
}
DONE = {
    "linked": m("The service is connected."),
    "saved": m("Your choices are saved."),
    "asked": m("We are asking the service. Its news appear here as soon as it answers."),
}


@dataclass(frozen=True, slots=True)
class ConnectorLine:
    """A service whose business can be shown in the account."""

    id: str
    title: LocalText
    summary: LocalText
    icon: str
    tone: str
    is_linked: bool
    is_usable: bool


@dataclass(frozen=True, slots=True)
class SiteLine:
    """A service with a site of its own that the account signs in to."""

    name: LocalText
    operator: LocalText
    address: str


@dataclass(frozen=True, slots=True)
class ServicesPage:
    template: ClassVar = "portal/services.html"
    connectors: Sequence[ConnectorLine]
    sites: Sequence[SiteLine]
    is_unlinked: bool


@dataclass(frozen=True, slots=True)
class CaseLine:
    title: str
    reference: str
    status: str
    is_waiting_for_you: bool
    opened: date
    steps_done: int
    steps: int
    deadline: date | None


@dataclass(frozen=True, slots=True)
class RightLine:
    title: str
    credentials: str
    said: Message
    is_active: bool
    valid_from: date | None
    valid_to: date | None
    remaining: Message | None
    areas: str


@dataclass(frozen=True, slots=True)
class ServicePage:
    template: ClassVar = "portal/service.html"
    id: str
    title: LocalText
    summary: LocalText
    icon: str
    tone: str
    is_checking: bool
    needs_relink: bool
    has_places: bool
    as_of: datetime | None
    silent_since: datetime | None
    now: datetime
    cases: Sequence[CaseLine]
    rights: Sequence[RightLine]
    purposes: Sequence[PurposeLine]
    linked_at: datetime
    done: Message | None

    @property
    def choices(self) -> Sequence[PurposeLine]:
        return [purpose for purpose in self.purposes if purpose.is_choice]


@dataclass(frozen=True, slots=True)
class UnlinkPage:
    template: ClassVar = "portal/unlink.html"
    id: str
    title: LocalText
    stays: str


@router.get("")
async def show_services(
    request: Request, resident: SignedIn, runtime: InRuntime, done: str = ""
) -> Response:
    async with runtime.database.read() as uow:
        cards = await list_cards(uow, resident.account_id)
        clients = await uow.clients.list_offered()
    linked = frozenset(card.connection.connector_id for card in cards)
    page = ServicesPage(
        connectors=[
            connector_line(installed, linked)
            for installed in runtime.connectors.registry.connectors.values()
            if installed.manifest.link is not None
        ],
        sites=[site_line(client, runtime.issuer) for client in clients],
        is_unlinked=done == "unlinked",
    )
    return show(request, frame_of(request, resident), page)


@router.get("/{connector_id}")
async def show_service(  # noqa: PLR0913, PLR0917  # what FastAPI hands over
    request: Request,
    language: InLanguage,
    connector_id: str,
    resident: SignedIn,
    runtime: InRuntime,
    done: str = "",
) -> Response:
    manifest = manifest_of(runtime.connectors.registry.connectors, connector_id)
    async with runtime.database.read() as uow:
        card = await find_card(uow, resident.account_id, connector_id)
    if card is None:
        return RedirectResponse(f"/{language}/link/{connector_id}", HTTPStatus.SEE_OTHER)
    page = service_page(card, manifest, language, runtime.clock(), DONE.get(done))
    return show(request, frame_of(request, resident), page)


@router.post("/{connector_id}/ask")
async def ask_service(
    language: InLanguage, connector_id: str, sent: SignedInForm, runtime: InRuntime
) -> Response:
    """Ask for fresh news: a job fetches them, the page does not wait."""
    async with runtime.database.begin() as uow:
        await ask_again(uow, sent.resident.account_id, connector_id)
    return _back(language, connector_id, "asked")


@router.post("/{connector_id}/choices")
async def save_choices(
    language: InLanguage, connector_id: str, sent: SignedInForm, runtime: InRuntime
) -> Response:
    manifest = manifest_of(runtime.connectors.registry.connectors, connector_id)
    agreed = frozenset(sent.form.values("optional"))
    async with runtime.database.begin() as uow:
        await change_agreement(uow, sent.resident.account_id, manifest, agreed)
    return _back(language, connector_id, "saved")


@router.get("/{connector_id}/disconnect")
async def show_unlink(
    request: Request,
    language: InLanguage,
    connector_id: str,
    resident: SignedIn,
    runtime: InRuntime,
) -> Response:
    manifest = manifest_of(runtime.connectors.registry.connectors, connector_id)
    await _require_linked(runtime, resident, connector_id)
    page = UnlinkPage(manifest.id, manifest.title, in_language(manifest.title, language))
    return show(request, frame_of(request, resident), page)


@router.post("/{connector_id}/disconnect")
async def unlink_service(
    language: InLanguage, connector_id: str, sent: SignedInForm, runtime: InRuntime
) -> Response:
    async with runtime.database.begin() as uow:
        await unlink(uow, sent.resident.account_id, connector_id)
    place = with_query(f"/{language}/services", done="unlinked")
    return RedirectResponse(place, HTTPStatus.SEE_OTHER)


def manifest_of(connectors: Mapping[str, Installed], connector_id: str) -> Manifest:
    """Return the manifest of a connector that can be linked. Raises: connector_unknown."""
    installed = connectors.get(connector_id)
    if installed is None or installed.manifest.link is None:
        raise DomainError(ErrorCode.CONNECTOR_UNKNOWN)
    return installed.manifest


def connector_line(installed: Installed, linked: frozenset[str]) -> ConnectorLine:
    manifest = installed.manifest
    return ConnectorLine(
        id=manifest.id,
        title=manifest.title,
        summary=manifest.summary,
        icon=manifest.icon,
        tone=manifest.tone,
        is_linked=manifest.id in linked,
        is_usable=installed.connector is not None,
    )


def site_line(client: Client, issuer: str) -> SiteLine:
    # OIDC Core section 4: where the service can begin a sign-in, she arrives signed in.
    address = login_address(client, issuer) or client.service_url
    return SiteLine(client.name, client.operator, address)


def service_page(
    card: ServiceCard, manifest: Manifest, language: str, now: datetime, done: Message | None
) -> ServicePage:
    link = card.connection
    return ServicePage(
        id=manifest.id,
        title=manifest.title,
        summary=manifest.summary,
        icon=manifest.icon,
        tone=manifest.tone,
        is_checking=link.state is ConnectionState.CHECKING or card.as_of is None,
        needs_relink=link.state is ConnectionState.NEEDS_RELINK,
        has_places="places" in manifest.capabilities,
        as_of=card.as_of,
        silent_since=card.failing_since,
        now=now,
        cases=[case_line(case, language) for case in card.cases],
        rights=[right_line(right, language) for right in card.entitlements],
        purposes=purpose_lines(manifest, link.agreed),
        linked_at=link.linked_at,
        done=done,
    )


def case_line(case: Case, language: str) -> CaseLine:
    return CaseLine(
        title=in_language(case.title, language),
        reference=case.reference,
        status=in_language(case.status.label, language),
        is_waiting_for_you=case.phase is Phase.ACTION_NEEDED,
        opened=case.opened,
        steps_done=sum(1 for step in case.steps if step.state != "upcoming"),
        steps=len(case.steps),
        deadline=case.deadline or case.expected_by,
    )


def right_line(right: Entitlement, language: str) -> RightLine:
    remaining = right.remaining
    return RightLine(
        title=in_language(right.title, language),
        credentials=", ".join(right.credentials),
        said=RIGHT_STATES[right.state],
        is_active=right.state is EntitlementState.ACTIVE,
        valid_from=right.valid_from,
        valid_to=right.valid_to,
        remaining=None if remaining is None else _remaining(remaining.value, remaining.unit),
        areas=", ".join(in_language(area, language) for area in right.areas),
    )


def _remaining(value: int, unit: str) -> Message:
    if unit == "minutes":
        return mn("%(num)s minute left", "%(num)s minutes left", value)
    return mn("%(num)s use left", "%(num)s uses left", value)


def _back(language: str, connector_id: str, done: str) -> Response:
    place = with_query(f"/{language}/services/{connector_id}", done=done)
    return RedirectResponse(place, HTTPStatus.SEE_OTHER)


async def _require_linked(runtime: InRuntime, resident: Resident, connector_id: str) -> None:
    async with runtime.database.read() as uow:
        card = await find_card(uow, resident.account_id, connector_id)
    if card is None:
        raise DomainError(ErrorCode.CONNECTION_UNKNOWN)
