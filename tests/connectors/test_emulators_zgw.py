"""The small city's case system answers what Zaken 1.5 and Catalogi say, as Open Zaak does."""

import time
from datetime import timedelta

import httpx2
import pytest
from joserfc import jwt
from joserfc.jwk import OctKey

from citizen_account.demo.emulators.faults import Fault
from tests.connectors.city import ACCESS, OTHER, SUBJECT, City
from tests.connectors.specifications import component_faults, recorded

ZAKEN = "zgw/zaken-1.5.1-openapi.local.yaml"
CATALOGI = "zgw/catalogi-openapi.yaml"
RECORDED = "zgw/recorded-openzaak-1.30"
FILTER = "rol__betrokkeneIdentificatie__natuurlijkPersoon__anpIdentificatie"
CASES = "/zgw/zaken/api/v1/zaken"
JANA = {"reference": "MAG-2026-47301", "secret": "K7QP-4MZD"}


@pytest.fixture
def city() -> City:
    return City()


async def client_of(city: City) -> httpx2.AsyncClient:
    return city.client(await city.zgw_headers())


async def link(client: httpx2.AsyncClient, subject: str = SUBJECT, **letter: str) -> int:
    answer = await client.post("/desk/link", json={"subject": subject, **JANA, **letter})
    return answer.status_code


def tolerated(specification: str, component: str, file: str) -> set[str]:
    """Return where Open Zaak's own recorded answer breaks its OpenAPI."""
    if not file:
        return set()
    return component_faults(specification, component, recorded(f"{RECORDED}/{file}.json")["body"])


LISTS = [
    ("/zaken/api/v1/zaken", ZAKEN, "PaginatedExpandZaakList", "zaken_list_for_resident"),
    ("/zaken/api/v1/statussen", ZAKEN, "PaginatedStatusList", "statussen_list"),
    ("/zaken/api/v1/resultaten", ZAKEN, "PaginatedResultaatList", ""),
    ("/catalogi/api/v1/zaaktypen", CATALOGI, "PaginatedZaakTypeList", "zaaktypen_list"),
    ("/catalogi/api/v1/statustypen", CATALOGI, "PaginatedStatusTypeList", "statustypen_list"),
    ("/catalogi/api/v1/resultaattypen", CATALOGI, "PaginatedResultaatTypeList", ""),
]


@pytest.mark.parametrize(("path", "specification", "component", "file"), LISTS)
async def test_lists_break_the_openapi_no_more_than_open_zaak(
    city: City, path: str, specification: str, component: str, file: str
) -> None:
    async with await client_of(city) as client:
        answer = await client.get(f"/zgw{path}")
        one = await client.get(answer.json()["results"][0]["url"])
    allowed = tolerated(specification, component, file)
    assert answer.json()["count"] > 0
    assert component_faults(specification, component, answer.json()) <= allowed
    single = component.removeprefix("Paginated").removesuffix("List")
    singles = {place.replace("$.results[]", "$") for place in allowed}
    assert one.status_code == 200
    assert component_faults(specification, single, one.json()) <= singles


async def test_roles_and_properties_follow_the_openapi(city: City) -> None:
    async with await client_of(city) as client:
        await link(client)
        roles = (await client.get("/zgw/zaken/api/v1/rollen")).json()["results"]
        cases = (await client.get(CASES, params={FILTER: SUBJECT})).json()["results"]
        properties = [
            one
            for case in cases
            for one in (await client.get(f"{case['url']}/zaakeigenschappen")).json()
        ]
    allowed = tolerated(ZAKEN, "natuurlijk_persoon_RolSerializer", "rol_create")
    for role in roles:
        assert component_faults(ZAKEN, "natuurlijk_persoon_RolSerializer", role) <= allowed
    assert len(properties) == 2
    for one in properties:
        assert component_faults(ZAKEN, "ZaakEigenschap", one) == set()


async def test_the_check_of_shapes_rejects_a_drifted_answer(city: City) -> None:
    city.fails("zgw", Fault.DRIFT)
    async with await client_of(city) as client:
        answer = await client.get("/zgw/catalogi/api/v1/statustypen")
    found = component_faults(CATALOGI, "PaginatedStatusTypeList", answer.json())
    assert found - tolerated(CATALOGI, "PaginatedStatusTypeList", "statustypen_list")


@pytest.mark.parametrize(
    ("path", "file"),
    [
        (CASES, "zaken_list_for_resident"),
        ("/zgw/zaken/api/v1/statussen", "statussen_list"),
        ("/zgw/catalogi/api/v1/statustypen", "statustypen_list"),
        ("/zgw/catalogi/api/v1/zaaktypen", "zaaktypen_list"),
    ],
)
async def test_records_have_the_members_that_open_zaak_answers(
    city: City, path: str, file: str
) -> None:
    async with await client_of(city) as client:
        answer = (await client.get(path)).json()
    real = recorded(f"{RECORDED}/{file}.json")["body"]
    assert answer.keys() == real.keys()
    assert answer["results"][0].keys() == real["results"][0].keys()


