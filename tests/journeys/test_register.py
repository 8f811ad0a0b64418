"""Opening an account: the address, the code, name and password."""

from datetime import timedelta

import pytest

from citizen_account.bootstrap import Runtime
from tests.authorizing import address, answer_in
from tests.factories import PASSWORD, Clock, code_in, mailbox
from tests.journeys.steps import JANA, begin, newest_code, register, verify
from tests.pages import Visitor
from tests.relying_party import Party
from tests.services import SECRET
from tests.services import register as register_service


async def test_resident_registers_and_is_signed_in(visitor: Visitor, runtime: Runtime) -> None:
    await register(visitor, runtime)
    assert visitor.path == "/en/dashboard"
    await visitor.open("/en/profile")
    assert visitor.value("#given-name") == "Jana"
    assert visitor.text("#current-email") == JANA


async def test_slovak_is_remembered_for_messages(visitor: Visitor, runtime: Runtime) -> None:
    await register(visitor, runtime, language="sk")
    [letter] = [letter for letter in await mailbox(runtime) if letter.to == JANA]
    assert letter.subject == "Váš kód do mestského konta"
    await visitor.open("/sk/profile")
    chosen = [option for option in visitor.page.find("option") if "selected" in option.attributes]
    assert [option.attributes["value"] for option in chosen] == ["sk"]


async def test_code_page_masks_the_address_and_says_how_long(visitor: Visitor) -> None:
    await begin(visitor)
    assert visitor.text("#masked-email") == "j…@example.sk"
    assert "10 more minutes" in visitor.text()
    assert JANA not in visitor.text()


async def test_code_with_spaces_is_taken(visitor: Visitor, runtime: Runtime) -> None:
    await begin(visitor)
    code = await newest_code(runtime)
    await verify(visitor, f" {code[:3]} {code[3:]} ")
    assert visitor.has("#create-account")


async def test_wrong_code_says_so_and_is_not_echoed(visitor: Visitor, runtime: Runtime) -> None:
    await begin(visitor)
    code = await newest_code(runtime)
    await verify(visitor, "000000" if code != "000000" else "111111")
    assert visitor.status == 422
    assert visitor.title.startswith("Error")
    assert visitor.value("#code") == ""
    await verify(visitor, code)
    assert visitor.has("#create-account")


async def test_five_wrong_codes_end_the_try(visitor: Visitor, runtime: Runtime) -> None:
    await begin(visitor)
    code = await newest_code(runtime)
    place = visitor.path
    for _ in range(5):
        await verify(visitor, "12345")
    assert visitor.has("#code-spent")
    assert not visitor.has("#resend")
    await visitor.open(place)
    assert not visitor.has("#code")
    await visitor.press("#start-again")
    assert visitor.has("#register-submit")
    assert code


async def test_code_is_good_for_ten_minutes(
    visitor: Visitor, runtime: Runtime, clock: Clock
) -> None:
    await begin(visitor)
    code = await newest_code(runtime)
    page = visitor.path
    clock.now += timedelta(minutes=10)
    visitor.fill({"#code": code})
    await visitor.press("#verify")
    assert visitor.status == 422
    assert visitor.has("#code-spent")
    await visitor.press("#resend")
    assert visitor.path == page
    await verify(visitor, await newest_code(runtime))
    assert visitor.has("#create-account")


async def test_new_code_does_not_cancel_the_one_on_its_way(
    visitor: Visitor, runtime: Runtime
) -> None:
    await begin(visitor)
    first = await newest_code(runtime)
    await visitor.press("#resend")
    second = await newest_code(runtime)
    assert "on its way" in visitor.text()
    assert first != second
    await verify(visitor, first)
    assert visitor.has("#create-account")


async def test_code_fits_in_its_own_browser_only(
    visitor: Visitor, other_visitor: Visitor, runtime: Runtime
) -> None:
    await begin(visitor)
    code = await newest_code(runtime)
    await other_visitor.open(visitor.path)
    assert other_visitor.status == 410
    await begin(other_visitor, "peter@example.sk")
    await verify(other_visitor, code)
    assert other_visitor.status == 422


