"""Build the national eID of the small city: our own provider once more, plainly a test."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar
from urllib.parse import urlsplit

from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from citizen_account.app import create_app
from citizen_account.bootstrap import Runtime, build_runtime
from citizen_account.demo import seed
from citizen_account.demo.city import Part, SmallCity
from citizen_account.demo.personas import EID_PERSONAS, Persona
from citizen_account.domain.accounts import Level, SignInMethod
from citizen_account.i18n import m
from citizen_account.settings import Settings
from citizen_account.telemetry import configure_logging
from citizen_account.web.frames import frame_of, show

# A real eID checks a card and its PIN. Ours pretends to, so that the city has a high level to show.
PRETENDED_CARD = SignInMethod(("hwk", "pin"), Level.HIGH)
NAME = m("National eID (test)")
TEMPLATES = Path(__file__).parent / "templates" / "eid"


@dataclass(frozen=True, slots=True)
class PeoplePage:
    """Whom a visitor may be; a real eID has no such page."""

    template: ClassVar[str] = "development/people.html"
    people: Sequence[Persona]


async def people(request: Request) -> Response:
    return show(request, frame_of(request, is_focused=True), PeoplePage(EID_PERSONAS))


async def build(folder: Path) -> FastAPI:
    """Return the application of this environment, once its database is ready."""
    configure_logging()
    settings = Settings()
    port = (urlsplit(settings.issuer).port or 80) - list(Part).index(Part.EID)
    await _prepare(
        SmallCity.in_folder(folder, port),
        build_runtime(settings),
        settings.database_url.get_secret_value(),
    )
    return create_app(
        _disguised(build_runtime(settings)),
        with_worker=True,
        more_routes=[Route("/dev/people", people)],
    )


def _disguised(runtime: Runtime) -> Runtime:
    """Let it look and answer like an eID, and say on every page that it is a test."""
    return replace(
        runtime,
        city=replace(runtime.city, product=NAME),
        password_method=PRETENDED_CARD,
        template_folders=(TEMPLATES, *runtime.template_folders),
    )


async def _prepare(city: SmallCity, runtime: Runtime, database_url: str) -> None:
    try:
        await seed.seed_eid(city, runtime, database_url)
    finally:
        await runtime.database.close()
