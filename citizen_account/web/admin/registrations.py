"""Show the services that registered themselves and wait; let one in or refuse it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from typing import ClassVar

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from citizen_account.domain.accounts import Role
from citizen_account.domain.clients import Approval, Client, ClientId
from citizen_account.domain.registrations import MAXIMUM_REASON
from citizen_account.i18n import Message, m
from citizen_account.usecases.approvals import (
    Applicant,
    find_applicant,
    let_in,
    list_waiting,
    refuse,
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
from citizen_account.web.service_links import ServiceLink, links_of

router = APIRouter(prefix="/admin/registrations", include_in_schema=False)

PAGE_SIZE = 100
SAY_WHY = m("Write why, so that the service's team knows what to change")
TOO_LONG = m("Shorten the reason to 500 characters")
DECIDED_BEFORE = m("This was decided already, or the service has changed. Read it again.")
STATES = {
    Approval.NOT_NEEDED: m("Let in without being looked at"),
    Approval.PENDING: m("Waits for the city"),
    Approval.APPROVED: m("Let in"),
    Approval.REFUSED: m("Refused"),
    Approval.LEFT: m("Has left"),
}
DONE = {
    "let-in": m("The service is let in. Residents can sign in there now."),
    "refused": m("The service is refused. Its team can read why."),
}


@dataclass(frozen=True, slots=True)
class Waiting:
    since: datetime
    client: Client


@dataclass(frozen=True, slots=True)
class RegistrationsPage:
    template: ClassVar = "admin/registrations.html"
    place: ClassVar = "/admin/registrations"
    waiting: Sequence[Waiting]
    done: Message | None


@dataclass(frozen=True, slots=True)
class RegistrationPage:
    template: ClassVar = "admin/registration.html"
    place: ClassVar = "/admin/registrations"
    applicant: Applicant
    state: Message
    links: Sequence[ServiceLink]
    contacts: Sequence[str]
    may_decide: bool
    reason: str
    errors: tuple[FieldError, ...] = ()

    @property
    def client(self) -> Client:
        return self.applicant.client


@router.get("")
async def show_registrations(
    request: Request, person: Staff, runtime: Runtime, done: str = ""
) -> Response:
    async with runtime.database.read() as uow:
        found = await list_waiting(uow, PAGE_SIZE)
    waiting = [Waiting(since, client) for since, client in found]
    page = RegistrationsPage(waiting, DONE.get(done))
    return show(request, frame_of(request, person), page)


@router.get("/{client_id}")
async def show_registration(
    request: Request, client_id: str, person: Staff, runtime: Runtime
) -> Response:
    sent = ResidentForm.without_fields(person)
    return await _show(request, runtime, ClientId(client_id), sent)


@router.post("/{client_id}/decide")
async def decide(request: Request, client_id: str, sent: StaffForm, runtime: Runtime) -> Response:
    role_of(sent.resident, Role.ADMINISTRATOR)
    place = f"/admin/registrations/{client_id}"
    detour = ask_to_confirm(request, sent.resident, place)
    if detour is not None:
        return detour
    is_yes = sent.form.text("decision") == "let-in"
    reason = sent.form.text("reason")
    errors = _faults(reason, is_needed=not is_yes)
    if errors:
        return await _show(request, runtime, ClientId(client_id), sent, errors)
    settle = let_in if is_yes else refuse
    async with runtime.database.begin() as uow:
        await find_applicant(uow, ClientId(client_id))
        is_settled = await settle(uow, sent.resident.account_id, ClientId(client_id), reason)
    if not is_settled:
        errors = (FieldError("reason", DECIDED_BEFORE),)
        return await _show(request, runtime, ClientId(client_id), sent, errors)
    there = with_query("/admin/registrations", done="let-in" if is_yes else "refused")
    return RedirectResponse(there, HTTPStatus.SEE_OTHER)


def _faults(reason: str, *, is_needed: bool) -> tuple[FieldError, ...]:
    if is_needed and not reason:
        return (FieldError("reason", SAY_WHY),)
    return (FieldError("reason", TOO_LONG),) if len(reason) > MAXIMUM_REASON else ()


async def _show(
    request: Request,
    runtime: Runtime,
    client_id: ClientId,
    sent: ResidentForm,
    errors: tuple[FieldError, ...] = (),
) -> Response:
    async with runtime.database.read() as uow:
        applicant = await find_applicant(uow, client_id)
    client = applicant.client
    page = RegistrationPage(
        applicant=applicant,
        state=STATES[client.approval or Approval.NOT_NEEDED],
        links=links_of(client),
        contacts=_contacts(client.metadata),
        may_decide=Role.ADMINISTRATOR in sent.resident.roles
        and client.approval is Approval.PENDING,
        reason=sent.form.text("reason"),
        errors=errors,
    )
    status = HTTPStatus.UNPROCESSABLE_ENTITY if errors else HTTPStatus.OK
    return show(request, frame_of(request, sent.resident), page, status)


def _contacts(metadata: Mapping[str, object]) -> Sequence[str]:
    contacts = metadata.get("contacts")
    return [str(each) for each in contacts] if isinstance(contacts, list) else []
