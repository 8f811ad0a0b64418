"""The mobility connector shows parking rights and bikes nearby, each without the other's faults."""

import json
import logging
from collections.abc import Mapping, Sequence
from datetime import timedelta

import httpx2
import pytest

from citizen_account.connector_sdk.errors import ConnectorError, Misconfigured, Refused, Unavailable
from citizen_account.connector_sdk.http import ConnectorHttp
from citizen_account.connector_sdk.models import (
    Condition,
    Context,
    Entitlement,
    EntitlementState,
    ExportNode,
    LinkState,
    Place,
    PlaceState,
    Remaining,
    in_language,
)
from citizen_account.connector_sdk.protocol import Connector
from citizen_account.demo.city_facts import CENTRE
from citizen_account.demo.emulators.faults import Fault
from connectors.mobility.connector import Parking, assemble, build
from connectors.mobility.nearby import distance
from tests.connectors.city import (
    BECOMES,
    OTHER,
    PARKING_KEY,
    SUBJECT,
    City,
    leaks,
    served,
    settings_of,
)

PAVOL = Context(SUBJECT)
LETTER = ("PARK-2025-08812", "N8GF-3CVX")
PERSONAL = (SUBJECT, "DM418HR", "RK-08812", "N8GF")
OLD, NEW = "dunaj-bikes/2.3/gbfs.json", "dunaj-ebikes/3.0/gbfs.json"


@pytest.fixture
def city() -> City:
    return City()


def mobility_of(city: City, *, seconds: float = 5, **settings: str) -> Connector:
    beside = {"desk": city.http("desk", PARKING_KEY), "bikes": city.http("gbfs", seconds=seconds)}
    http = ConnectorHttp(
        f"{city.base}/parking/",
        city.transport,
        credentials=PARKING_KEY,
        timeout_seconds=seconds,
        peers=beside,
    )
    return assemble(settings_of("mobility") | settings, http, city.clock)


def parking_of(city: City, *, seconds: float = 5) -> Parking:
    parking = mobility_of(city, seconds=seconds).entitlements
    assert isinstance(parking, Parking)
    return parking


async def linked(city: City) -> Parking:
    parking = parking_of(city)
    await parking.link(PAVOL, *LETTER)
    return parking


async def cards_of(parking: Parking) -> Mapping[str, Entitlement]:
    return {card.ref: card for card in (await parking.mine(PAVOL)).records}


# --- parking ------------------------------------------------------------------------------------


async def test_a_letter_links_and_a_wrong_secret_does_not(city: City) -> None:
    parking = parking_of(city)
    with pytest.raises(Refused) as refusal:
        await parking.link(PAVOL, LETTER[0], "AAAA-AAAA")
    assert refusal.value.why == "wrong_secret"
    assert (await parking.link(PAVOL, *LETTER)).state is LinkState.LINKED


async def test_a_resident_card_with_plate_zone_and_validity(city: City) -> None:
    card = (await cards_of(await linked(city)))["RK-08812"]
    assert card.subject == SUBJECT
    assert card.kind == "resident-parking"
    assert in_language(card.title, "sk") == "Rezidentská karta, zóna DM1"
    assert in_language(card.title, "en") == "Resident card, zone DM1"
    assert card.credentials == ("DM418HR",)
    assert card.areas == ("DM1",)
    assert card.state is EntitlementState.ACTIVE
    assert card.valid_to is not None
    assert card.valid_to - city.clock.now < timedelta(days=15)
    assert card.remaining is None


async def test_a_visitor_card_has_its_remaining_minutes(city: City) -> None:
    card = (await cards_of(await linked(city)))["NK-08812"]
    assert card.kind == "visitor-parking"
    assert card.remaining == Remaining(1260, "minutes")


async def test_a_card_that_ran_out_has_expired(city: City) -> None:
    parking = await linked(city)
    later = city.clock.now + timedelta(days=60)
    late = Parking(parking.apds, parking.desk, parking.source, lambda: later)
    assert (await cards_of(late))["RK-08812"].state is EntitlementState.EXPIRED


async def test_an_unknown_resident_has_no_cards(city: City) -> None:
    parking = await linked(city)
    assert (await parking.mine(Context(OTHER))).records == ()


async def test_unlinking_twice_is_fine_and_ends_the_view(city: City) -> None:
    parking = await linked(city)
    await parking.unlink(PAVOL)
    await parking.unlink(PAVOL)
    assert await cards_of(parking) == {}


def words_of(nodes: tuple[ExportNode, ...]) -> str:
    return " ".join(f"{node.key} {node.value} {words_of(node.children)}" for node in nodes)


async def test_the_export_covers_all_that_is_shown(city: City) -> None:
    export = await (await linked(city)).export(PAVOL)
    said = words_of(export.nodes)
    assert export.subject == SUBJECT
    for word in ("RK-08812", "NK-08812", "DM418HR", "DM1", "1260", SUBJECT):
        assert word in said


