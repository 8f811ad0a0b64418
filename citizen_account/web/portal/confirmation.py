"""Ask a resident who signed in a while ago to show that it is still she, and go on in place."""

from collections.abc import Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import ClassVar

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from citizen_account.domain.accounts import PASSWORD
from citizen_account.domain.texts import LocalText
from citizen_account.domain.throttling import Throttled
from citizen_account.usecases.sign_in import open_session
from citizen_account.usecases.upstreams import list_identities
from citizen_account.web.dependencies import (
    InLanguage,
    Resident,
    SignedIn,
    SignedInForm,
    runtime_of,
)
from citizen_account.web.frames import frame_of, show
from citizen_account.web.pages import FieldError
from citizen_account.web.places import safe_place, with_query
from citizen_account.web.portal.onward import browser_of, enter
from citizen_account.web.portal.proofs import ENTER_PASSWORD, WRONG_PASSWORD, prove_again
from citizen_account.web.throttled import ask_to_wait

router = APIRouter(prefix="/{language}/security", include_in_schema=False)


@dataclass(frozen=True, slots=True)
class ConfirmPage:
    """Every way to show it that this account has."""

    template: ClassVar = "portal/confirm.html"
    place: str
    has_password: bool
    ways: Sequence[tuple[str, LocalText]]
    errors: tuple[FieldError, ...] = ()


def ask_to_confirm(language: str, place: str) -> Response:
    """Lead to the page and back to the place."""
    there = with_query(f"/{language}/security/confirm", next=place)
    return RedirectResponse(there, HTTPStatus.SEE_OTHER)


@router.get("/confirm")
async def show_confirm(request: Request, language: InLanguage, resident: SignedIn) -> Response:
    return await _show(request, language, resident)


@router.post("/confirm")
async def confirm(request: Request, language: InLanguage, sent: SignedInForm) -> Response:
    """Compare the password as a sign-in would, and begin the session's time anew."""
    runtime, resident = runtime_of(request), sent.resident
    password = sent.form.secret("password")
    if not password:
        errors = (FieldError("password", ENTER_PASSWORD),)
        return await _show(request, language, resident, errors)
    proven = await prove_again(request, runtime, resident.account, password)
    if isinstance(proven, Throttled):
        return ask_to_wait(request, proven, resident)
    if not proven:
        errors = (FieldError("password", WRONG_PASSWORD),)
        return await _show(request, language, resident, errors)
    browser = browser_of(request, runtime)
    async with runtime.database.begin() as uow:
        opened = await open_session(
            uow,
            resident.account_id,
            PASSWORD,
            user_agent=browser.user_agent,
            old_session_secret=browser.old_session_secret,
            limits=runtime.session_limits,
        )
    return enter(runtime, opened, _place(request, language))


async def _show(
    request: Request, language: str, resident: Resident, errors: tuple[FieldError, ...] = ()
) -> Response:
    runtime = runtime_of(request)
    async with runtime.database.read() as uow:
        identities = await list_identities(uow, resident.account_id)
        password = await uow.credentials.find_password(resident.account_id)
    linked = {identity.upstream_id for identity in identities}
    page = ConfirmPage(
        place=_place(request, language),
        has_password=password is not None,
        ways=[(each.id, each.title) for each in runtime.upstreams if each.id in linked],
        errors=errors,
    )
    # A form here leads away to another provider.
    frame = frame_of(request, resident, is_focused=True, has_pending_authorization=True)
    status = HTTPStatus.UNPROCESSABLE_ENTITY if errors else HTTPStatus.OK
    return show(request, frame, page, status)


def _place(request: Request, language: str) -> str:
    return safe_place(request.query_params.get("next"), f"/{language}/security")
