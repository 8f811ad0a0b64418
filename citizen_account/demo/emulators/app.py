"""Compose the small city's systems into one application: a mount for each standard."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Mount, Route, Router

from citizen_account.demo.city_facts import CITY
from citizen_account.demo.emulators import desk, gbfs, parking, vera, zgw
from citizen_account.demo.emulators.access import Access
from citizen_account.demo.emulators.faults import Drift, ErrorBody, Faults, Faulty
from citizen_account.demo.emulators.register import Register

STANDARDS = ("zgw", "vera", "gbfs", "parking", "desk")


def _utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Systems:
    """The running systems, for tests to look into."""

    register: Register
    faults: Faults
    app: Starlette


def build_systems(
    *,
    clock: Callable[[], datetime] = _utc_now,
    access: Access | None = None,
    links_file: Path | None = None,
) -> Systems:
    """Return the systems with the paper mail unused, or as `links_file` remembers it."""
    keys = access or Access()
    register, faults = Register(path=links_file), Faults(STANDARDS)
    mounts = (
        _mount("zgw", zgw.Zgw(register, keys, clock).routes(), faults, zgw.zgw_error, zgw.DRIFT),
        _mount(
            "vera", vera.Vera(register, keys, clock).routes(), faults, vera.vera_error, vera.DRIFT
        ),
        _mount("gbfs", gbfs.Gbfs(clock).routes(), faults, gbfs.gbfs_error, gbfs.DRIFT),
        _mount(
            "parking",
            parking.Parking(register, keys, clock).routes(),
            faults,
            parking.apds_error,
            parking.DRIFT,
        ),
        _mount("desk", desk.Desk(register, keys, clock).routes(), faults, desk.desk_error, Drift()),
    )
    switches = (
        Route("/", _index),
        Route("/_fault", faults.show, methods=["GET"]),
        Route("/_fault", faults.switch, methods=["POST"]),
    )
    return Systems(register, faults, Starlette(routes=[*switches, *mounts]))


def build_app() -> Starlette:
    """Return the application alone, as a server's factory wants it."""
    return build_systems().app


def _mount(
    standard: str, routes: list[Route], faults: Faults, error_body: ErrorBody, drift: Drift
) -> BaseRoute:
    app = Faulty(Router(routes), standard, faults, error_body, drift)
    return Mount(f"/{standard}", app=app)


async def _index(_: Request) -> Response:
    """Tell a curious developer what runs here."""
    paths = [f"/{standard}" for standard in STANDARDS]
    return JSONResponse({"city": CITY, "systems": paths, "faults": "/_fault"})