async def test_erasing_is_refused_with_the_law_while_there_are_cards(city: City) -> None:
    parking = parking_of(city)
    assert (await parking.erase(PAVOL, dry_run=False)).is_allowed
    assert (await parking.export(PAVOL)).nodes == ()
    await parking.link(PAVOL, *LETTER)
    for dry_run in (True, False, False):
        [refusal] = (await parking.erase(PAVOL, dry_run=dry_run)).refusals
        for language in ("sk", "en"):
            assert "431/2002" in in_language(refusal.text, language)
    assert len(await cards_of(parking)) == 2


@pytest.mark.parametrize("fault", BECOMES)
async def test_a_fault_becomes_its_error_and_says_nothing_personal(
    city: City, caplog: pytest.LogCaptureFixture, fault: Fault
) -> None:
    caplog.set_level(logging.DEBUG)
    await linked(city)
    city.fails("parking", fault, seconds=9)
    with pytest.raises(BECOMES[fault]) as failure:
        await parking_of(city, seconds=0.5).mine(PAVOL)
    assert leaks(failure.value, caplog.records, *PERSONAL) == []


async def test_a_broken_connection_is_unavailable(city: City) -> None:
    with served(city):
        parking = await linked(city)
        city.fails("parking", Fault.RESET)
        with pytest.raises(Unavailable):
            await parking.mine(PAVOL)


async def test_drift_of_optional_members_costs_only_themselves(
    city: City, caplog: pytest.LogCaptureFixture
) -> None:
    parking = await linked(city)
    city.fails("parking", Fault.DRIFT)
    card = (await cards_of(parking))["RK-08812"]
    assert in_language(card.title, "en") == "Resident parking card"
    assert card.valid_to is None
    assert card.credentials == ("DM418HR",)
    assert leaks(ValueError(), caplog.records, *PERSONAL) == []


async def test_a_source_of_another_shape_is_misconfigured(city: City) -> None:
    parking = await linked(city)
    city.fails("parking", Fault.DRIFT, drop=["rightHolder"])
    with pytest.raises(Misconfigured):
        await parking.mine(PAVOL)


async def test_a_lying_source_is_found_out_by_the_owner_it_states(city: City) -> None:
    parking = await linked(city)
    city.fails("parking", Fault.OTHER_SUBJECT)
    answer = await parking.mine(PAVOL)
    assert answer.records
    assert all(card.subject != SUBJECT for card in answer.records)
    assert (await parking.export(PAVOL)).subject != SUBJECT


# --- bikes --------------------------------------------------------------------------------------


async def near(
    city: City, radius: float = 3000, bike_feeds: str = f"{OLD} {NEW}"
) -> Sequence[Place]:
    places = mobility_of(city, bike_feeds=bike_feeds).places
    assert places is not None
    return (await places.near(*CENTRE, radius)).records


async def test_both_systems_are_listed_the_nearest_first(city: City) -> None:
    found = await near(city)
    away = [distance(*CENTRE, place.lat, place.lon) for place in found]
    assert away == sorted(away)
    assert {place.id[:2] for place in found} == {"dm", "dn"}
    assert len(found) == 10


@pytest.mark.parametrize("feed", [OLD, NEW])
async def test_either_version_gives_the_same_picture(city: City, feed: str) -> None:
    place = (await near(city, bike_feeds=feed))[0]
    assert place.kind == "bike-dock"
    assert place.state is PlaceState.AVAILABLE
    assert in_language(place.name, "sk") in ("Hlavné námestie", "Knižnica")
    wanted = {"bikes", "docks", "ebikes", "is_renting", "is_returning", "is_stale"}
    assert place.details.keys() == wanted
    assert place.fresh_until is not None


async def test_the_radius_and_the_kinds_are_kept(city: City) -> None:
    assert {place.id for place in await near(city, 200)} == {"dm-001", "dm-002", "dn-001"}
    places = mobility_of(city).places
    assert places is not None
    assert (await places.near(*CENTRE, 3000, ["tram-stop"])).records == ()
    assert (await places.near(*CENTRE, 200, ["bike-dock"])).records
    assert (await places.near(-33.0, 151.0, 5000)).records == ()


async def test_odd_stations_say_what_is_the_matter(city: City) -> None:
    found = {place.id: place for place in await near(city, bike_feeds=OLD)}
    assert found["dm-002"].state is PlaceState.EMPTY
    assert found["dm-004"].state is PlaceState.EMPTY
    assert found["dm-004"].details["is_renting"] is False
    assert found["dm-004"].details["docks"] == 10
    assert found["dm-005"].state is PlaceState.CLOSED
    assert "zatvorená" in str(found["dm-005"].details["alert"])
    assert found["dm-006"].state is PlaceState.UNKNOWN
    assert found["dm-006"].details["is_stale"] is True


class Recording(httpx2.AsyncBaseTransport):
    """Pass requests on and remember them."""

    def __init__(self, inner: httpx2.AsyncBaseTransport) -> None:
        self.inner = inner
        self.requests: list[httpx2.Request] = []

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        self.requests.append(request)
        return await self.inner.handle_async_request(request)