async def test_a_residents_cases_are_those_of_her_letter(city: City) -> None:
    async with await client_of(city) as client:
        assert (await client.get(CASES, params={FILTER: SUBJECT})).json()["count"] == 0
        assert await link(client) == 200
        found = (await client.get(CASES, params={FILTER: SUBJECT})).json()
        others = (await client.get(CASES, params={FILTER: OTHER})).json()
    assert [case["identificatie"] for case in found["results"]] == [
        "PK-2026-10482",
        "MAG-2026-47288",
    ]
    assert others["count"] == 0


async def test_dates_move_with_the_day(city: City) -> None:
    async with await client_of(city) as client:
        await link(client)
        before = (await client.get(CASES, params={FILTER: SUBJECT})).json()["results"][0]
    city.clock.now += timedelta(days=400)
    async with await client_of(city) as client:
        after = (await client.get(CASES, params={FILTER: SUBJECT})).json()["results"][0]
    assert after["startdatum"] > before["startdatum"]
    assert after["uiterlijkeEinddatumAfdoening"] > city.clock.now.date().isoformat()


async def test_a_reference_of_18_characters_is_refused_as_open_zaak_does(city: City) -> None:
    async with await client_of(city) as client:
        answer = await client.get(CASES, params={FILTER: "x" * 18})
        assert (await client.get(CASES, params={FILTER: "x" * 17})).status_code == 200
    real = recorded(f"{RECORDED}/rol_error_anp_too_long.json")
    assert answer.status_code == real["status"] == 400
    assert component_faults(ZAKEN, "ValidatieFout", answer.json()) == set()
    [given], [wanted] = answer.json()["invalidParams"], real["body"]["invalidParams"]
    assert (given["code"], given["reason"]) == (wanted["code"], wanted["reason"])


@pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer nonsense"}])
async def test_no_token_is_403_as_recorded(city: City, headers: dict[str, str]) -> None:
    async with city.client(headers) as client:
        answer = await client.get(CASES)
    real = recorded(f"{RECORDED}/error_403_no_token.json")
    assert answer.status_code == real["status"]
    assert answer.json().keys() == real["body"].keys()
    assert answer.json()["code"] == real["body"]["code"]
    assert answer.json()["title"] == real["body"]["title"]


@pytest.mark.parametrize(
    "claims",
    [
        {"client_id": "somebody-else", "iat": 0},
        {"client_id": ACCESS.zgw_client_id, "iat": -7300},
        {"client_id": ACCESS.zgw_client_id},
    ],
)
async def test_a_token_of_another_client_or_an_old_one_is_refused(
    city: City, claims: dict[str, object]
) -> None:
    now = int(city.clock.now.timestamp())
    if isinstance(age := claims.get("iat"), int):
        claims = claims | {"iat": now + age}
    token = jwt.encode({"alg": "HS256"}, claims, OctKey.import_key(ACCESS.zgw_secret))
    async with city.client({"Authorization": f"Bearer {token}"}) as client:
        assert (await client.get(CASES)).status_code == 403


async def test_an_unknown_case_is_404_as_recorded(city: City) -> None:
    async with await client_of(city) as client:
        answer = await client.get(f"{CASES}/00000000-0000-4000-8000-000000000000")
    real = recorded(f"{RECORDED}/error_404.json")
    assert answer.status_code == real["status"]
    assert answer.json().keys() == real["body"].keys()
    assert answer.json()["title"] == real["body"]["title"]
    assert answer.headers["api-version"] == real["headers"]["api-version"]


async def test_an_unknown_filter_is_refused(city: City) -> None:
    async with await client_of(city) as client:
        answer = await client.get(CASES, params={"burger": SUBJECT})
    assert answer.status_code == 400
    assert answer.json()["invalidParams"][0]["code"] == "unknown-parameters"


async def test_pages_lead_to_the_end(city: City) -> None:
    seen: list[str] = []
    async with await client_of(city) as client:
        url: str | None = f"{CASES}?pageSize=3"
        while url:
            page = (await client.get(url)).json()
            seen += [case["uuid"] for case in page["results"]]
            url = page["next"]
    assert len(seen) == len(set(seen)) == page["count"]
    assert page["previous"]


async def test_an_unchanged_case_is_304(city: City) -> None:
    async with await client_of(city) as client:
        url = (await client.get(CASES)).json()["results"][0]["url"]
        etag = (await client.get(url)).headers["etag"]
        answer = await client.get(url, headers={"If-None-Match": etag})
    assert answer.status_code == 304


async def test_a_lying_register_answers_with_a_strangers_case(city: City) -> None:
    async with await client_of(city) as client:
        await link(client)
        city.fails("zgw", Fault.OTHER_SUBJECT)
        [case] = (await client.get(CASES, params={FILTER: SUBJECT})).json()["results"]
        roles = await client.get("/zgw/zaken/api/v1/rollen", params={"zaak": case["url"]})
    [role] = roles.json()["results"]
    assert role["betrokkeneIdentificatie"]["anpIdentificatie"] != SUBJECT


async def test_two_starts_give_the_same_records() -> None:
    async with await client_of(City()) as first, await client_of(City()) as second:
        assert (await first.get(CASES)).json() == (await second.get(CASES)).json()


async def test_a_slow_system_answers_late_and_right(city: City) -> None:
    city.fails("zgw", Fault.SLOW, seconds=0.2)
    async with await client_of(city) as client:
        began = time.monotonic()
        answer = await client.get(CASES)
    assert answer.status_code == 200
    assert time.monotonic() - began >= 0.2
