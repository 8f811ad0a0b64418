"""Let a resident move her account to another e-mail address."""

from dataclasses import dataclass
from http import HTTPStatus
from typing import ClassVar
from uuid import UUID

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from citizen_account.bootstrap import Runtime
from citizen_account.domain.challenges import Challenge, ChallengeId, ChallengePurpose
from citizen_account.domain.emails import EmailAddress, read_email
from citizen_account.domain.throttling import Throttled
from citizen_account.i18n import m
from citizen_account.storage.unit_of_work import UnitOfWork
from citizen_account.usecases.accounts import complete_email_change
from citizen_account.usecases.challenges import Asked, begin_challenge
from citizen_account.web.dependencies import (
    InLanguage,
    InRuntime,
    Resident,
    SignedIn,
    SignedInForm,
)
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
from citizen_account.web.portal.proofs import ENTER_PASSWORD, WRONG_PASSWORD, prove_again
from citizen_account.web.portal.sign_in import ENTER_EMAIL
from citizen_account.web.requests import Form, client_address
from citizen_account.web.saved_forms import Restored
from citizen_account.web.throttled import ask_to_wait

router = APIRouter(prefix="/{language}/profile/email", include_in_schema=False)
FLOW = CodeFlow(
    purpose=ChallengePurpose.CHANGE_EMAIL,
    start="/profile/email",
    after="",
    title=m("Check your new email"),
    caption=m("Change your email address: step 2 of 2"),
    done="/profile?done=email",
)


@dataclass(frozen=True, slots=True)
class EmailPage:
    template: ClassVar = "portal/email_change.html"
    current: str
    email: str
    has_password: bool
    is_restored: bool
    errors: tuple[FieldError, ...] = ()


@router.get("")
async def show_email(
    request: Request, _: InLanguage, resident: SignedIn, runtime: InRuntime, restored: Restored
) -> Response:
    """Ask for a new address, and for the password."""
    has_password = await _has_password(runtime, resident)
    return _show(request, resident, restored, has_password=has_password)


@router.post("")
async def ask_for_code(
    request: Request, sent: SignedInForm, language: InLanguage, runtime: InRuntime
) -> Response:
    """Send a code to the new address; a taken one is answered alike."""
    resident, form = sent.resident, sent.form
    has_password = await _has_password(runtime, resident)
    email = read_email(form.text("email"))
    password = form.secret("current_password")
    errors = []
    if email is None:
        errors.append(FieldError("new-email", ENTER_EMAIL))
    if has_password and not password:
        errors.append(FieldError("current-password", ENTER_PASSWORD))
    if email is None or errors:
        return _show(request, resident, form, tuple(errors), has_password=has_password)
    if has_password:
        proven = await prove_again(request, runtime, resident.account, password)
        if isinstance(proven, Throttled):
            return ask_to_wait(request, proven, resident)
        if not proven:
            wrong = (FieldError("current-password", WRONG_PASSWORD),)
            return _show(request, resident, form, wrong, has_password=True)
    return await _send(request, runtime, resident, language, email)


@router.get("/{challenge_id}")
async def show_email_code(
    request: Request,
    language: InLanguage,
    challenge_id: UUID,
    resident: SignedIn,
    runtime: InRuntime,
) -> Response:
    """Ask for the code that went out to the new address."""
    return await show_code(_visit(request, runtime, language, challenge_id, resident))


@router.post("/{challenge_id}")
async def take_email_code(
    request: Request,
    sent: SignedInForm,
    language: InLanguage,
    challenge_id: UUID,
    runtime: InRuntime,
) -> Response:
    """Check the code, change the address and tell the old one."""
    account = sent.resident.account

    async def proceed(uow: UnitOfWork, challenge: Challenge) -> bool:
        return await complete_email_change(uow, account, challenge)

    visit = _visit(request, runtime, language, challenge_id, sent.resident)
    return await take_code(visit, sent.form, proceed)


@router.post("/{challenge_id}/resend")
async def resend_email_code(
    request: Request,
    sent: SignedInForm,
    language: InLanguage,
    challenge_id: UUID,
    runtime: InRuntime,
) -> Response:
    """Send one more code; the earlier ones still fit."""
    return await resend_code(_visit(request, runtime, language, challenge_id, sent.resident))


async def _send(
    request: Request, runtime: Runtime, resident: Resident, language: str, email: EmailAddress
) -> Response:
    asked = Asked(
        purpose=ChallengePurpose.CHANGE_EMAIL,
        email=email,
        browser_digest=browser_digest(request, runtime),
        language=resident.account.language,
        client_address=client_address(request, runtime),
        account_id=resident.account_id,
    )
    async with runtime.database.begin() as uow:
        begun = await begin_challenge(uow, asked)
    if isinstance(begun, Throttled):
        return ask_to_wait(request, begun, resident)
    return RedirectResponse(f"/{language}/profile/email/{begun}", HTTPStatus.SEE_OTHER)


async def _has_password(runtime: Runtime, resident: Resident) -> bool:
    async with runtime.database.read() as uow:
        return await uow.credentials.find_password(resident.account_id) is not None


def _visit(
    request: Request, runtime: Runtime, language: str, challenge_id: UUID, resident: Resident
) -> CodeVisit:
    return CodeVisit(request, runtime, FLOW, language, ChallengeId(challenge_id), resident)


def _show(
    request: Request,
    resident: Resident,
    form: Form,
    errors: tuple[FieldError, ...] = (),
    *,
    has_password: bool,
) -> Response:
    page = EmailPage(
        current=resident.account.email or "",
        email=form.text("email"),
        has_password=has_password,
        is_restored=bool(form.fields) and not errors,
        errors=errors,
    )
    return show(request, frame_of(request, resident), page, 422 if errors else 200)
