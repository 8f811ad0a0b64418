"""OpenID Connect RP-Initiated Logout 1.0 at /logout."""

from urllib.parse import urlencode

import httpx2
import pytest

from citizen_account.bootstrap import Runtime
from citizen_account.domain.accounts import AccountId
from tests.authorizing import UNCHANGED, Fields, address, allow, answer_of, error_code, sign_in
from tests.pages import Visitor
from tests.relying_party import Party
from tests.services import register

GOODBYE = "https://library.example/goodbye"


@pytest.fixture
async def hint(runtime: Runtime, library: Party, reader: AccountId, visitor: Visitor) -> str:
    """Return the ID token of a sign-in that still lasts."""
    await register(runtime, post_logout_redirect_uris=[GOODBYE, f"{GOODBYE}?kept=1"])
    await sign_in(runtime, library.http, reader)
    token: str = (await library.redeem((await allow(visitor))["code"])).json()["id_token"]
    return token


def logout(hint: str | None, changes: Fields = UNCHANGED) -> str:
    fields: Fields = {
        "id_token_hint": hint,
        "post_logout_redirect_uri": GOODBYE,
        "state": "s t",
        "ui_locales": "en",
        **changes,
    }
    given = {name: value for name, value in fields.items() if value is not None}
    return f"/logout?{urlencode(given)}"


async def is_signed_in(http: httpx2.AsyncClient) -> bool:
    return "code" in answer_of(await http.get(address({"prompt": "none"})))


async def test_2_proven_request_signs_out_and_returns(hint: str, visitor: Visitor) -> None:
    await visitor.open(logout(hint))
    assert visitor.left_for == f"{GOODBYE}?state=s+t"
    assert visitor.status == 303
    assert "Clear-Site-Data" in visitor.last.headers
    assert not await is_signed_in(visitor.http)


async def test_2_query_of_the_address_is_kept(hint: str, visitor: Visitor) -> None:
    await visitor.open(logout(hint, {"post_logout_redirect_uri": f"{GOODBYE}?kept=1"}))
    assert visitor.left_for == f"{GOODBYE}?kept=1&state=s+t"


async def test_2_without_a_state_none_is_returned(hint: str, visitor: Visitor) -> None:
    await visitor.open(logout(hint, {"state": None}))
    assert visitor.left_for == GOODBYE


async def test_2_without_an_address_she_stays_here(hint: str, visitor: Visitor) -> None:
    await visitor.open(logout(hint, {"post_logout_redirect_uri": None}))
    assert visitor.has("#signed-out")
    assert not await is_signed_in(visitor.http)


@pytest.mark.parametrize(
    "changes",
    [
        {"post_logout_redirect_uri": None, "state": None},
        {"post_logout_redirect_uri": None},
        {},
        {"post_logout_redirect_uri": "https://thief.example/"},
    ],
    ids=["no parameters", "only a state", "no hint", "a stranger's address"],
)
async def test_2_without_a_hint_she_is_asked_and_led_nowhere(
    hint: str, visitor: Visitor, changes: dict[str, str | None]
) -> None:
    assert hint
    await visitor.open(logout(None, changes))
    assert visitor.has("#stay")
    assert await is_signed_in(visitor.http)
    await visitor.press("#confirm-logout")
    assert visitor.left_for is None
    assert visitor.has("#signed-out")
    assert not await is_signed_in(visitor.http)


async def test_2_client_id_alone_asks_first_and_returns(hint: str, visitor: Visitor) -> None:
    assert hint
    await visitor.open(logout(None, {"client_id": "library"}))
    assert "Library" in visitor.text("#main-content")
    await visitor.press("#confirm-logout")
    assert visitor.left_for == f"{GOODBYE}?state=s+t"


async def test_staying_leaves_everything_as_it_is(hint: str, visitor: Visitor) -> None:
    assert hint
    await visitor.open(logout(None))
    await visitor.press("#stay")
    assert await is_signed_in(visitor.http)


