"""Show each service's purposes and consents, and withdraw one on a resident's written request."""

from collections.abc import Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import ClassVar
from uuid import UUID

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from citizen_account.domain.accounts import Role
from citizen_account.domain.clients import Client, ClientId, ClientPurpose, purposes_of
from citizen_account.domain.consents import Consent, ConsentEnd, ConsentId, LegalBasis
from citizen_account.domain.errors import DomainError, ErrorCode
from citizen_account.i18n import Message, m
from citizen_account.usecases.administration import (
    Request as WrittenRequest,
)
from citizen_account.usecases.administration import (
    find_client,
    withdraw_on_request,
)
from citizen_account.web.admin.dependencies import (
    Runtime,
    Staff,
    StaffForm,
    ask_to_confirm,
    role_of,
)
from citizen_account.web.dependencies import ResidentForm
from citizen_account.web.frames import frame_of, show
from citizen_account.web.pages import FieldError
from citizen_account.web.places import with_query

router = APIRouter(prefix="/admin/services", include_in_schema=False)

PAGE_SIZE = 50
MAX_CHARACTERS = 200
BASES = {
    LegalBasis.CONSENT: m("Consent"),
    LegalBasis.CONTRACT: m("Contract"),
    LegalBasis.LEGAL_OBLIGATION: m("Legal obligation"),
    LegalBasis.PUBLIC_TASK: m("Public task"),
}
ENDS = {
    ConsentEnd.WITHDRAWN: m("Withdrawn by the resident"),
    ConsentEnd.WITHDRAWN_ON_REQUEST: m("Withdrawn on a written request"),
    ConsentEnd.REPLACED: m("Replaced by a newer decision"),
    ConsentEnd.ACCOUNT_CLOSED: m("The account was closed"),
}
ENTER_EMAIL = m("Enter the email address of the resident's account")
ENTER_REFERENCE = m("Enter the number of the written request")
NOTHING_STANDS = m("There is no standing consent between this address and this service.")


@dataclass(frozen=True, slots=True)
class ServicesPage:
    template: ClassVar = "admin/services.html"
    place: ClassVar = "/admin/services"
    clients: Sequence[Client]
    next_after: str | None


@dataclass(frozen=True, slots=True)
class PurposeLine:
    purpose: ClientPurpose
    basis: Message


@dataclass(frozen=True, slots=True)
class ConsentLine:
    """Nobody's name: an administrator sees that consents are given, not by whom."""

    consent: Consent
    ended: Message | None


@dataclass(frozen=True, slots=True)
class ServicePage:
    template: ClassVar = "admin/service.html"
    place: ClassVar = "/admin/services"
    client: Client
    purposes: Sequence[PurposeLine]
    consents: Sequence[ConsentLine]
    next_before: ConsentId | None
    may_withdraw: bool
    email: str
    reference: str
    is_withdrawn: bool
    errors: tuple[FieldError, ...] = ()


@dataclass(frozen=True, slots=True)
class NoticePage:
    template: ClassVar = "admin/notice.html"
    place: ClassVar = "/admin/services"
    client_id: ClientId
    digest: str
    language: str
    paragraphs: Sequence[str]


@router.get("")
async def show_services(
    request: Request, person: Staff, runtime: Runtime, after: str = ""
) -> Response:
    async with runtime.database.read() as uow:
        clients = await uow.clients.page(after=after, size=PAGE_SIZE)
    following = clients[-1].id if len(clients) == PAGE_SIZE else None
    return show(request, frame_of(request, person), ServicesPage(clients, following))


@router.get("/{client_id}")
async def show_service(
    request: Request,
    client_id: str,
    person: Staff,
    runtime: Runtime,
    before: UUID | None = None,
) -> Response:
    sent = ResidentForm.without_fields(person)
    start = None if before is None else ConsentId(before)
    return await _show(request, runtime, ClientId(client_id), sent, before=start)


@router.get("/{client_id}/notices/{digest}")
async def show_notice(
    request: Request, client_id: str, digest: str, person: Staff, runtime: Runtime
) -> Response:
    """Show the text that stood on the page when the decision was made."""
    async with runtime.database.read() as uow:
        client = await find_client(uow, ClientId(client_id))
        notice = await uow.consents.find_notice(digest)
    if notice is None:
        raise DomainError(ErrorCode.NOT_FOUND)
    page = NoticePage(client.id, digest, notice.language, notice.text.splitlines())
    return show(request, frame_of(request, person), page)


@router.post("/{client_id}/withdraw")
async def withdraw(request: Request, client_id: str, sent: StaffForm, runtime: Runtime) -> Response:
    role = role_of(sent.resident, Role.ADMINISTRATOR, Role.HELPER)
    place = f"/admin/services/{client_id}"
    detour = ask_to_confirm(request, sent.resident, place)
    if detour is not None:
        return detour
    errors = _faults(sent)
    if errors:
        return await _show(request, runtime, ClientId(client_id), sent, errors=errors)
    asked = WrittenRequest(
        staff_id=sent.resident.account_id,
        role=role,
        client_id=ClientId(client_id),
        email=sent.form.text("email"),
        reference=sent.form.text("reference"),
    )
    async with runtime.database.begin() as uow:
        is_withdrawn = await withdraw_on_request(uow, asked)
    if not is_withdrawn:
        errors = (FieldError("email", NOTHING_STANDS),)
        return await _show(request, runtime, ClientId(client_id), sent, errors=errors)
    return RedirectResponse(with_query(place, done="withdrawn"), HTTPStatus.SEE_OTHER)


def _faults(sent: ResidentForm) -> tuple[FieldError, ...]:
    wanted = (("email", ENTER_EMAIL), ("reference", ENTER_REFERENCE))
    return tuple(
        FieldError(name, message)
        for name, message in wanted
        if not 0 < len(sent.form.text(name)) <= MAX_CHARACTERS
    )


async def _show(  # noqa: PLR0913  # what the page is made of
    request: Request,
    runtime: Runtime,
    client_id: ClientId,
    sent: ResidentForm,
    *,
    before: ConsentId | None = None,
    errors: tuple[FieldError, ...] = (),
) -> Response:
    async with runtime.database.read() as uow:
        client = await find_client(uow, client_id)
        consents = await uow.consents.page_of_client(client_id, before=before, size=PAGE_SIZE)
    roles = sent.resident.roles
    page = ServicePage(
        client=client,
        purposes=[PurposeLine(one, BASES[one.basis]) for one in purposes_of(client)],
        consents=[
            ConsentLine(one, None if one.ended_by is None else ENDS[one.ended_by])
            for one in consents
        ],
        next_before=consents[-1].id if len(consents) == PAGE_SIZE else None,
        may_withdraw=not roles.isdisjoint({Role.ADMINISTRATOR, Role.HELPER}),
        email=sent.form.text("email"),
        reference=sent.form.text("reference"),
        is_withdrawn=request.query_params.get("done") == "withdrawn",
        errors=errors,
    )
    status = HTTPStatus.UNPROCESSABLE_ENTITY if errors else HTTPStatus.OK
    return show(request, frame_of(request, sent.resident), page, status)
