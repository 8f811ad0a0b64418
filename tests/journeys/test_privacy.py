"""A resident sees who has access and who looked, and ends an access."""

from datetime import timedelta

import httpx2
import pytest

from citizen_account.bootstrap import Runtime
from tests.authorizing import address, allow
from tests.factories import Clock
from tests.journeys.steps import JANA, register
from tests.journeys.test_consent import CONTRACT, EVERYTHING, TAX, offer
from tests.pages import Visitor
from tests.relying_party import Party
from tests.services import SECRET
from tests.services import register as register_service

WITHDRAW = "/privacy/withdraw/"
MUSEUM = "https://museum.example/callback"


@pytest.fixture
async def library(runtime: Runtime, visitor: Visitor) -> Party:
    """Return a service; the visitor has an account and is signed in."""
    await offer(runtime, CONTRACT)
    await register(visitor, runtime)
    return Party(visitor.http, "library", SECRET)


def withdraw_links(visitor: Visitor) -> list[str]:
    links = visitor.find("#grants").find("a")
    return [link.attributes["href"] for link in links if WITHDRAW in link.attributes["href"]]


async def enter(library: Party, visitor: Visitor) -> httpx2.Response:
    return await library.redeem((await allow(visitor, EVERYTHING))["code"])


async def test_page_of_a_new_resident_says_what_will_appear(
    library: Party, visitor: Visitor
) -> None:
    assert library
    await visitor.open("/en/privacy")
    assert "No service may see your data." in visitor.text("#grants")
    assert "Nobody looked at your data" in visitor.text("#access-log")
    assert visitor.has("#export")
    assert visitor.has("#close-account")


async def test_page_shows_the_grant_and_the_release(library: Party, visitor: Visitor) -> None:
    await enter(library, visitor)
    await visitor.open("/en/privacy")
    grants = visitor.text("#grants")
    for words in ("Library", "Name, Email", "A reader's card", "Contract", "1 March 2026"):
        assert words in grants
    assert "Phone number" not in grants
    log = visitor.text("#access-log")
    for words in ("Library", "Name", "Email", "A reader's card", "Automatic"):
        assert words in log


async def test_withdrawal_takes_no_more_steps_than_giving_and_ends_everything(
    library: Party, visitor: Visitor
) -> None:
    """GDPR article 7(3)."""
    issued = (await enter(library, visitor)).json()
    await visitor.open("/en/privacy")
    [place] = withdraw_links(visitor)
    await visitor.open(place)
    assert "Name, Email" in visitor.text("#main-content")
    await visitor.press("#withdraw")
    assert visitor.path == "/en/privacy"
    assert "Access withdrawn: Library." in visitor.text("#main-content")
    assert withdraw_links(visitor) == []
    assert (await library.userinfo(issued["access_token"])).status_code == 401
    refused = await library.refresh(issued["refresh_token"])
    assert refused.json()["error"] == "invalid_grant"


async def test_code_in_flight_is_worth_nothing_after_withdrawal(
    library: Party, visitor: Visitor
) -> None:
    given = await allow(visitor, EVERYTHING)
    await visitor.open("/en/privacy")
    await visitor.open(withdraw_links(visitor)[0])
    await visitor.press("#withdraw")
    assert (await library.redeem(given["code"])).json()["error"] == "invalid_grant"


async def test_withdrawing_twice_is_one_wish(library: Party, visitor: Visitor) -> None:
    await enter(library, visitor)
    await visitor.open("/en/privacy")
    [place] = withdraw_links(visitor)
    await visitor.open(place)
    await visitor.press("#withdraw")
    await visitor.open(place)
    assert visitor.path == "/en/privacy"


async def test_after_withdrawal_the_service_asks_again(library: Party, visitor: Visitor) -> None:
    await enter(library, visitor)
    await visitor.open("/en/privacy")
    await visitor.open(withdraw_links(visitor)[0])
    await visitor.press("#withdraw")
    await visitor.open(address(EVERYTHING))
    assert visitor.has("#allow")
    again = await enter(library, visitor)
    assert again.status_code == 200


