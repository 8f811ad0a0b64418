"""The small city's housing list answers what VERA 4.3 Woonruimteverdeling says."""

import re

import pytest

from citizen_account.demo.emulators.faults import Fault
from citizen_account.demo.emulators.vera import RELATIONS
from tests.connectors.city import ACCESS, OTHER, SUBJECT, City
from tests.connectors.specifications import component_faults, members_of, recorded

VERA = "vera/Woonruimteverdeling-4.3.0.yaml"
KEY = {"X-API-KEY": ACCESS.vera_key}
MOMENT = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d+)?Z")
JANA = {"subject": SUBJECT, "reference": "BYT-2024-00318", "secret": "H4VL-8QPA"}
RESOURCES = [
    ("reacties", "Reactiebericht"),
    ("aanbiedingen", "Aanbiedingbericht"),
    ("publicaties", "Publicatiebericht"),
]


@pytest.fixture
def city() -> City:
    return City()


@pytest.mark.parametrize(("resource", "component"), RESOURCES)
async def test_resources_follow_the_openapi(city: City, resource: str, component: str) -> None:
    async with city.client(KEY) as client:
        listed = (await client.get(f"/vera/{resource}")).json()
        single = (await client.get(f"/vera/{resource}/{listed[0]['id']}")).json()
    assert listed
    assert single == listed[0]
    for record in listed:
        assert component_faults(VERA, component, record) == set()
        assert record.keys() <= members_of(VERA, component)


@pytest.mark.parametrize(("resource", "component"), RESOURCES)
async def test_times_have_the_form_that_the_standard_asks(
    city: City, resource: str, component: str
) -> None:
    del component
    async with city.client(KEY) as client:
        listed = (await client.get(f"/vera/{resource}")).json()
    times = [
        value
        for record in listed
        for name, value in record.items()
        if name in {"datum", "vervaldatum", "bezichtigingsdatum"}
    ]
    assert all(MOMENT.fullmatch(value) for value in times)


def test_the_check_of_shapes_accepts_the_example() -> None:
    for record in recorded("vera/prism-generated-reacties.json"):
        assert component_faults(VERA, "Reactiebericht", record) == set()


async def test_the_check_of_shapes_rejects_a_drifted_answer(city: City) -> None:
    city.fails("vera", Fault.DRIFT, drop=[], put={"positie": "first", "datum": 7})
    async with city.client(KEY) as client:
        [record, *_] = (await client.get("/vera/reacties")).json()
    assert component_faults(VERA, "Reactiebericht", record)


async def test_an_application_is_found_by_its_person(city: City) -> None:
    async with city.client(KEY) as client:
        person = {"relaties": RELATIONS + SUBJECT}
        assert (await client.get("/vera/reacties", params=person)).json() == []
        assert (await client.post("/desk/link", json=JANA)).status_code == 200
        [reaction] = (await client.get("/vera/reacties", params=person)).json()
        offer = {"relatie": RELATIONS + SUBJECT}
        [offered] = (await client.get("/vera/aanbiedingen", params=offer)).json()
        nobody = (await client.get("/vera/reacties", params={"relaties": RELATIONS + OTHER})).json()
    assert reaction["positie"] == 4
    assert reaction["relaties"] == [RELATIONS + SUBJECT]
    assert offered["status"]["code"] == "AAN"
    assert nobody == []


async def test_no_key_is_401_with_the_standards_error(city: City) -> None:
    async with city.client({"X-API-KEY": "wrong"}) as client:
        answer = await client.get("/vera/reacties")
        ping = await client.get("/vera/ping")
    assert answer.status_code == 401
    assert component_faults(VERA, "Foutbericht", answer.json()) == set()
    assert ping.status_code == 200


async def test_pages_are_counted_in_headers(city: City) -> None:
    async with city.client(KEY | {"X-Parameters-AantalPerPagina": "1"}) as client:
        first = await client.get("/vera/reacties")
        second = await client.get("/vera/reacties", params={"pagina": 2})
    assert first.headers["x-parameters-aantal"] == "3"
    assert len(first.json()) == len(second.json()) == 1
    assert first.json() != second.json()


async def test_a_lying_system_answers_with_a_stranger(city: City) -> None:
    city.fails("vera", Fault.OTHER_SUBJECT)
    async with city.client(KEY) as client:
        answer = await client.get("/vera/reacties", params={"relaties": RELATIONS + SUBJECT})
    assert answer.json()[0]["relaties"] != [RELATIONS + SUBJECT]