async def test_bikes_are_asked_for_without_anything_of_a_resident(city: City) -> None:
    city.transport = recording = Recording(city.transport)
    await near(city)
    for request in recording.requests:
        assert request.url.path.startswith("/gbfs/")
        assert not request.url.query
        assert not {"authorization", "cookie", "x-api-key"} & set(request.headers)


async def test_feeds_are_kept_as_long_as_they_ask_for(city: City) -> None:
    city.transport = recording = Recording(city.transport)
    places = mobility_of(city, bike_feeds=OLD).places
    assert places is not None
    await places.near(*CENTRE, 500)
    first = len(recording.requests)
    await places.near(*CENTRE, 500)
    assert len(recording.requests) == first
    city.clock.now += timedelta(seconds=40)
    await places.near(*CENTRE, 500)
    again = {request.url.path.rsplit("/", 1)[-1] for request in recording.requests[first:]}
    assert again == {"station_status.json", "system_alerts.json"}


async def test_one_system_that_fails_leaves_the_other(city: City) -> None:
    found = await near(city, bike_feeds=f"nowhere/2.3/gbfs.json {NEW}")
    assert {place.id[:2] for place in found} == {"dn"}


@pytest.mark.parametrize("fault", BECOMES)
async def test_a_fault_of_the_bikes_is_an_error_of_the_sdk(city: City, fault: Fault) -> None:
    city.fails("gbfs", fault, seconds=9)
    places = mobility_of(city, seconds=0.5).places
    assert places is not None
    with pytest.raises(BECOMES[fault]):
        await places.near(*CENTRE, 500)


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"drop": ["is_renting"]}, Misconfigured),
        ({"drop": [], "put": {"lat": 1000}}, Misconfigured),
        ({"drop": ["feeds"]}, ConnectorError),
        ({"drop": ["stations"]}, ConnectorError),
        ({"drop": [], "put": {"last_updated": "then"}}, Unavailable),
        ({"drop": [], "put": {"version": "1.1"}}, Misconfigured),
    ],
)
async def test_bikes_of_another_shape_are_an_error_of_the_sdk(
    city: City, change: dict[str, object], error: type[ConnectorError]
) -> None:
    city.fails("gbfs", Fault.DRIFT, **change)
    with pytest.raises(error):
        await near(city)


async def test_drift_of_optional_members_leaves_the_stations(city: City) -> None:
    change = {"last_reported": "then", "ttl": "long", "alerts": 3, "num_docks_available": None}
    city.fails("gbfs", Fault.DRIFT, drop=["vehicle_types_available", "capacity"], put=change)
    found = await near(city, bike_feeds=NEW)
    assert found[0].state is PlaceState.AVAILABLE
    assert "docks" not in found[0].details
    assert "ebikes" not in found[0].details


async def test_a_feed_that_points_elsewhere_is_not_followed(city: City) -> None:
    async def hostile(request: httpx2.Request) -> httpx2.Response:
        feeds = [
            {"name": name, "url": "http://169.254.169.254/latest/meta-data"}
            for name in ("station_information", "station_status")
        ]
        assert request.url.host == "city.example"
        body = {"last_updated": 1, "ttl": 1, "version": "2.3", "data": {"sk": {"feeds": feeds}}}
        return httpx2.Response(200, content=json.dumps(body))

    city.transport = httpx2.MockTransport(hostile)
    with pytest.raises(Misconfigured):
        await near(city, bike_feeds=OLD)


# --- health -------------------------------------------------------------------------------------


async def test_health_names_each_capability(city: City) -> None:
    health = mobility_of(city).health
    report = await health.check()
    assert set(report.capabilities) == {"entitlements", "gdpr", "link", "places"}
    assert report.condition is Condition.OK


async def test_health_tells_the_parts_apart(city: City) -> None:
    city.fails("gbfs", Fault.DOWN)
    report = await mobility_of(city).health.check()
    assert report.capabilities["places"].condition is Condition.DOWN
    assert report.capabilities["entitlements"].condition is Condition.OK
    city.systems.faults.reset()
    half = await mobility_of(city, bike_feeds=f"nowhere/gbfs.json {NEW}").health.check()
    assert half.capabilities["places"].condition is Condition.DEGRADED
    city.fails("parking", Fault.UNAUTHORIZED)
    refused = await mobility_of(city).health.check()
    assert refused.capabilities["entitlements"].condition is Condition.MISCONFIGURED


def test_the_entry_point_builds_what_the_manifest_declares(city: City) -> None:
    beside = {"desk": city.http("desk", PARKING_KEY), "bikes": city.http("gbfs")}
    http = ConnectorHttp(f"{city.base}/parking/", city.transport, peers=beside)
    connector = build(settings_of("mobility"), http)
    assert connector.capabilities == {"link", "entitlements", "places", "gdpr", "health"}
