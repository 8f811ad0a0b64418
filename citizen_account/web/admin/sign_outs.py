"""Show which sign-outs a service was told of, and let one be told again."""

from collections.abc import Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import ClassVar
from uuid import UUID

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from citizen_account.domain.accounts import Role
from citizen_account.domain.clients import Client, ClientId
from citizen_account.domain.logout_deliveries import LogoutDelivery, Progress, progress_of
from citizen_account.i18n import Message
from citizen_account.usecases.administration import find_client
from citizen_account.usecases.backchannel_logout import try_again
from citizen_account.web.admin.dependencies import Runtime, Staff, StaffForm, role_of
from citizen_account.web.frames import frame_of, show
from citizen_account.web.places import with_query
from citizen_account.web.sign_out_words import progress_words

router = APIRouter(prefix="/admin/services/{client_id}/sign-outs", include_in_schema=False)

PAGE_SIZE = 50


@dataclass(frozen=True, slots=True)
class SignOutLine:
    """Nobody's name: an administrator sees that a service was told, not of whom."""

    delivery: LogoutDelivery
    progress: Message
    is_open: bool


@dataclass(frozen=True, slots=True)
class SignOutsPage:
    template: ClassVar = "admin/sign_outs.html"
    place: ClassVar = "/admin/services"
    client: Client
    lines: Sequence[SignOutLine]
    next_before: UUID | None
    may_retry: bool
    is_released: bool


@router.get("")
async def show_sign_outs(  # noqa: PLR0913, PLR0917  # what a request says
    request: Request,
    client_id: str,
    person: Staff,
    runtime: Runtime,
    before: UUID | None = None,
    done: str = "",
) -> Response:
    async with runtime.database.read() as uow:
        client = await find_client(uow, ClientId(client_id))
        found = await uow.logout_deliveries.of_client(client.id, before=before, size=PAGE_SIZE)
        now = uow.now
    page = SignOutsPage(
        client=client,
        lines=[
            SignOutLine(
                each, progress_words(each, now), progress_of(each, now) is not Progress.TOLD
            )
            for each in found
        ],
        next_before=found[-1].id if len(found) == PAGE_SIZE else None,
        may_retry=Role.ADMINISTRATOR in person.roles,
        is_released=done == "released",
    )
    return show(request, frame_of(request, person), page)


@router.post("/{delivery}/retry")
async def retry(client_id: str, delivery: UUID, sent: StaffForm, runtime: Runtime) -> Response:
    role_of(sent.resident, Role.ADMINISTRATOR)
    async with runtime.database.begin() as uow:
        await try_again(uow, sent.resident.account_id, ClientId(client_id), delivery)
    place = with_query(f"/admin/services/{client_id}/sign-outs", done="released")
    return RedirectResponse(place, HTTPStatus.SEE_OTHER)
