"""Show the errands that wait for a person, and let them be tried again."""

from collections.abc import Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import ClassVar
from uuid import UUID

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from citizen_account.domain.accounts import Role
from citizen_account.domain.errands import ParkedErrand
from citizen_account.usecases.administration import release_errand
from citizen_account.web.admin.dependencies import Runtime, Staff, StaffForm, role_of
from citizen_account.web.frames import frame_of, show
from citizen_account.web.places import with_query

router = APIRouter(prefix="/admin/outbox", include_in_schema=False)

PAGE_SIZE = 50


@dataclass(frozen=True, slots=True)
class OutboxPage:
    template: ClassVar = "admin/outbox.html"
    place: ClassVar = "/admin/outbox"
    errands: Sequence[ParkedErrand]
    next_after: UUID | None
    is_released: bool


@router.get("")
async def show_outbox(
    request: Request, person: Staff, runtime: Runtime, after: UUID | None = None, done: str = ""
) -> Response:
    async with runtime.database.read() as uow:
        errands = await uow.outbox.parked(after=after, size=PAGE_SIZE)
    following = errands[-1].id if len(errands) == PAGE_SIZE else None
    page = OutboxPage(errands, following, done == "released")
    return show(request, frame_of(request, person), page)


@router.post("/{errand_id}/retry")
async def retry(errand_id: UUID, sent: StaffForm, runtime: Runtime) -> Response:
    role_of(sent.resident, Role.ADMINISTRATOR)
    async with runtime.database.begin() as uow:
        await release_errand(uow, sent.resident.account_id, errand_id)
    return RedirectResponse(with_query("/admin/outbox", done="released"), HTTPStatus.SEE_OTHER)
