"""Sign residents in and out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import ClassVar

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from citizen_account.bootstrap import Runtime
from citizen_account.domain.emails import EmailAddress, read_email
from citizen_account.domain.texts import LocalText
from citizen_account.domain.throttling import Throttled
from citizen_account.i18n import Message, m
from citizen_account.usecases.logout import leave_session
from citizen_account.usecases.sign_in import check_password, complete_sign_in, prepare_sign_in
from citizen_account.web.dependencies import (
    InLanguage,
    InRuntime,
    MaybeSignedIn,
    OurForm,
    language_of,
    maybe_signed_in,
    our_form,
    runtime_of,
)
from citizen_account.web.frames import frame_of, show
from citizen_account.web.oidc.answers import provider_of
from citizen_account.web.pages import FieldError
from citizen_account.web.portal.onward import (
    Destination,
    browser_of,
    enter,
    find_destination,
    onward_place,
    query_of,
    read_onward,
)
from citizen_account.web.portal.proofs import ENTER_PASSWORD
from citizen_account.web.requests import client_address
from citizen_account.web.signing_out import leave
from citizen_account.web.throttled import ask_to_wait

router = APIRouter(prefix="/{language}", include_in_schema=False)
ENTER_EMAIL = m("Enter an email address, for example jana@example.sk")
NOT_RIGHT = m("The email or the password is not right. Check both and try again.")


@dataclass(frozen=True, slots=True)
class OtherWay:
    """A provider that residents may sign in through instead."""

    id: str
    title: LocalText


@dataclass(frozen=True, slots=True)
class SignInPage:
    template: ClassVar = "portal/sign_in.html"
    email: str
    destination: LocalText | None
    onward: Mapping[str, str | None]
    other_ways: Sequence[OtherWay]
    has_saved_form: bool
    why_again: Message | None = None
    errors: tuple[FieldError, ...] = ()


@dataclass(frozen=True, slots=True)
class SignedOutPage:
    template: ClassVar = "portal/signed_out.html"


@router.get("/sign-in")
async def show_sign_in(
    request: Request, language: InLanguage, resident: MaybeSignedIn, runtime: InRuntime
) -> Response:
    """Ask for address and password, and name the service that waits."""
    onward = read_onward(request)
    if resident is not None and not onward.interaction:
        return RedirectResponse(onward_place(language, onward), HTTPStatus.SEE_OTHER)
    known = "" if resident is None else resident.account.email or ""
    return await _show(request, runtime, email=known)


async def sign_in(request: Request) -> Response:
    """Sign in, and lead on to the service or the page that was asked for.

    A plain route: when many come at once, each of FastAPI's steps would be theirs to wait for.
    """
    language = await language_of(request, request.path_params["language"])
    runtime = runtime_of(request)
    form = await our_form(request, runtime)
    email, password = form.text("email"), form.secret("password")
    address = read_email(email)
    errors = []
    if address is None:
        errors.append(FieldError("email", ENTER_EMAIL))
    if not password:
        errors.append(FieldError("password", ENTER_PASSWORD))
    if address is None or errors:
        return await _show(request, runtime, email=email, errors=tuple(errors))
    return await _try(request, runtime, language, address, password)


SIGN_IN = Route("/{language}/sign-in", sign_in, methods=["POST"])


@router.post("/sign-out")
async def sign_out(
    request: Request, language: InLanguage, _: OurForm, resident: MaybeSignedIn, runtime: InRuntime
) -> Response:
    """End the browser's session here and at every service it opened."""
    front_channels: Sequence[str] = ()
    if resident is not None:
        provider = await provider_of(request)
        async with runtime.database.begin_hot() as uow:
            front_channels = await leave_session(uow, provider, resident.session)
    return leave(request, front_channels, f"/{language}/signed-out")


@router.get("/signed-out")
async def show_signed_out(
    request: Request, language: InLanguage, resident: MaybeSignedIn
) -> Response:
    """Say that the browser is signed out."""
    if resident is not None:
        return RedirectResponse(f"/{language}/dashboard", HTTPStatus.SEE_OTHER)
    return show(request, frame_of(request, is_focused=True), SignedOutPage())


async def _try(
    request: Request, runtime: Runtime, language: str, address: EmailAddress, password: str
) -> Response:
    # In a storm it must cost little to be sent away, and then the try does not count.
    browser = browser_of(request, runtime)
    with runtime.hasher.place() as place:
        async with runtime.database.begin_hot() as uow:
            attempt = await prepare_sign_in(
                uow, address, client_address(request, runtime), browser.user_agent
            )
        if isinstance(attempt, Throttled):
            return ask_to_wait(request, attempt)
        checked = await check_password(place, attempt, password)
    async with runtime.database.begin_hot() as uow:
        opened = await complete_sign_in(
            uow,
            checked,
            browser,
            runtime.session_limits,
            runtime.password_method,
        )
    if opened is None:
        wrong = (FieldError("email", NOT_RIGHT),)
        return await _show(request, runtime, email=address.text, errors=wrong)
    return enter(runtime, opened, onward_place(language, read_onward(request)))


async def _show(
    request: Request, runtime: Runtime, *, email: str, errors: tuple[FieldError, ...] = ()
) -> Response:
    onward = read_onward(request)
    destination = Destination()
    if onward.interaction:
        resident = await maybe_signed_in(request, runtime)
        session = None if resident is None else resident.session
        async with runtime.database.read() as uow:
            destination = await find_destination(uow, onward, runtime.issuer, session)
    page = SignInPage(
        email=email or destination.login_hint,
        destination=destination.name,
        onward=query_of(onward),
        other_ways=_other_ways(runtime),
        has_saved_form="saved=" in onward.place,
        why_again=destination.why_again,
        errors=errors,
    )
    # A form here leads away: back to the service that waits, or to another provider.
    leads_away = bool(onward.interaction or page.other_ways)
    frame = frame_of(request, is_focused=True, has_pending_authorization=leads_away)
    status = HTTPStatus.UNPROCESSABLE_ENTITY if errors else HTTPStatus.OK
    return show(request, frame, page, status)


def _other_ways(runtime: Runtime) -> Sequence[OtherWay]:
    return [OtherWay(upstream.id, upstream.title) for upstream in runtime.upstreams]
