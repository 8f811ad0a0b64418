"""Say where a resident is going once she has signed in: on to a service, back to a page, home."""

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from citizen_account.bootstrap import Runtime
from citizen_account.domain.accounts import NewSession, Session
from citizen_account.domain.challenges import Onward
from citizen_account.domain.clients import Client
from citizen_account.domain.emails import read_email
from citizen_account.domain.errors import DomainError
from citizen_account.domain.interactions import Interaction, InteractionId
from citizen_account.domain.texts import LocalText
from citizen_account.i18n import Message, m
from citizen_account.openid.authorization import RefusedToClient, read_authorization_request
from citizen_account.openid.interaction import Why, why_again
from citizen_account.storage.unit_of_work import UnitOfWork
from citizen_account.usecases.sign_in import Browser
from citizen_account.web.cookies import session_secret, set_session
from citizen_account.web.places import safe_place, with_query


@dataclass(frozen=True, slots=True)
class Destination:
    """The service that waits behind the sign-in, as far as there is one."""

    name: LocalText | None = None
    login_hint: str = ""
    why_again: Message | None = None
    """Why she who has signed in is asked to do it once more."""


WHY = {
    Why.LEVEL: m(
        "The service needs to know more surely that it is you. Sign in with a stronger way,"
        " for example your eID."
    ),
    Why.AGE: m("Your last sign-in was too long ago for this service. Sign in again."),
    Why.WISH: m("The service asks you to sign in again."),
}


def read_onward(request: Request) -> Onward:
    """Read `i`, `next` and `saved`; what is not ours to lead to is dropped."""
    asked = request.query_params
    place = safe_place(asked.get("next"), "")
    saved = _uuid(asked.get("saved", ""))
    if place and saved:
        place += f"{'&' if '?' in place else '?'}saved={saved}"
    return Onward(interaction=_uuid(asked.get("i", "")), place=place)


def query_of(onward: Onward) -> Mapping[str, str | None]:
    """Return what the addresses of the pages on the way carry."""
    return {"i": onward.interaction or None, "next": onward.place or None}


def onward_place(language: str, onward: Onward) -> str:
    if onward.interaction:
        return with_query("/authorize/continue", i=onward.interaction)
    return safe_place(onward.place, f"/{language}/dashboard")


async def find_destination(
    uow: UnitOfWork, onward: Onward, session: Session | None = None
) -> Destination:
    """Return the service to be shown, the address that it suggests, and why it asks once more."""
    if not onward.interaction:
        return Destination()
    interaction = await uow.interactions.find(InteractionId(UUID(onward.interaction)))
    if interaction is None or interaction.client_id is None or interaction.expires_at <= uow.now:
        return Destination()
    client = await uow.clients.find(interaction.client_id)
    hint = read_email(interaction.parameter("login_hint"))
    return Destination(
        name=None if client is None else client.name,
        login_hint="" if hint is None else hint.text,
        why_again=None if session is None else _why_again(interaction, client, session),
    )


def _why_again(interaction: Interaction, client: Client | None, session: Session) -> Message | None:
    try:
        request = read_authorization_request(interaction.parameters, client, is_pushed=True)
    except DomainError:
        return None
    return None if isinstance(request, RefusedToClient) else WHY[why_again(request, session)]


def browser_of(request: Request, runtime: Runtime) -> Browser:
    return Browser(
        user_agent=request.headers.get("user-agent", ""),
        old_session_secret=session_secret(request, runtime) or None,
    )


def enter(runtime: Runtime, opened: NewSession, place: str) -> Response:
    """Hand the browser its session and send it on."""
    response = RedirectResponse(place, 303)
    set_session(response, runtime, opened.secret)
    return response


def _uuid(text: str) -> str:
    try:
        return str(UUID(text))
    except ValueError:
        return ""
