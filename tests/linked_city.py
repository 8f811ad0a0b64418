"""Give a test an account whose connectors reach the small city's systems, without a socket."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from citizen_account.app import create_app
from citizen_account.bootstrap import Runtime
from citizen_account.connector_host.configuration import read_configurations
from citizen_account.connector_host.connectors import Connectors
from citizen_account.connector_host.registry import load_registry
from citizen_account.connector_host.runner import Patience, Runner
from citizen_account.demo.city_facts import letters
from citizen_account.demo.connectors import TEMPLATE
from citizen_account.demo.emulators.access import Access
from citizen_account.domain.places import Position
from citizen_account.jobs.connections import refresh_snapshots
from tests.connectors.city import BASE, City
from tests.factories import Clock, work_off
from tests.pages import Visitor

CENTRE = Position(47.8853, 17.7262)


@dataclass(frozen=True)
class LinkedCity:
    runtime: Runtime
    systems: City
    visitor: Visitor

    async def work(self) -> None:
        """Do what the worker would do now."""
        await work_off(self.runtime)
        await refresh_snapshots(self.runtime)


@asynccontextmanager
async def linked_city(runtime: Runtime, clock: Clock, folder: Path) -> AsyncIterator[LinkedCity]:
    systems = City(clock)
    file = folder / "connectors.toml"
    file.write_text(TEMPLATE.format(here=BASE, keys=Access()), encoding="utf-8")
    registry = load_registry(read_configurations(file), lambda _: systems.transport, clock)
    impatient = Patience(attempts=1)
    connectors = Connectors(registry, Runner(registry, runtime.database, clock, impatient))
    city = replace(runtime.city, position=CENTRE)
    linked = replace(runtime, connectors=connectors, city=city)
    # Imported late, as the app is: see tests/conftest.py.
    from tests.conftest import client_of  # noqa: PLC0415  # as said above

    async with client_of(create_app(linked)) as client:
        yield LinkedCity(linked, systems, Visitor(client))


def letter_for(service: str, persona: str = "new resident") -> tuple[str, str]:
    """Return the reference and the secret of a letter of the small city."""
    return letters_for(service, persona)[0]


def letters_for(service: str, persona: str = "new resident") -> list[tuple[str, str]]:
    """Return the references and secrets of all such letters."""
    return [
        (one["reference"], one["secret"])
        for one in letters()
        if (one["service"], one["persona"]) == (service, persona)
    ]
