"""Show the bikes and docks near home, as their sources last said."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from typing import ClassVar

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from citizen_account.connector_sdk.models import Place, PlaceState, in_language
from citizen_account.i18n import Message, m, mn
from citizen_account.usecases.places import NearPlace, choose_home, show_neighbourhood
from citizen_account.web.dependencies import InLanguage, InRuntime, SignedIn, SignedInForm
from citizen_account.web.frames import frame_of, show

router = APIRouter(prefix="/{language}/places", include_in_schema=False)

SHOWN = 30
STATES = {
    PlaceState.AVAILABLE: m("Open"),
    PlaceState.EMPTY: m("No bike now"),
    PlaceState.CLOSED: m("Closed"),
    PlaceState.UNKNOWN: m("Not known"),
}


@dataclass(frozen=True, slots=True)
class PlaceLine:
    id: str
    name: str
    metres: int | None
    said: Message
    is_open: bool
    figures: Sequence[Message]
    is_home: bool


@dataclass(frozen=True, slots=True)
class NearbyPage:
    template: ClassVar = "portal/nearby.html"
    lines: Sequence[PlaceLine]
    choices: Sequence[tuple[str, str]]
    has_home: bool
    as_of: datetime | None
    silent_since: datetime | None
    now: datetime


@router.get("")
async def show_nearby(
    request: Request, language: InLanguage, resident: SignedIn, runtime: InRuntime
) -> Response:
    async with runtime.database.read() as uow:
        around = await show_neighbourhood(uow, resident.account_id)
    home_id = "" if around.home is None else around.home.place_id
    names = [(one.place.id, in_language(one.place.name, language)) for one in around.places]
    page = NearbyPage(
        lines=[place_line(one, language, home_id) for one in around.places[:SHOWN]],
        choices=sorted(names, key=lambda pair: pair[1]),
        has_home=around.home is not None,
        as_of=around.as_of,
        silent_since=around.failing_since,
        now=runtime.clock(),
    )
    return show(request, frame_of(request, resident), page)


@router.post("")
async def save_home(language: InLanguage, sent: SignedInForm, runtime: InRuntime) -> Response:
    async with runtime.database.begin() as uow:
        await choose_home(uow, sent.resident.account_id, sent.form.text("place"))
    return RedirectResponse(f"/{language}/places", HTTPStatus.SEE_OTHER)


def place_line(near: NearPlace, language: str, home_id: str) -> PlaceLine:
    place = near.place
    return PlaceLine(
        id=place.id,
        name=in_language(place.name, language),
        metres=near.metres,
        said=_said(place),
        is_open=place.state is PlaceState.AVAILABLE,
        figures=_figures(place),
        is_home=place.id == home_id,
    )


def _said(place: Place) -> Message:
    # A station may hold bikes and lend none: it only takes them back.
    if place.details.get("is_renting") is False and place.details.get("is_returning"):
        return m("Returns only")
    return STATES[place.state]


def _figures(place: Place) -> Sequence[Message]:
    bikes, docks = place.details.get("bikes"), place.details.get("docks")
    figures = []
    if isinstance(bikes, int):
        figures.append(mn("%(num)s bike", "%(num)s bikes", bikes))
    if isinstance(docks, int):
        figures.append(mn("%(num)s free dock", "%(num)s free docks", docks))
    return figures