async def test_access_by_law_offers_the_end_of_the_sign_in_and_an_objection(
    library: Party, visitor: Visitor, runtime: Runtime
) -> None:
    """GDPR article 21."""
    await offer(runtime, TAX)
    await allow(visitor, {"scope": "openid profile"})
    await visitor.open("/en/privacy")
    assert "The law requires this access" in visitor.text("#grants")
    assert "Act 582/2004, section 19" in visitor.text("#grants")
    await visitor.open(withdraw_links(visitor)[0])
    assert "object at the service" in visitor.text("#objection")
    assert visitor.text("#withdraw") == "End the sign-in"
    await visitor.press("#withdraw")
    assert withdraw_links(visitor) == []
    assert library


async def test_log_is_filtered_and_paged(
    library: Party, visitor: Visitor, runtime: Runtime, clock: Clock
) -> None:
    await register_service(
        runtime, client_id="museum", client_name="Museum", redirect_uris=[MUSEUM]
    )
    issued = (await enter(library, visitor)).json()
    for _ in range(22):
        clock.now += timedelta(seconds=1)
        issued = (await library.refresh(issued["refresh_token"])).json()
    await visitor.open("/en/privacy")
    assert len(visitor.page.find("tr")) == 21
    await visitor.press("#older")
    assert 1 < len(visitor.page.find("tr")) < 21
    await visitor.press("#newest")
    assert len(visitor.page.find("tr")) == 21
    await visitor.open("/en/privacy?service=museum&period=30")
    assert "Nobody looked at your data" in visitor.text("#access-log")
    clock.now += timedelta(minutes=20)
    await visitor.open("/en/privacy?service=library&period=all")
    assert len(visitor.page.find("tr")) == 21


@pytest.mark.parametrize(
    "query",
    ["before=x", "before=%00", "service=%00", "period=x", "done=x", "service=" + "x" * 5000],
)
async def test_malformed_query_breaks_nothing(library: Party, visitor: Visitor, query: str) -> None:
    assert library
    await visitor.open(f"/en/privacy?{query}")
    assert visitor.status in {200, 400, 404}


async def test_access_of_another_resident_does_not_exist(
    library: Party, visitor: Visitor, other_visitor: Visitor, runtime: Runtime
) -> None:
    await enter(library, visitor)
    await visitor.open("/en/privacy")
    [place] = withdraw_links(visitor)
    await register(other_visitor, runtime, email="peter@example.sk")
    await other_visitor.open(place)
    assert other_visitor.status == 404
    assert other_visitor.text("#error-code") == "consent_unknown"


@pytest.mark.parametrize(
    ("origin", "proof", "status"),
    [("https://thief.example", None, 403), (None, "guess", 403), (None, "", 403)],
)
async def test_forged_withdrawal_is_refused(
    library: Party, visitor: Visitor, origin: str | None, proof: str | None, status: int
) -> None:
    await enter(library, visitor)
    await visitor.open("/en/privacy")
    [place] = withdraw_links(visitor)
    await visitor.open(place)
    form = visitor.find("#withdraw").within("form")
    assert form is not None
    ours = form.find('[name="form_token"]')[0].attributes["value"]
    sent = {"form_token": ours if proof is None else proof}
    headers = {} if origin is None else {"Origin": origin}
    answer = await visitor.http.post(place, data=sent, headers=headers)
    assert answer.status_code == status


async def test_stranger_is_led_to_the_sign_in_and_back(
    library: Party, other_visitor: Visitor
) -> None:
    assert library
    await other_visitor.open("/en/privacy")
    assert other_visitor.path == "/en/sign-in"
    other_visitor.fill({"#email": JANA, "#password": "four invented words 1"})
    await other_visitor.press("#sign-in")
    assert other_visitor.path == "/en/privacy"
