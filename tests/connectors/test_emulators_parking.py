"""The small city's parking system answers what APDS 1.0 says about rights."""

import pytest

from citizen_account.demo.emulators.faults import Fault
from tests.connectors.city import ACCESS, OTHER, SUBJECT, City
from tests.connectors.specifications import Loose, faults

APDS = "apds/APDS_API_bundled-1.0.json"
ASSIGNED = "/paths/~1rights~1assigned/get/responses/200/content/application~1json/schema"
ONE = "/paths/~1rights~1assigned~1%7Bid%7D/get/responses/200/content/application~1json/schema"
SPECIFICATIONS = "/paths/~1rights~1specs/get/responses/200/content/application~1json/schema"
KEY = {"X-Api-Key": ACCESS.parking_key}
PAVOL = {"subject": SUBJECT, "reference": "PARK-2025-08812", "secret": "N8GF-3CVX"}
MINE = {"credential_class": "CityAccountReference", "credential_id": SUBJECT}


@pytest.fixture
def city() -> City:
    return City()


async def rights(city: City, **params: str) -> Loose:
    async with city.client(KEY) as client:
        return (await client.get("/parking/rights/assigned", params=params)).json()


async def test_rights_follow_the_openapi(city: City) -> None:
    async with city.client(KEY) as client:
        await client.post("/desk/link", json=PAVOL)
        one = (await client.get("/parking/rights/assigned/NK-08812")).json()
        specifications = (await client.get("/parking/rights/specs")).json()
    assert faults(APDS, ASSIGNED, await rights(city)) == set()
    assert faults(APDS, ONE, one) == set()
    assert faults(APDS, SPECIFICATIONS, specifications) == set()


async def test_the_check_of_shapes_rejects_a_drifted_answer(city: City) -> None:
    city.fails("parking", Fault.DRIFT)
    assert "$.data[].issueMethod enum" in faults(APDS, ASSIGNED, await rights(city))


async def test_rights_are_found_by_the_residents_reference(city: City) -> None:
    assert (await rights(city, **MINE))["data"] == []
    async with city.client(KEY) as client:
        await client.post("/desk/link", json=PAVOL)
    mine = (await rights(city, **MINE))["data"]
    assert [right["id"] for right in mine] == ["RK-08812", "NK-08812"]
    assert (await rights(city, **MINE | {"credential_id": OTHER}))["data"] == []


async def test_rights_are_found_by_plate(city: City) -> None:
    found = await rights(city, credential_class="SKNumberPlate", credential_id="DM203KL")
    assert {right["id"] for right in found["data"]} == {"RK-11407", "NK-11407"}


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 401),
        ({"X-Api-Key": "wrong"}, 401),
        ({"Authorization": f"Bearer {ACCESS.parking_key}"}, 200),
    ],
)
async def test_a_key_is_needed(city: City, headers: dict[str, str], status: int) -> None:
    async with city.client(headers) as client:
        assert (await client.get("/parking/rights/assigned")).status_code == status
