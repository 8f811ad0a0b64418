"""The connectors that come with the account are accepted, and the small city configures them."""

from datetime import UTC, datetime
from pathlib import Path

import httpx2

from citizen_account.connector_host.configuration import read_configurations
from citizen_account.connector_host.registry import load_registry
from citizen_account.connector_sdk.acceptance import AcceptanceTarget, Source
from citizen_account.connector_sdk.acceptance import Fault as Asked
from citizen_account.connector_sdk.auth import Credentials
from citizen_account.connector_sdk.checks import Check
from citizen_account.connector_sdk.models import Context
from citizen_account.demo.city import SmallCity
from citizen_account.demo.city_facts import CENTRE, LETTERS
from citizen_account.demo.connectors import connectors_toml
from citizen_account.demo.emulators.faults import Fault
from connectors.housing.connector import build as build_housing
from connectors.mobility.connector import build as build_mobility
from connectors.permits.connector import build as build_permits
from tests.connectors.city import (
    ACCESS,
    OTHER,
    PARKING_KEY,
    SUBJECT,
    VERA_KEY,
    City,
    settings_of,
)

ROOT = Path(__file__).parents[2]
SYSTEMS = {"permits": "zgw", "housing": "vera", "mobility": "parking"}
BUILDS = {"permits": build_permits, "housing": build_housing, "mobility": build_mobility}
SECRETS = {ACCESS.zgw_secret, ACCESS.vera_key, ACCESS.parking_key}


def target_of(name: str, city: City) -> AcceptanceTarget:
    """Return the connector on the small city's systems, where two residents are linked."""
    system = SYSTEMS[name]
    keys: dict[str, Credentials] = {
        "permits": city.zgw_credentials,
        "housing": VERA_KEY,
        "mobility": PARKING_KEY,
    }
    peers = {"desk": Source(f"{city.base}/desk/", keys[name])}
    if name == "mobility":
        peers["bikes"] = Source(f"{city.base}/gbfs/")
    letters = [letter for letter in LETTERS if letter.service == name]
    for subject, letter in zip((SUBJECT, OTHER), letters, strict=False):
        city.systems.register.link(name, letter.reference, letter.secret, subject)

    def inject(asked: Asked) -> None:
        city.fails(system, Fault(asked.value))

    return AcceptanceTarget(
        name=name,
        folder=ROOT / "connectors" / name,
        build=BUILDS[name],
        transport=city.transport,
        source=Source(f"{city.base}/{system}/", keys[name]),
        peers=peers,
        settings=settings_of(name),
        inject=inject,
        residents=(Context(SUBJECT), Context(OTHER)),
        position=(*CENTRE, 2000.0) if name == "mobility" else None,
        secrets=frozenset(SECRETS | {letter.secret for letter in letters}),
        letter=(letters[0].reference, letters[0].secret),
    )


async def test_an_installed_connector_is_accepted(
    connector_id: str, acceptance_check: Check
) -> None:
    # The connectors' own clock is the machine's.
    city = City()
    city.clock.now = datetime.now(UTC)
    await acceptance_check(target_of(connector_id, city))


def test_the_small_city_configures_every_connector(tmp_path: Path) -> None:
    file = tmp_path / "connectors.toml"
    city = SmallCity.in_folder(tmp_path, 8000)
    file.write_text(connectors_toml(city), encoding="utf-8")
    registry = load_registry(
        read_configurations(file),
        lambda _: httpx2.AsyncHTTPTransport(),
        lambda: datetime.now(UTC),
    )
    assert registry.refused == {}
    assert {name: one.problem for name, one in registry.connectors.items()} == {
        "housing": "",
        "mobility": "",
        "permits": "",
    }
