"""Show where the account is signed in, end sessions, change the password."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from typing import ClassVar
from uuid import UUID

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from citizen_account.bootstrap import Runtime
from citizen_account.domain.accounts import AccountId, SessionId
from citizen_account.domain.texts import LocalText
from citizen_account.domain.throttling import Throttled
from citizen_account.i18n import Message, m
from citizen_account.storage.unit_of_work import UnitOfWork
from citizen_account.usecases.credentials import change_password
from citizen_account.usecases.sign_in import (
    list_devices,
    sign_out_device,
    sign_out_everywhere,
    sign_out_others,
)
from citizen_account.web.dependencies import (
    InLanguage,
    InRuntime,
    Resident,
    SignedIn,
    SignedInForm,
)
from citizen_account.web.frames import frame_of, show
from citizen_account.web.oidc.answers import provider_of
from citizen_account.web.pages import FieldError
from citizen_account.web.portal.onward import enter
from citizen_account.web.portal.proofs import (
    ENTER_PASSWORD,
    WRONG_PASSWORD,
    new_password_errors,
    prove_again,
)
from citizen_account.web.requests import Form
from citizen_account.web.sign_out_words import progress_words
from citizen_account.web.signing_out import leave
from citizen_account.web.throttled import ask_to_wait

router = APIRouter(prefix="/{language}/security", include_in_schema=False)
SIGN_OUTS = 20
NOTICES = {
    "password": m("Your password is changed. Every other device is signed out."),
    "device": m("The device is signed out."),
    "others": m("Every other device is signed out."),
}


@dataclass(frozen=True, slots=True)
class DeviceLine:
    id: SessionId
    summary: str
    """Empty when the browser did not say what it is."""
    signed_in_at: datetime
    last_seen_at: datetime
    is_this: bool


@dataclass(frozen=True, slots=True)
class SignOutLine:
    """A service of which one of her sessions ended, and whether it knows."""

    service: LocalText
    signed_out_at: datetime
    progress: Message


@dataclass(frozen=True, slots=True)
class SecurityPage:
    template: ClassVar = "portal/security.html"
    email: str
    devices: Sequence[DeviceLine]
    sign_outs: Sequence[SignOutLine]
    now: datetime
    password_changed_at: datetime | None
    """None: the account has no password."""
    mail_failing_since: datetime | None
    done: Message | None


@dataclass(frozen=True, slots=True)
class PasswordPage:
    template: ClassVar = "portal/password.html"
    has_password: bool
    email: str
    errors: tuple[FieldError, ...] = ()


@router.get("")
async def show_security(
    request: Request, _: InLanguage, resident: SignedIn, runtime: InRuntime, done: str = ""
) -> Response:
    """Show where the account is signed in, and what opens it."""
    account = resident.account
    async with runtime.database.read() as uow:
        found = await list_devices(uow, account.id, runtime.session_limits)
        password = await uow.credentials.find_password(account.id)
        sign_outs = await _sign_outs(uow, account.id)
    page = SecurityPage(
        email=account.email or "",
        devices=[
            DeviceLine(
                id=device.session.id,
                summary=device.summary,
                signed_in_at=device.session.authenticated_at,
                last_seen_at=device.session.last_seen_at,
                is_this=device.session.id == resident.session.id,
            )
            for device in found
        ],
        sign_outs=sign_outs,
        now=runtime.clock(),
        password_changed_at=None if password is None else password.changed_at,
        mail_failing_since=account.mail_failing_since,
        done=NOTICES.get(done),
    )
    return show(request, frame_of(request, resident), page)


@router.post("/sign-out-device")
async def end_device(sent: SignedInForm, language: InLanguage, runtime: InRuntime) -> Response:
    """Sign one device out."""
    session_id = _session_id(sent.form.text("session"))
    if session_id is not None:
        async with runtime.database.begin() as uow:
            await sign_out_device(uow, sent.resident.account_id, session_id)
    return _back(language, "device")


@router.post("/sign-out-others")
async def end_others(sent: SignedInForm, language: InLanguage, runtime: InRuntime) -> Response:
    """Sign out every device but this one."""
    async with runtime.database.begin() as uow:
        await sign_out_others(uow, sent.resident.account_id, sent.resident.session.id)
    return _back(language, "others")


@router.post("/sign-out-everywhere")
async def end_all(
    request: Request, sent: SignedInForm, language: InLanguage, runtime: InRuntime
) -> Response:
    """Sign out every device with this one, and every service that any of them opened."""
    provider = await provider_of(request)
    async with runtime.database.begin() as uow:
        front_channels = await sign_out_everywhere(uow, provider, sent.resident.session)
    return leave(request, front_channels, f"/{language}/signed-out")


@router.get("/sign-out-device")
@router.get("/sign-out-others")
@router.get("/sign-out-everywhere")
async def lead_back(language: InLanguage) -> Response:
    """Come here after signing in again, when the session had ended before the press."""
    return RedirectResponse(f"/{language}/security", HTTPStatus.SEE_OTHER)


@router.get("/password")
async def show_password(
    request: Request, _: InLanguage, resident: SignedIn, runtime: InRuntime
) -> Response:
    """Ask for the old password and a new one."""
    async with runtime.database.read() as uow:
        stored = await uow.credentials.find_password(resident.account_id)
    return _show_password(request, resident, has_password=stored is not None)


@router.post("/password")
async def set_password(
    request: Request, sent: SignedInForm, language: InLanguage, runtime: InRuntime
) -> Response:
    """Change the password; every other device is signed out."""
    resident, form = sent.resident, sent.form
    async with runtime.database.read() as uow:
        stored = await uow.credentials.find_password(resident.account_id)
    has_password = stored is not None
    errors = _errors(form, resident, runtime, has_password=has_password)
    if errors:
        return _show_password(request, resident, errors, has_password=has_password)
    if has_password:
        given = form.secret("current_password")
        proven = await prove_again(request, runtime, resident.account, given)
        if isinstance(proven, Throttled):
            return ask_to_wait(request, proven, resident)
        if not proven:
            wrong = (FieldError("current-password", WRONG_PASSWORD),)
            return _show_password(request, resident, wrong, has_password=True)
    password_hash = await runtime.hasher.hash(form.secret("new_password"))
    async with runtime.database.begin() as uow:
        renewed = await change_password(uow, resident.account, resident.session, password_hash)
    return enter(runtime, renewed, f"/{language}/security?done=password")


async def _sign_outs(uow: UnitOfWork, account_id: AccountId) -> Sequence[SignOutLine]:
    found = await uow.logout_deliveries.of_account(account_id, size=SIGN_OUTS)
    clients = await uow.clients.find_some([each.client_id for each in found]) if found else {}
    return [
        SignOutLine(clients[each.client_id].name, each.created_at, progress_words(each, uow.now))
        for each in found
        if each.client_id in clients
    ]


def _errors(
    form: Form, resident: Resident, runtime: Runtime, *, has_password: bool
) -> tuple[FieldError, ...]:
    errors = []
    if has_password and not form.secret("current_password"):
        errors.append(FieldError("current-password", ENTER_PASSWORD))
    account = resident.account
    context = ((account.email or "").partition("@")[0], account.profile.name)
    new = form.secret("new_password")
    return (*errors, *new_password_errors("new-password", new, runtime, context))


def _show_password(
    request: Request,
    resident: Resident,
    errors: tuple[FieldError, ...] = (),
    *,
    has_password: bool,
) -> Response:
    page = PasswordPage(has_password, resident.account.email or "", errors)
    return show(request, frame_of(request, resident), page, 422 if errors else 200)


def _back(language: str, done: str) -> Response:
    return RedirectResponse(f"/{language}/security?done={done}", HTTPStatus.SEE_OTHER)


def _session_id(text: str) -> SessionId | None:
    try:
        return SessionId(UUID(text))
    except ValueError:
        return None
