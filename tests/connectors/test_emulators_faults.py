"""A system of the small city fails the way it was told to, and only that one."""

from json import JSONDecodeError

import httpx2
import pytest

from citizen_account.demo.emulators.app import STANDARDS, build_app
from citizen_account.demo.emulators.faults import Fault
from tests.connectors.city import ACCESS, City, served
from tests.connectors.specifications import component_faults

FEED = "/gbfs/dunaj-bikes/2.3/station_status.json"
REACTIONS = "/vera/reacties"
KEY = {"X-Api-Key": ACCESS.vera_key}


@pytest.fixture
def city() -> City:
    return City()


async def switch(client: httpx2.AsyncClient, **order: object) -> httpx2.Response:
    return await client.post("/_fault", json=order)


@pytest.mark.parametrize(
    ("fault", "status"),
    [("down", 503), ("refuse", 400), ("rate_limited", 429), ("unauthorized", 401)],
)
async def test_a_status_is_answered_in_the_words_of_the_standard(
    city: City, fault: str, status: int
) -> None:
    async with city.client(KEY) as client:
        assert (await switch(client, standard="vera", fault=fault)).status_code == 200
        answer = await client.get(REACTIONS)
        elsewhere = await client.get(FEED)
    assert answer.status_code == status
    specification = "vera/Woonruimteverdeling-4.3.0.yaml"
    assert component_faults(specification, "Foutbericht", answer.json()) == set()
    assert ("retry-after" in answer.headers) is (status in (503, 429))
    assert elsewhere.status_code == 200


async def test_malformed_json_is_cut_in_the_middle(city: City) -> None:
    city.fails("gbfs", Fault.MALFORMED)
    async with city.client() as client:
        answer = await client.get(FEED)
    assert answer.status_code == 200
    with pytest.raises(JSONDecodeError):
        answer.json()


async def test_drift_drops_changes_and_adds(city: City) -> None:
    async with city.client() as client:
        await switch(client, standard="gbfs", fault="drift", drop=["is_renting"], put={"ttl": "x"})
        answer = (await client.get(FEED)).json()
    station = answer["data"]["stations"][0]
    assert answer["ttl"] == "x"
    assert "is_renting" not in station
    assert "x-new-member" in station


async def test_a_huge_answer_is_huge(city: City) -> None:
    city.fails("gbfs", Fault.HUGE, megabytes=3)
    async with city.client() as client:
        assert len((await client.get(FEED)).content) > 3_000_000


async def test_a_fault_ends_after_so_many_times(city: City) -> None:
    city.fails("gbfs", Fault.DOWN, times=2)
    async with city.client() as client:
        statuses = [(await client.get(FEED)).status_code for _ in range(3)]
    assert statuses == [503, 503, 200]


async def test_the_state_is_shown_and_taken_back(city: City) -> None:
    async with city.client() as client:
        await switch(client, standard="zgw", fault="slow", seconds=3)
        shown = (await client.get("/_fault")).json()
        await switch(client, standard="zgw", fault="none")
        after = (await client.get("/_fault")).json()
    assert set(shown) == set(STANDARDS)
    assert (shown["zgw"]["fault"], shown["zgw"]["seconds"]) == ("slow", 3)
    assert after["zgw"]["fault"] == "none"


@pytest.mark.parametrize(
    ("order", "status"),
    [
        ({"standard": "zgw", "fault": "explode"}, 422),
        ({"standard": "fhir", "fault": "down"}, 404),
        ({"standard": "zgw", "fault": "slow", "seconds": 1e9}, 422),
        ({"standard": "zgw", "fault": "slow", "speed": 3}, 422),
    ],
)
async def test_a_wrong_order_is_refused(city: City, order: dict[str, object], status: int) -> None:
    async with city.client() as client:
        answer = await switch(client, **order)
    assert answer.status_code == status
    assert answer.json()["errors"]


async def test_a_reset_breaks_the_connection_in_the_middle(city: City) -> None:
    with served(city):
        city.fails("gbfs", Fault.RESET, times=1)
        async with city.client() as client:
            with pytest.raises(httpx2.RemoteProtocolError):
                await client.get(FEED)
            assert (await client.get(FEED)).status_code == 200


async def test_the_index_names_the_systems() -> None:
    transport = httpx2.ASGITransport(app=build_app())
    async with httpx2.AsyncClient(base_url="http://city.example", transport=transport) as client:
        answer = (await client.get("/")).json()
    assert answer["systems"] == [f"/{standard}" for standard in STANDARDS]
