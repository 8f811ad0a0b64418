"""A resident decides what a service may receive, by what the page offers."""

from collections.abc import Sequence

import pytest

from citizen_account.bootstrap import Runtime
from tests.authorizing import address, allow, answer_in
from tests.journeys.steps import JANA, register, sign_in, sign_out
from tests.pages import Visitor
from tests.relying_party import Party
from tests.services import SECRET
from tests.services import register as register_service

EVERYTHING = {"scope": "openid profile email phone"}
CONTRACT: dict[str, object] = {
    "id": "reader_card",
    "text": {"en": "A reader's card", "sk": "Čitateľský preukaz"},
    "legal_basis": "contract",
    "legal_reference": "Library rules, section 4",
    "retention": "P3Y",
    "claims": [
        {"name": "name", "required": True, "reason": {"en": "on the card", "sk": "na preukaze"}},
        {"name": "email", "required": True, "reason": {"en": "reminders", "sk": "pripomienky"}},
        {"name": "phone_number", "required": False, "reason": {"en": "texts", "sk": "SMS"}},
    ],
}
TAX: dict[str, object] = {
    "id": "tax",
    "text": {"en": "Property tax", "sk": "Daň z nehnuteľností"},
    "legal_basis": "legal_obligation",
    "legal_reference": "Act 582/2004, section 19",
    "retention": "P10Y",
    "claims": [{"name": "name", "required": True, "reason": {"en": "who pays", "sk": "kto platí"}}],
}


@pytest.fixture
async def library(runtime: Runtime, visitor: Visitor) -> Party:
    """Return a service; the visitor has an account and is signed in."""
    await offer(runtime, CONTRACT)
    await register(visitor, runtime)
    return Party(visitor.http, "library", SECRET)


async def offer(runtime: Runtime, *purposes: dict[str, object]) -> None:
    await register_service(runtime, purposes=list(purposes), first_party=True)


async def received(library: Party, code: str) -> Sequence[str]:
    issued = (await library.redeem(code)).json()
    return sorted((await library.userinfo(issued["access_token"])).json())


async def test_page_says_who_asks_for_what_and_why(library: Party, visitor: Visitor) -> None:
    """GDPR article 13, OWASP ASVS 5.0 10.7.2."""
    assert library
    await visitor.open(address(EVERYTHING))
    page = visitor.text("#main-content")
    for words in (
        "Library is asking for your data",
        "Verified city service",
        "A reader's card",
        "Legal basis: a contract with you, Library rules, section 4.",
        "Kept for 3 years.",
        "Jana Kováčová",
        JANA,
        "on the card",
        "reminders",
        "library",
    ):
        assert words in page
    [optional] = visitor.page.find('input[name="optional"]')
    assert "checked" not in optional.attributes
    assert visitor.has("#allow")
    assert visitor.has("#deny")
    # Nothing is asked for that no purpose covers.
    assert "Date of birth" not in page


async def test_page_speaks_slovak(library: Party, visitor: Visitor) -> None:
    assert library
    await visitor.open(address({**EVERYTHING, "ui_locales": "sk"}))
    page = visitor.text("#main-content")
    assert "žiada o vaše údaje" in page
    assert "Čitateľský preukaz" in page
    assert "Uchováva ich 3 roky." in page
    assert visitor.text("#allow") == "Poskytnúť a pokračovať"


async def test_unticked_claim_is_not_received(library: Party, visitor: Visitor) -> None:
    given = await allow(visitor, EVERYTHING)
    names = await received(library, given["code"])
    assert "email" in names
    assert "name" in names
    assert "phone_number" not in names
    assert "birthdate" not in names


async def test_ticked_claim_is_allowed_and_asked_no_more(
    library: Party, visitor: Visitor, runtime: Runtime
) -> None:
    await visitor.open(address(EVERYTHING))
    visitor.tick('input[name="optional"]')
    await visitor.press("#allow")
    assert "code" in answer_in(visitor.left_for)
    await visitor.open(address(EVERYTHING))
    assert "code" in answer_in(visitor.left_for)
    await visitor.open("/en/privacy")
    assert "Phone number" in visitor.text("#grants")
    assert library
    assert runtime


async def test_no_goes_back_to_the_service_and_is_remembered_nowhere(
    library: Party, visitor: Visitor
) -> None:
    await visitor.open(address(EVERYTHING))
    await visitor.press("#deny")
    assert answer_in(visitor.left_for)["error"] == "access_denied"
    await visitor.open(address(EVERYTHING))
    assert visitor.has("#allow")
    await visitor.open("/en/privacy")
    assert "Library" not in visitor.text("#grants")
    assert library


async def test_grown_request_shows_the_new_part_alone(library: Party, visitor: Visitor) -> None:
    await allow(visitor, {"scope": "openid email"})
    await visitor.open(address(EVERYTHING))
    page = visitor.text("#main-content")
    assert "You allowed it some of your data before." in page
    assert "on the card" in page
    assert "reminders" not in page
    await visitor.press("#allow")
    names = await received(library, answer_in(visitor.left_for)["code"])
    assert {"name", "email"} <= set(names)