@pytest.mark.parametrize(
    "other",
    [
        "https://thief.example/",
        f"{GOODBYE}/",
        f"{GOODBYE}?added=1",
        "https://library.example/callback",
        "javascript:alert(1)",
        "x" * 9000,
    ],
)
async def test_3_other_address_is_never_followed(hint: str, visitor: Visitor, other: str) -> None:
    await visitor.open(logout(hint, {"post_logout_redirect_uri": other}))
    assert visitor.status == 400
    assert error_code(visitor) == "post_logout_redirect_uri_unregistered"


async def test_4_bad_hint_is_a_page_and_no_redirect(hint: str, visitor: Visitor) -> None:
    head, payload, signature = hint.split(".")
    other = "A" if signature[0] != "A" else "B"
    forged = [
        f"{head}.{payload}.{other}{signature[1:]}",
        f"{head}.{payload}A.{signature}",
        f"eyJhbGciOiJub25lIn0.{payload}.",
        "x",
        "a.b.c",
    ]
    for bad in forged:
        await visitor.open(logout(bad))
        assert visitor.status == 400
        assert error_code(visitor) == "id_token_hint_invalid"
    assert await is_signed_in(visitor.http)


async def test_2_hint_and_client_must_agree(hint: str, visitor: Visitor, museum: Party) -> None:
    await visitor.open(logout(hint, {"client_id": museum.client_id}))
    assert error_code(visitor) == "id_token_hint_invalid"


async def test_2_hint_of_an_earlier_session_asks_first(
    hint: str, visitor: Visitor, runtime: Runtime, reader: AccountId
) -> None:
    await visitor.open(logout(hint))
    await sign_in(runtime, visitor.http, reader)
    await visitor.open(logout(hint))
    assert visitor.has("#confirm-logout")
    assert await is_signed_in(visitor.http)


async def test_who_is_signed_out_already_is_just_returned(hint: str, visitor: Visitor) -> None:
    await visitor.open(logout(hint))
    await visitor.open(logout(hint))
    assert visitor.left_for == f"{GOODBYE}?state=s+t"


async def test_2_form_of_a_service_is_taken(
    hint: str, visitor: Visitor, other_visitor: Visitor
) -> None:
    """Without cookies at first, as SameSite=Lax keeps them from another site's form."""
    fields = {"id_token_hint": hint, "post_logout_redirect_uri": GOODBYE, "state": "s"}
    answer = await other_visitor.http.post("/logout", data=fields)
    assert answer.status_code == 303
    assert hint not in answer.headers["location"]
    await visitor.open(answer.headers["location"])
    assert visitor.left_for == f"{GOODBYE}?state=s"
    assert not await is_signed_in(visitor.http)


async def test_confirmation_cannot_be_forged(hint: str, visitor: Visitor) -> None:
    """OWASP ASVS 5.0 3.5.1."""
    assert hint
    await visitor.open(logout(None))
    address = str(visitor.last.url)
    sent = {"i": visitor.value("i"), "form_token": "guess"}
    answer = await visitor.http.post(address, data=sent)
    assert answer.status_code == 403
    form = visitor.find("#confirm-logout").within("form")
    assert form is not None
    [proof] = form.find('[name="form_token"]')
    own = {"i": visitor.value("i"), "form_token": proof.attributes["value"]}
    foreign = {"Origin": "https://thief.example"}
    answer = await visitor.http.post(address, data=own, headers=foreign)
    assert answer.status_code == 403
    assert await is_signed_in(visitor.http)


@pytest.mark.parametrize("query", ["state=%00", "state=a&state=b", "client_id=%C5%BE", "state=%FF"])
async def test_malformed_request_is_a_clean_refusal(
    hint: str, visitor: Visitor, query: str
) -> None:
    assert hint
    await visitor.open(f"/logout?{query}")
    assert visitor.status == 400
    assert visitor.has("#error-code")
