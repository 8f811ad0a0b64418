"""The small city's bike feeds are valid by MobilityData's schemas and by a validator of others."""

from collections.abc import Iterator

import pytest
from gbfs_validator import validate_feed  # type: ignore[import-untyped]  # has no types

from citizen_account.demo.emulators.faults import Fault
from citizen_account.demo.emulators.gbfs import FEEDS
from tests.connectors.city import City, served
from tests.connectors.specifications import Loose, schema_faults

SYSTEMS = [("dunaj-bikes", "2.3"), ("dunaj-ebikes", "3.0")]


@pytest.fixture(scope="module")
def address() -> Iterator[tuple[City, str]]:
    city = City()
    with served(city) as url:
        yield city, url


@pytest.mark.parametrize(("system", "version"), SYSTEMS)
@pytest.mark.parametrize("feed", ["gbfs", *FEEDS])
async def test_feeds_follow_the_official_schemas(system: str, version: str, feed: str) -> None:
    async with City().client() as client:
        answer = await client.get(f"/gbfs/{system}/{version}/{feed}.json")
    assert answer.status_code == 200
    assert schema_faults(f"gbfs/schema/v{version}/{feed}.json", answer.json()) == set()


async def test_the_manifest_of_systems_follows_the_official_schema() -> None:
    async with City().client() as client:
        answer = await client.get("/gbfs/manifest.json")
    assert schema_faults("gbfs/schema/v3.0/manifest.json", answer.json()) == set()


def report(url: str, system: str, version: str) -> dict[str, Loose]:
    feed = f"{url}/gbfs/{system}/{version}/gbfs.json"
    found: dict[str, Loose] = validate_feed(feed, docked=True, version=version)
    return found


@pytest.mark.parametrize(("system", "version"), SYSTEMS)
def test_a_validator_of_others_finds_no_error(
    address: tuple[City, str], system: str, version: str
) -> None:
    found = report(address[1], system, version)
    assert found["summary"]["version"]["validated"] == version
    assert found["summary"]["hasErrors"] is False
    checked = {one["file"] for one in found["files"] if one.get("exists")}
    assert {"station_information.json", "station_status.json"} <= checked


@pytest.mark.parametrize(("system", "version"), SYSTEMS)
def test_the_validator_rejects_a_drifted_feed(
    address: tuple[City, str], system: str, version: str
) -> None:
    city, url = address
    city.fails("gbfs", Fault.DRIFT, drop=["capacity", "is_renting"], put={"lat": "north"})
    try:
        assert report(url, system, version)["summary"]["hasErrors"] is True
    finally:
        city.systems.faults.reset()


async def test_the_old_system_has_every_odd_station() -> None:
    city = City()
    async with city.client() as client:
        base = "/gbfs/dunaj-bikes/2.3"
        status = (await client.get(f"{base}/station_status.json")).json()
        alerts = (await client.get(f"{base}/system_alerts.json")).json()
    stations = status["data"]["stations"]
    now = status["last_updated"]
    assert any(not one["is_installed"] for one in stations)
    assert any(one["is_installed"] and not one["is_renting"] for one in stations)
    assert any(now - one["last_reported"] > 24 * 3600 for one in stations)
    assert alerts["data"]["alerts"][0]["type"] == "station_closure"


async def test_an_unknown_feed_is_404() -> None:
    async with City().client() as client:
        assert (await client.get("/gbfs/dunaj-bikes/2.3/secrets.json")).status_code == 404
        assert (await client.get("/gbfs/dunaj-bikes/3.0/gbfs.json")).status_code == 404