async def test_step_behind_the_code_is_taken_once(visitor: Visitor, runtime: Runtime) -> None:
    await begin(visitor)
    await verify(visitor, await newest_code(runtime))
    page = visitor.path
    visitor.fill({"#given-name": "Jana", "#family-name": "K", "#password": PASSWORD})
    await visitor.press("#create-account")
    await visitor.open(page)
    assert visitor.status == 410


async def test_step_behind_the_code_needs_the_code(visitor: Visitor) -> None:
    await begin(visitor)
    await visitor.open(f"{visitor.path}/account")
    assert visitor.status == 410


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("#given-name", "", "Enter your given name"),
        ("#family-name", "x" * 101, "cannot read this name"),
        ("#family-name", "Ko\u202eva", "cannot read this name"),
        ("#password", "short", "at least 15 characters"),
        ("#password", "passwordpassword", "Many people use"),
        ("#password", "Jana Kováčová 2026", "mostly your name"),
        ("#password", "x" * 1100, "too long"),
    ],
)
async def test_mistake_keeps_what_was_typed(
    visitor: Visitor, runtime: Runtime, field: str, value: str, message: str
) -> None:
    await begin(visitor)
    await verify(visitor, await newest_code(runtime))
    good = {"#given-name": "Jana", "#family-name": "Kováčová", "#password": PASSWORD}
    visitor.fill({**good, field: value})
    await visitor.press("#create-account")
    assert visitor.status == 422
    assert any(message in error for error in visitor.errors())
    assert visitor.value("#password") == ""
    kept = "#given-name" if field != "#given-name" else "#family-name"
    assert visitor.value(kept) == good[kept]
    visitor.fill(good)
    await visitor.press("#create-account")
    assert visitor.path == "/en/dashboard"


@pytest.mark.parametrize("email", ["", "jana", "jana@localhost", "j\u0430na@example.sk"])
async def test_what_is_no_address_is_told_at_the_field(visitor: Visitor, email: str) -> None:
    await begin(visitor, email)
    assert visitor.status == 422
    assert visitor.value("#register-email") == email
    assert visitor.errors()


async def test_owner_of_a_taken_address_is_told_by_mail(
    visitor: Visitor, other_visitor: Visitor, runtime: Runtime
) -> None:
    await register(visitor, runtime, language="sk")
    await begin(other_visitor, "Jana@EXAMPLE.sk")
    assert other_visitor.text("#masked-email") == "J…@example.sk"
    letter = (await mailbox(runtime))[0]
    assert letter.to == "Jana@example.sk"
    assert letter.subject == "Konto už máte"
    with pytest.raises(ValueError, match="unpack"):
        code_in(letter)


async def test_resident_who_is_signed_in_needs_no_account(
    visitor: Visitor, runtime: Runtime
) -> None:
    await register(visitor, runtime)
    await visitor.open("/en/register")
    assert visitor.path == "/en/dashboard"


async def test_address_is_flooded_by_nobody(visitor: Visitor, runtime: Runtime) -> None:
    for _ in range(6):
        await begin(visitor)
        assert visitor.has("#code")
    await begin(visitor)
    assert visitor.status == 429
    assert int(visitor.last.headers["retry-after"]) == 3601
    assert visitor.text("#error-code") == "too_many_tries"
    assert len([letter for letter in await mailbox(runtime) if letter.to == JANA]) == 6


async def test_who_is_sent_to_register_goes_on_to_the_service(
    visitor: Visitor, runtime: Runtime
) -> None:
    """Initiating User Registration 1.0 (prompt=create): account, consent, and a code for her."""
    service = await register_service(runtime)
    await visitor.open(address({"prompt": "create"}))
    assert visitor.path.endswith("/register")
    visitor.fill({"#register-email": JANA})
    await visitor.press("#register-submit")
    await verify(visitor, await newest_code(runtime))
    visitor.fill({"#given-name": "Jana", "#family-name": "Kováčová", "#password": PASSWORD})
    await visitor.press("#create-account")
    assert visitor.path.endswith("/consent")
    await visitor.press("#allow")
    library = Party(visitor.http, service.id, SECRET)
    tokens = (await library.redeem(answer_in(visitor.left_for)["code"])).json()
    assert (await library.userinfo(tokens["access_token"])).json()["email"] == JANA
