"""Open an account in three steps: the address, the code, then name and password."""

from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import ClassVar
from uuid import UUID

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from citizen_account.bootstrap import Runtime
from citizen_account.domain.accounts import Profile
from citizen_account.domain.challenges import Challenge, ChallengeId, ChallengePurpose
from citizen_account.domain.emails import read_email
from citizen_account.domain.errors import DomainError, ErrorCode
from citizen_account.domain.profiles import MAX_NAME, read_line
from citizen_account.domain.texts import LocalText
from citizen_account.domain.throttling import Throttled
from citizen_account.i18n import m
from citizen_account.usecases.accounts import Registration, complete_registration
from citizen_account.usecases.challenges import Asked, begin_challenge
from citizen_account.web.dependencies import InLanguage, InRuntime, MaybeSignedIn, OurForm
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
    find_destination,
    onward_place,
    query_of,
    read_onward,
)
from citizen_account.web.portal.profile import STRANGE_NAME
from citizen_account.web.portal.proofs import new_password_errors
from citizen_account.web.portal.sign_in import ENTER_EMAIL
from citizen_account.web.requests import Form, client_address
from citizen_account.web.throttled import ask_to_wait

router = APIRouter(prefix="/{language}/register", include_in_schema=False)
FLOW = CodeFlow(
    purpose=ChallengePurpose.REGISTER,
    start="/register",
    after="account",
    title=m("Check your email"),
    caption=m("Create an account: step 2 of 3"),
)
ENTER_GIVEN_NAME = m("Enter your given name")
ENTER_FAMILY_NAME = m("Enter your family name")


@dataclass(frozen=True, slots=True)
class RegisterEmailPage:
    template: ClassVar = "portal/register_email.html"
    email: str
    destination: LocalText | None
    onward: Mapping[str, str | None]
    errors: tuple[FieldError, ...] = ()


@dataclass(frozen=True, slots=True)
class RegisterAccountPage:
    template: ClassVar = "portal/register_account.html"
    action: str
    email: str
    given_name: str
    family_name: str
    errors: tuple[FieldError, ...] = ()


@router.get("")
async def show_register(
    request: Request, language: InLanguage, resident: MaybeSignedIn, runtime: InRuntime
) -> Response:
    """Ask for the address of a new account."""
    onward = read_onward(request)
    if resident is not None and not onward.interaction:
        return RedirectResponse(onward_place(language, onward), HTTPStatus.SEE_OTHER)
    return await _show_email(request, runtime, "")


@router.post("")
async def ask_for_code(
    request: Request, language: InLanguage, form: OurForm, runtime: InRuntime
) -> Response:
    """Send a code; a taken address is answered alike."""
    email = read_email(form.text("email"))
    if email is None:
        wrong = (FieldError("register-email", ENTER_EMAIL),)
        return await _show_email(request, runtime, form.text("email"), wrong)
    asked = Asked(
        purpose=ChallengePurpose.REGISTER,
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
    return RedirectResponse(f"/{language}/register/{begun}", HTTPStatus.SEE_OTHER)


@router.get("/{challenge_id}")
async def show_register_code(
    request: Request, language: InLanguage, challenge_id: UUID, runtime: InRuntime
) -> Response:
    """Ask for the code that went out by e-mail."""
    return await show_code(_visit(request, runtime, language, challenge_id))


@router.post("/{challenge_id}")
async def take_register_code(
    request: Request, language: InLanguage, challenge_id: UUID, form: OurForm, runtime: InRuntime
) -> Response:
    """Check the code."""
    return await take_code(_visit(request, runtime, language, challenge_id), form)


@router.post("/{challenge_id}/resend")
async def resend_register_code(
    request: Request, language: InLanguage, challenge_id: UUID, _: OurForm, runtime: InRuntime
) -> Response:
    """Send one more code; the earlier ones still fit."""
    return await resend_code(_visit(request, runtime, language, challenge_id))


@router.get("/{challenge_id}/account")
async def show_register_account(
    request: Request, language: InLanguage, challenge_id: UUID, runtime: InRuntime
) -> Response:
    """Ask for name and password, once the code was right."""
    visit = _visit(request, runtime, language, challenge_id)
    async with runtime.database.read() as uow:
        challenge = await visit.load_proven(uow)
    return _show_account(visit, challenge, Form.empty())


@router.post("/{challenge_id}/account")
async def create_account(
    request: Request, language: InLanguage, challenge_id: UUID, form: OurForm, runtime: InRuntime
) -> Response:
    """Open the account and sign in."""
    visit = _visit(request, runtime, language, challenge_id)
    async with runtime.database.read() as uow:
        challenge = await visit.load_proven(uow)
    errors = _errors(form, challenge, runtime)
    if errors:
        return _show_account(visit, challenge, form, tuple(errors))
    registration = Registration(
        profile=Profile(
            given_name=read_line(form.text("given_name"), MAX_NAME) or "",
            family_name=read_line(form.text("family_name"), MAX_NAME) or "",
        ),
        password_hash=await runtime.hasher.hash(form.secret("password")),
        language=language,
    )
    async with runtime.database.begin() as uow:
        opened = await complete_registration(
            uow, challenge, registration, browser_of(request, runtime), runtime.session_limits
        )
    if opened is None:
        # A second press of the button, or the address went to another account meanwhile.
        raise DomainError(ErrorCode.LINK_EXPIRED)
    return enter(runtime, opened, onward_place(language, challenge.onward))


def _visit(request: Request, runtime: Runtime, language: str, challenge_id: UUID) -> CodeVisit:
    return CodeVisit(request, runtime, FLOW, language, ChallengeId(challenge_id))


def _errors(form: Form, challenge: Challenge, runtime: Runtime) -> list[FieldError]:
    errors = []
    names = {"given_name": ENTER_GIVEN_NAME, "family_name": ENTER_FAMILY_NAME}
    for name, missing in names.items():
        line = read_line(form.text(name), MAX_NAME)
        if not line:
            message = STRANGE_NAME if line is None else missing
            errors.append(FieldError(name.replace("_", "-"), message))
    context = (challenge.email.local_part, form.text("given_name"), form.text("family_name"))
    return errors + new_password_errors("password", form.secret("password"), runtime, context)


async def _show_email(
    request: Request, runtime: Runtime, email: str, errors: tuple[FieldError, ...] = ()
) -> Response:
    onward = read_onward(request)
    async with runtime.database.read() as uow:
        destination = await find_destination(uow, onward, runtime.issuer)
    page = RegisterEmailPage(
        email=email or destination.login_hint,
        destination=destination.name,
        onward=query_of(onward),
        errors=errors,
    )
    frame = frame_of(request, is_focused=True, has_pending_authorization=bool(onward.interaction))
    return show(request, frame, page, 422 if errors else 200)


def _show_account(
    visit: CodeVisit, challenge: Challenge, form: Form, errors: tuple[FieldError, ...] = ()
) -> Response:
    page = RegisterAccountPage(
        action=visit.next_place,
        email=challenge.email.text,
        given_name=form.text("given_name"),
        family_name=form.text("family_name"),
        errors=errors,
    )
    frame = frame_of(
        visit.request,
        is_focused=True,
        has_pending_authorization=bool(challenge.onward.interaction),
    )
    return show(visit.request, frame, page, 422 if errors else 200)