async def test_taking_a_claim_back_ends_what_was_given_with_it(
    library: Party, visitor: Visitor
) -> None:
    await visitor.open(address(EVERYTHING))
    visitor.tick('input[name="optional"]')
    await visitor.press("#allow")
    issued = (await library.redeem(answer_in(visitor.left_for)["code"])).json()
    await allow(visitor, {**EVERYTHING, "prompt": "consent"})
    assert (await library.userinfo(issued["access_token"])).status_code == 401


async def test_new_purpose_of_the_service_asks_again(
    library: Party, visitor: Visitor, runtime: Runtime
) -> None:
    await allow(visitor, EVERYTHING)
    await offer(runtime, CONTRACT, TAX)
    await visitor.open(address(EVERYTHING))
    assert "Property tax" in visitor.text("#main-content")
    assert library


async def test_question_that_changed_meanwhile_is_shown_again(
    library: Party, visitor: Visitor, runtime: Runtime
) -> None:
    """GDPR article 7(1): a yes is one to the words that were read."""
    await visitor.open(address(EVERYTHING))
    visitor.tick('input[name="optional"]')
    await offer(runtime, CONTRACT, TAX)
    await visitor.press("#allow")
    assert visitor.status == 422
    assert "The question has changed" in visitor.text("#main-content")
    assert "checked" in visitor.find('input[name="optional"]').attributes
    await visitor.press("#allow")
    assert "code" in answer_in(visitor.left_for)
    assert library


async def test_law_is_a_notice_with_its_own_words(
    library: Party, visitor: Visitor, runtime: Runtime
) -> None:
    """GDPR recital 43: no consent is asked for where the law decides."""
    await offer(runtime, TAX)
    await visitor.open(address({"scope": "openid profile"}))
    page = visitor.text("#main-content")
    assert "Library receives your data" in page
    assert "Legal basis: the law requires it, Act 582/2004, section 19." in page
    assert visitor.text("#allow") == "Continue to the service"
    await visitor.press("#allow")
    assert "code" in answer_in(visitor.left_for)
    assert library


async def test_service_that_wants_no_data_is_told_a_number(
    library: Party, visitor: Visitor, runtime: Runtime
) -> None:
    await register_service(runtime, scope="openid")
    await visitor.open(address({"scope": "openid"}))
    assert "Library wants to sign you in" in visitor.text("#main-content")
    await visitor.press("#allow")
    assert await received(library, answer_in(visitor.left_for)["code"]) == ["sub"]


async def test_double_click_gives_one_code(library: Party, visitor: Visitor) -> None:
    assert library
    await visitor.open(address(EVERYTHING))
    form = visitor.find("#allow").within("form")
    assert form is not None
    fields = {
        field.attributes["name"]: field.attributes["value"]
        for field in form.find("input")
        if field.attributes.get("type") == "hidden"
    }
    where = form.attributes["action"]
    sent = {**fields, "decision": "allow"}
    first = await visitor.http.post(where, data=sent)
    second = await visitor.http.post(where, data=sent)
    assert first.status_code == 303
    assert second.status_code == 409
    assert 'id="already-decided"' in second.text


async def test_forged_decision_is_refused(library: Party, visitor: Visitor) -> None:
    assert library
    await visitor.open(address(EVERYTHING))
    sent = {"i": visitor.value("i"), "decision": "allow", "form_token": "guess"}
    answer = await visitor.http.post("/en/consent", data=sent)
    assert answer.status_code == 403


async def test_sign_in_leads_to_the_question_and_on(library: Party, visitor: Visitor) -> None:
    assert library
    await visitor.open("/en/dashboard")
    await sign_out(visitor)
    await visitor.open(address({**EVERYTHING, "login_hint": JANA, "ui_locales": "en"}))
    assert visitor.path == "/en/sign-in"
    assert visitor.value("#email") == JANA
    assert "Library" in visitor.text("#main-content")
    assert "form-action" not in visitor.last.headers["content-security-policy"]
    visitor.fill({"#password": "four invented words 1"})
    await visitor.press("#sign-in")
    assert visitor.path == "/en/consent"
    await visitor.press("#allow")
    assert "code" in answer_in(visitor.left_for)


async def test_another_account_can_be_used(library: Party, visitor: Visitor) -> None:
    assert library
    await visitor.open(address(EVERYTHING))
    await visitor.press("#switch-account")
    assert visitor.path.endswith("/sign-in")
    assert visitor.has("#email")


async def test_session_that_ended_meanwhile_leads_through_the_sign_in(
    library: Party, visitor: Visitor, other_visitor: Visitor
) -> None:
    await sign_in(other_visitor)
    await visitor.open(address(EVERYTHING))
    await other_visitor.open("/en/security")
    await other_visitor.press("#sign-out-others")
    await visitor.press("#allow")
    assert visitor.path.endswith("/sign-in")
    assert library
