"""Let in who has a role, and ask for a fresh sign-in where something is changed."""

from http import HTTPStatus
from typing import Annotated

from fastapi import Depends
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from citizen_account.domain.accounts import Role
from citizen_account.domain.upstreams import is_fresh
from citizen_account.web.dependencies import (
    InRuntime,
    Resident,
    ResidentForm,
    SignedIn,
    SignedInForm,
    require_role,
    runtime_of,
)
from citizen_account.web.frames import wished_language
from citizen_account.web.places import with_query


async def staff(resident: SignedIn) -> Resident:
    """Return a person with any role. Raises: sign_in_required, role_required."""
    require_role(resident, *Role)
    return resident


async def staff_form(sent: SignedInForm) -> ResidentForm:
    """Return the form of a person with any role. Raises: as `staff`, form_forged."""
    require_role(sent.resident, *Role)
    return sent


Staff = Annotated[Resident, Depends(staff)]
StaffForm = Annotated[ResidentForm, Depends(staff_form)]
Runtime = InRuntime


def role_of(resident: Resident, *allowed: Role) -> Role:
    """Return the role by which the person may do it. Raises: role_required."""
    require_role(resident, *allowed)
    return next(role for role in allowed if role in resident.roles)


def ask_to_confirm(request: Request, resident: Resident, place: str) -> Response | None:
    """Lead to the password once more where the sign-in is not fresh (OWASP ASVS 5.0 7.5.3)."""
    now = runtime_of(request).clock()
    if is_fresh(resident.session.authenticated_at, now):
        return None
    there = with_query(f"/{wished_language(request)}/security/confirm", next=place)
    return RedirectResponse(there, HTTPStatus.SEE_OTHER)
