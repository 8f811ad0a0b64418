"""Let a resident close the account: first what stops and what stays, then fourteen days to undo."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from typing import ClassVar

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from citizen_account.domain.texts import LocalText
from citizen_account.domain.upstreams import is_fresh
from citizen_account.usecases.closing import TIME_TO_UNDO, ask_to_close, keep_open
from citizen_account.web.dependencies import InLanguage, InRuntime, SignedIn, SignedInForm
from citizen_account.web.frames import frame_of, show
from citizen_account.web.portal.confirmation import ask_to_confirm

router = APIRouter(prefix="/{language}/privacy", include_in_schema=False)


@dataclass(frozen=True, slots=True)
class ClosePage:
    template: ClassVar = "portal/close.html"
    closing_at: datetime | None
    days: int
    services: Sequence[LocalText]
    """Who loses access, or is no longer shown."""


@router.get("/close")
async def show_close(request: Request, resident: SignedIn, runtime: InRuntime) -> Response:
    async with runtime.database.read() as uow:
        consents = await uow.consents.list_standing(resident.account_id)
        clients = await uow.clients.find_some([consent.client_id for consent in consents])
        links = await uow.connections.list(resident.account_id)
    manifests = runtime.connectors.manifests
    linked = [manifests[one.connector_id].title for one in links if one.connector_id in manifests]
    page = ClosePage(
        closing_at=resident.account.closing_at,
        days=TIME_TO_UNDO.days,
        services=[*(client.name for client in clients.values()), *linked],
    )
    return show(request, frame_of(request, resident), page)


@router.post("/close")
async def close(language: InLanguage, sent: SignedInForm, runtime: InRuntime) -> Response:
    place = f"/{language}/privacy/close"
    if not is_fresh(sent.resident.session.authenticated_at, runtime.clock()):
        return ask_to_confirm(language, place)
    async with runtime.database.begin() as uow:
        await ask_to_close(uow, sent.resident.account)
    return RedirectResponse(place, HTTPStatus.SEE_OTHER)


@router.post("/keep")
async def keep(language: InLanguage, sent: SignedInForm, runtime: InRuntime) -> Response:
    async with runtime.database.begin() as uow:
        await keep_open(uow, sent.resident.account)
    return RedirectResponse(f"/{language}/privacy/close", HTTPStatus.SEE_OTHER)
