"""Carry an authorization between its pages and back to the client."""

from dataclasses import dataclass
from http import HTTPStatus
from typing import ClassVar, assert_never
from uuid import UUID

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from citizen_account.domain.errors import DomainError, ErrorCode
from citizen_account.domain.interactions import InteractionId
from citizen_account.domain.texts import LocalText
from citizen_account.openid.authorization import ResponseMode
from citizen_account.openid.authorization_response import ClientAnswer
from citizen_account.security.tokens import digest, new_secret
from citizen_account.usecases.authorization import AlreadyDecided, Outcome, Pending
from citizen_account.usecases.interactions import Caller
from citizen_account.web.cookies import browser_secret
from citizen_account.web.dependencies import maybe_signed_in, runtime_of
from citizen_account.web.frames import frame_of, keep_browser_secret, show, wished_language
from citizen_account.web.places import with_query


@dataclass(frozen=True, slots=True)
class FormPostPage:
    """A form that sends itself to the client, or waits for a click without JavaScript."""

    template: ClassVar = "oidc/form_post.html"
    answer: ClientAnswer


@dataclass(frozen=True, slots=True)
class AlreadyDecidedPage:
    template: ClassVar = "oidc/already_decided.html"
    service: LocalText
    service_url: str


async def caller_of(request: Request) -> Caller:
    """Return which browser asks. One without a secret gets it with the answer."""
    runtime = runtime_of(request)
    resident = await maybe_signed_in(request, runtime)
    secret = browser_secret(request, runtime)
    if not secret:
        if not hasattr(request.state, "new_browser_secret"):
            request.state.new_browser_secret = new_secret()
        secret = request.state.new_browser_secret
    if resident is None:
        return Caller(digest(secret), None)
    return Caller(digest(secret), resident.session, resident.account)


def interaction_id_of(text: str) -> InteractionId:
    """Return the id that an address or a form names. Raises: interaction_unknown."""
    try:
        return InteractionId(UUID(text))
    except ValueError:
        raise DomainError(ErrorCode.INTERACTION_UNKNOWN) from None


def proceed(request: Request, outcome: Outcome) -> Response:
    """Show the next page, or let the browser carry the answer to the client."""
    match outcome:
        case Pending():
            return _lead_on(request, outcome)
        case ClientAnswer():
            return send_to_client(request, outcome)
        case AlreadyDecided(client):
            # RFC 9110 section 15.5.10: of many who come with one request, one is served.
            frame = frame_of(request, is_focused=True)
            page = AlreadyDecidedPage(client.name, client.service_url)
            return show(request, frame, page, HTTPStatus.CONFLICT)
        case unexpected:
            assert_never(unexpected)


def send_to_client(request: Request, answer: ClientAnswer) -> Response:
    if answer.mode is ResponseMode.FORM_POST:
        # OAuth 2.0 Form Post Response Mode section 2.
        frame = frame_of(request, is_focused=True, has_pending_authorization=True)
        return show(request, frame, FormPostPage(answer))
    return leave_for(answer.location)


def leave_for(address: str) -> Response:
    """Redirect to the registered address as it is: nothing in it is quoted anew."""
    # RFC 9700 section 4.12: 303, so that no form of ours is sent to the client again.
    return Response(status_code=HTTPStatus.SEE_OTHER, headers={"Location": address})


def _lead_on(request: Request, pending: Pending) -> Response:
    language = wished_language(request, ui_locales=pending.ui_locales)
    place = with_query(f"/{language}/{pending.stage}", i=str(pending.interaction_id))
    response = RedirectResponse(place, HTTPStatus.SEE_OTHER)
    keep_browser_secret(request, response)
    return response
