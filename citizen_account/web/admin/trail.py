"""Show the audit log: what happened, by ids and without names."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from citizen_account.domain.accounts import Role
from citizen_account.storage.audit import AuditEntry
from citizen_account.web.admin.dependencies import Runtime, Staff, role_of
from citizen_account.web.frames import frame_of, show

router = APIRouter(prefix="/admin/audit", include_in_schema=False)

PAGE_SIZE = 100
MAX_CHARACTERS = 64


@dataclass(frozen=True, slots=True)
class AuditPage:
    template: ClassVar = "admin/audit.html"
    place: ClassVar = "/admin/audit"
    entries: Sequence[AuditEntry]
    event: str
    next_before: int | None


@router.get("")
async def show_audit(
    request: Request, person: Staff, runtime: Runtime, before: int | None = None, event: str = ""
) -> Response:
    role_of(person, Role.ADMINISTRATOR, Role.AUDITOR)
    wanted = event.strip()[:MAX_CHARACTERS]
    start = None if before is None or not 0 < before < 2**62 else before
    async with runtime.database.read() as uow:
        entries = await uow.audit.page(before=start, size=PAGE_SIZE, event=wanted or None)
    following = entries[-1].id if len(entries) == PAGE_SIZE else None
    return show(request, frame_of(request, person), AuditPage(entries, wanted, following))
