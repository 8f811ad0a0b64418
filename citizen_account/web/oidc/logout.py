"""Answer /logout (OpenID Connect RP-Initiated Logout 1.0), and ask where it must be asked."""

from dataclasses import dataclass
from http import HTTPStatus
from typing import ClassVar

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from citizen_account.domain.interactions import InteractionId
from citizen_account.domain.texts import LocalText
from citizen_account.usecases.logout import (
    Left,
    LogoutQuestion,
    begin_logout,
    confirm_logout,
    continue_logout,
    park_logout,
)
from citizen_account.web.authorization import caller_of, interaction_id_of
from citizen_account.web.dependencies import InLanguage, MaybeSignedIn, OurForm, runtime_of
from citizen_account.web.frames import frame_of, keep_browser_secret, show, wished_language
from citizen_account.web.oidc.answers import provider_of
from citizen_account.web.places import with_query
from citizen_account.web.requests import parse_fields, read_form
from citizen_account.web.signing_out import leave

router = APIRouter(prefix="/{language}/logout", include_in_schema=False)


@dataclass(frozen=True, slots=True)
class LogoutPage:
    template: ClassVar = "oidc/logout.html"
    interaction_id: InteractionId
    service: LocalText | None


async def logout(request: Request) -> Response:
    """Sign out at once where the service proves its right to ask; else lead to the question."""
    if request.method == "POST":
        return await _take_form(request)
    parameters = parse_fields(request.scope["query_string"])
    provider = await provider_of(request)
    caller = await caller_of(request)
    async with runtime_of(request).database.begin_hot() as uow:
        outcome = await begin_logout(uow, provider, parameters, caller)
    ui_locales = dict(parameters).get("ui_locales", "")
    language = wished_language(request, ui_locales=ui_locales)
    if isinstance(outcome, Left):
        return _leave(request, outcome, language)
    response = _to_question(language, outcome.interaction_id)
    keep_browser_secret(request, response)
    return response


@router.get("")
async def ask(request: Request, language: InLanguage, resident: MaybeSignedIn) -> Response:
    interaction_id = interaction_id_of(request.query_params.get("i", ""))
    provider = await provider_of(request)
    caller = await caller_of(request)
    async with runtime_of(request).database.begin_hot() as uow:
        outcome = await continue_logout(uow, provider, interaction_id, caller)
    if isinstance(outcome, Left):
        return _leave(request, outcome, language)
    frame = frame_of(request, resident, is_focused=True, has_pending_authorization=True)
    return show(request, frame, _page(outcome))


@router.post("")
async def confirm(request: Request, language: InLanguage, form: OurForm) -> Response:
    interaction_id = interaction_id_of(form.text("i"))
    provider = await provider_of(request)
    caller = await caller_of(request)
    async with runtime_of(request).database.begin_hot() as uow:
        left = await confirm_logout(uow, provider, interaction_id, caller)
    return _leave(request, left, language)


async def _take_form(request: Request) -> Response:
    # SameSite=Lax cookies stay away from another site's form: the next address brings them.
    parameters = await read_form(request)
    provider = await provider_of(request)
    async with runtime_of(request).database.begin_hot() as uow:
        parked = await park_logout(uow, provider, parameters)
    ui_locales = dict(parameters).get("ui_locales", "")
    return _to_question(wished_language(request, ui_locales=ui_locales), parked)


def _to_question(language: str, interaction_id: InteractionId) -> Response:
    place = with_query(f"/{language}/logout", i=str(interaction_id))
    return RedirectResponse(place, HTTPStatus.SEE_OTHER)


def _page(question: LogoutQuestion) -> LogoutPage:
    client = question.client
    return LogoutPage(question.interaction_id, None if client is None else client.name)


def _leave(request: Request, left: Left, language: str) -> Response:
    return leave(request, left.front_channels, left.return_to or f"/{language}/signed-out")
