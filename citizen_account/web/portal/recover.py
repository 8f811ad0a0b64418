"""Help who cannot sign in: a code by e-mail and a new password, or the ways beside it."""

from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import ClassVar
from uuid import UUID

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from citizen_account.bootstrap import Runtime
from citizen_account.domain.challenges import Challenge, ChallengeId, ChallengePurpose
from citizen_account.domain.emails import read_email
from citizen_account.domain.errors import DomainError, ErrorCode
from citizen_account.domain.throttling import Throttled
from citizen_account.i18n import m
from citizen_account.usecases.challenges import Asked, begin_challenge
from citizen_account.usecases.credentials import recover_password
from citizen_account.web.dependencies import InLanguage, InRuntime, OurForm
from citizen_account.web.frames import frame_of, show
from citizen_account.web.pages import FieldError
from citizen_account.web.portal.codes import (
    CodeFlow,
    CodeVisit,
    browser_digest,
    resend_code,
    show_code,
    take_code,
)
from citizen_account.web.portal.onward import (
    browser_of,
    enter,
    onward_place,
    query_of,
    read_onward,
)
from citizen_account.web.portal.proofs import new_password_errors
from citizen_account.web.portal.sign_in import ENTER_EMAIL
from citizen_account.web.requests import client_address
from citizen_account.web.throttled import ask_to_wait

router = APIRouter(prefix="/{language}/recover", include_in_schema=False)
FLOW = CodeFlow(
    purpose=ChallengePurpose.RECOVER,
    start="/recover",
    after="password",
    title=m("Check your email"),
    caption=m("Set a new password: step 2 of 3"),
)


@dataclass(frozen=True, slots=True)
class RecoverPage:
    template: ClassVar = "portal/recover.html"
    email: str
    onward: Mapping[str, str | None]
    errors: tuple[FieldError, ...] = ()


@dataclass(frozen=True, slots=True)
class RecoverPasswordPage:
    template: ClassVar = "portal/recover_password.html"
    action: str
    email: str
    errors: tuple[FieldError, ...] = ()


@router.get("")
async def show_recover(request: Request, _: InLanguage) -> Response:
    """Show every way back in: by e-mail, another way to sign in, in person."""
    return _show(request, "")


@router.post("")
async def ask_for_code(
    request: Request, language: InLanguage, form: OurForm, runtime: InRuntime
) -> Response:
    """Send a code; an unknown address is answered alike."""
    email = read_email(form.text("email"))
    if email is None:
        return _show(request, form.text("email"), (FieldError("recover-email", ENTER_EMAIL),))
    asked = Asked(
        purpose=ChallengePurpose.RECOVER,
        email=email,
        browser_digest=browser_digest(request, runtime),
        language=language,
        client_address=client_address(request, runtime),
        onward=read_onward(request),
    )
    async with runtime.database.begin() as uow:
        begun = await begin_challenge(uow, asked)
    if isinstance(begun, Throttled):
        return ask_to_wait(request, begun)
    return RedirectResponse(f"/{language}/recover/{begun}", HTTPStatus.SEE_OTHER)


@router.get("/{challenge_id}")
async def show_recover_code(
    request: Request, language: InLanguage, challenge_id: UUID, runtime: InRuntime
) -> Response:
    """Ask for the code that went out by e-mail."""
    return await show_code(_visit(request, runtime, language, challenge_id))


@router.post("/{challenge_id}")
async def take_recover_code(
    request: Request, language: InLanguage, challenge_id: UUID, form: OurForm, runtime: InRuntime
) -> Response:
    """Check the code."""
    return await take_code(_visit(request, runtime, language, challenge_id), form)


@router.post("/{challenge_id}/resend")
async def resend_recover_code(
    request: Request, language: InLanguage, challenge_id: UUID, _: OurForm, runtime: InRuntime
) -> Response:
    """Send one more code; the earlier ones still fit."""
    return await resend_code(_visit(request, runtime, language, challenge_id))


@router.get("/{challenge_id}/password")
async def show_recover_password(
    request: Request, language: InLanguage, challenge_id: UUID, runtime: InRuntime
) -> Response:
    """Ask for a new password, once the code was right."""
    visit = _visit(request, runtime, language, challenge_id)
    async with runtime.database.read() as uow:
        challenge = await visit.load_proven(uow)
    return _show_password(visit, challenge)


@router.post("/{challenge_id}/password")
async def set_password(
    request: Request, language: InLanguage, challenge_id: UUID, form: OurForm, runtime: InRuntime
) -> Response:
    """Set the password, end every session and sign in."""
    visit, password = _visit(request, runtime, language, challenge_id), form.secret("new_password")
    async with runtime.database.read() as uow:
        challenge = await visit.load_proven(uow)
    context = (challenge.email.local_part,)
    errors = new_password_errors("new-password", password, runtime, context)
    if errors:
        return _show_password(visit, challenge, tuple(errors))
    password_hash = await runtime.hasher.hash(password)
    async with runtime.database.begin() as uow:
        opened = await recover_password(
            uow, challenge, password_hash, browser_of(request, runtime), runtime.session_limits
        )
    if opened is None:
        raise DomainError(ErrorCode.LINK_EXPIRED)
    return enter(runtime, opened, onward_place(language, challenge.onward))


def _visit(request: Request, runtime: Runtime, language: str, challenge_id: UUID) -> CodeVisit:
    return CodeVisit(request, runtime, FLOW, language, ChallengeId(challenge_id))


def _show(request: Request, email: str, errors: tuple[FieldError, ...] = ()) -> Response:
    onward = read_onward(request)
    page = RecoverPage(email=email, onward=query_of(onward), errors=errors)
    frame = frame_of(request, is_focused=True, has_pending_authorization=bool(onward.interaction))
    return show(request, frame, page, 422 if errors else 200)


def _show_password(
    visit: CodeVisit, challenge: Challenge, errors: tuple[FieldError, ...] = ()
) -> Response:
    page = RecoverPasswordPage(action=visit.next_place, email=challenge.email.text, errors=errors)
    frame = frame_of(
        visit.request,
        is_focused=True,
        has_pending_authorization=bool(challenge.onward.interaction),
    )
    return show(visit.request, frame, page, 422 if errors else 200)
