"""The desk gives a letter's business to who knows its secret, and gives up after five tries."""

from pathlib import Path

import httpx2
import pytest

from citizen_account.demo.city_facts import LETTERS, letters
from citizen_account.demo.emulators.app import build_systems
from citizen_account.demo.emulators.register import Register, Verdict
from tests.connectors.city import ACCESS, OTHER, SUBJECT, City

LETTER = {"reference": "MAG-2026-51874", "secret": "B6NC-2YFK"}
VERA = {"X-Api-Key": ACCESS.vera_key}


@pytest.fixture
def city() -> City:
    return City()


async def post(client: httpx2.AsyncClient, action: str, **body: object) -> httpx2.Response:
    return await client.post(f"/desk/{action}", json={"subject": SUBJECT, **body})


async def test_the_right_secret_links(city: City) -> None:
    async with city.client(await city.zgw_headers()) as client:
        answer = await post(client, "link", **LETTER)
        state = await post(client, "status")
    assert answer.status_code == 200
    assert answer.json()["state"] == "linked"
    assert "MAG-2026-51874" in answer.json()["label"]
    assert state.json()["state"] == "linked"


@pytest.mark.parametrize("typed", ["b6nc2yfk", " B6NC 2YFK ", "b6nc_2yfk"])
async def test_how_the_secret_is_typed_does_not_matter(city: City, typed: str) -> None:
    async with city.client(await city.zgw_headers()) as client:
        answer = await post(client, "link", reference=" mag-2026-51874 ", secret=typed)
    assert answer.status_code == 200


async def test_five_wrong_tries_block_the_letter(city: City) -> None:
    async with city.client(await city.zgw_headers()) as client:
        wrong = LETTER | {"secret": "AAAA-AAAA"}
        answers = [(await post(client, "link", **wrong)).status_code for _ in range(5)]
        right = await post(client, "link", **LETTER)
    assert answers == [403, 403, 403, 403, 423]
    assert right.status_code == 423
    assert right.json()["code"] == "too_many_tries"


async def test_an_unknown_reference_answers_like_a_wrong_secret(city: City) -> None:
    async with city.client(await city.zgw_headers()) as client:
        known = [await post(client, "link", **LETTER | {"secret": "AAAA-AAAA"}) for _ in range(5)]
        unknown = [await post(client, "link", reference="MAG-1", secret="AAAA") for _ in range(5)]
    assert [(one.status_code, one.json()) for one in known] == [
        (one.status_code, one.json()) for one in unknown
    ]


async def test_a_used_letter_links_nobody_else(city: City) -> None:
    async with city.client(await city.zgw_headers()) as client:
        await post(client, "link", **LETTER)
        again = await post(client, "link", **LETTER)
        other = await post(client, "link", **LETTER, subject=OTHER)
    assert again.status_code == 200
    assert (other.status_code, other.json()["code"]) == (409, "already_used")


async def test_unlinking_frees_the_letter_and_may_be_repeated(city: City) -> None:
    async with city.client(await city.zgw_headers()) as client:
        await post(client, "link", **LETTER)
        assert (await post(client, "unlink")).status_code == 204
        assert (await post(client, "unlink")).status_code == 204
        assert (await post(client, "status")).json()["state"] == "not_linked"
        assert (await post(client, "link", **LETTER, subject=OTHER)).status_code == 200


async def test_a_key_opens_the_letters_of_its_own_system_only(city: City) -> None:
    async with city.client(VERA) as client:
        assert (await post(client, "link", **LETTER)).status_code == 403
        housing = {"reference": "BYT-2026-00947", "secret": "W2ZK-5JTE"}
        assert (await post(client, "link", **housing)).status_code == 200


async def test_an_address_is_kept_until_it_is_taken_back(city: City) -> None:
    async with city.client(await city.zgw_headers()) as client:
        await post(client, "link", **LETTER, email="jana@example.org")
        before = (await post(client, "status")).json()
        await post(client, "forget")
        after = (await post(client, "status")).json()
    assert before["email"] == "jana@example.org"
    assert "email" not in after
    assert after["state"] == "linked"


async def test_no_key_is_401(city: City) -> None:
    async with city.client() as client:
        assert (await post(client, "link", **LETTER)).status_code == 401


@pytest.mark.parametrize(
    "body",
    [b"", b"[]", b"{", b'{"subject": 7}', b'{"subject": "x", "reference": "y"}', b"\xff\xfe"],
)
async def test_a_malformed_question_is_400(city: City, body: bytes) -> None:
    async with city.client(await city.zgw_headers()) as client:
        answer = await client.post("/desk/link", content=body)
    assert answer.status_code == 400


async def test_a_reference_that_no_column_can_hold_is_400(city: City) -> None:
    async with city.client(await city.zgw_headers()) as client:
        answer = await post(client, "link", **LETTER, subject="x" * 18)
    assert (answer.status_code, answer.json()["code"]) == (400, "max_length")


async def test_the_paper_mail_lists_every_letter(city: City) -> None:
    async with city.client() as client:
        shown = (await client.get("/desk/letters.json")).json()
    assert shown == list(letters())
    assert all(letter.keys() == {"persona", "service", "reference", "secret"} for letter in shown)
    spare = [letter["service"] for letter in shown if letter["persona"] == "new resident"]
    assert {"permits", "housing", "mobility"} <= set(spare)
    assert len({letter["reference"] for letter in shown}) == len(shown)


async def test_reset_makes_the_paper_mail_new(city: City) -> None:
    async with city.client(await city.zgw_headers()) as client:
        await post(client, "link", **LETTER)
        assert (await client.post("/desk/reset")).status_code == 204
        assert (await post(client, "link", **LETTER, subject=OTHER)).status_code == 200


def test_links_outlive_the_process(tmp_path: Path) -> None:
    file = tmp_path / "links.json"
    first = build_systems(links_file=file)
    letter = LETTERS[0]
    asked = (letter.service, letter.reference)
    assert first.register.link(*asked, letter.secret, SUBJECT) is Verdict.LINKED
    assert first.register.link(*asked, "wrong", OTHER) is Verdict.WRONG
    second = Register(path=file)
    assert second.subject_of(letter.reference) == SUBJECT
    for _ in range(4):
        second.link(*asked, "wrong", OTHER)
    assert second.link(*asked, letter.secret, SUBJECT) is Verdict.BLOCKED
