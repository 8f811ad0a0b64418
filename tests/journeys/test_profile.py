"""What a resident says of herself, and her address."""

from datetime import timedelta

import pytest

from citizen_account.bootstrap import Runtime
from tests.factories import PASSWORD, Clock, code_in, mailbox
from tests.journeys.steps import JANA, newest_code, register, sign_in, sign_out, verify
from tests.pages import Visitor

JANKA = "janka@example.sk"
FIELDS = {
    "#given-name": "Janka",
    "#family-name": "Nováková",
    "#phone-number": "+421 905 123 456",
    "#street-address": "Rybárska 7",
    "#postal-code": "811 01",
    "#locality": "Dunajské Mesto",
    "#country": "Slovensko",
}


async def test_profile_is_saved(visitor: Visitor, runtime: Runtime) -> None:
    await register(visitor, runtime)
    await visitor.open("/en/profile")
    visitor.fill({**FIELDS, "#language": "sk"})
    await visitor.press("#save-profile")
    assert visitor.path == "/en/profile"
    assert "saved" in visitor.text()
    shown = {name: visitor.value(name) for name in FIELDS}
    assert shown == FIELDS | {"#phone-number": "+421905123456"}


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("#given-name", ""),
        ("#family-name", "x" * 101),
        ("#phone-number", "0905 123 456"),
        ("#phone-number", "call me"),
        ("#phone-number", "+12"),
        ("#street-address", "x" * 151),
        ("#locality", "\u202eotseM"),
        ("#language", "xx"),
    ],
)
async def test_mistake_keeps_what_was_typed(
    visitor: Visitor, runtime: Runtime, field: str, value: str
) -> None:
    await register(visitor, runtime)
    await visitor.open("/en/profile")
    visitor.fill({**FIELDS, field: value})
    await visitor.press("#save-profile")
    assert visitor.status == 422
    assert len(visitor.errors()) == 1
    kept = {name: text for name, text in FIELDS.items() if name != field}
    assert {name: visitor.value(name) for name in kept} == kept
    await visitor.open("/en/profile")
    assert visitor.value("#given-name") == "Jana"


async def test_name_is_shown_as_text(visitor: Visitor, runtime: Runtime) -> None:
    await register(visitor, runtime)
    await visitor.open("/en/profile")
    visitor.fill({**FIELDS, "#given-name": "<script>alert(1)</script>"})
    await visitor.press("#save-profile")
    assert "<script>alert" not in visitor.last.text
    assert visitor.value("#given-name") == "<script>alert(1)</script>"


async def test_what_was_typed_survives_the_end_of_the_session(
    visitor: Visitor, runtime: Runtime, clock: Clock
) -> None:
    await register(visitor, runtime)
    await visitor.open("/en/profile")
    clock.now += timedelta(minutes=31)
    visitor.fill(FIELDS)
    await visitor.press("#save-profile")
    assert visitor.path == "/en/sign-in"
    assert visitor.has("#form-kept")
    visitor.fill({"#email": JANA, "#password": PASSWORD})
    await visitor.press("#sign-in")
    assert visitor.path == "/en/profile"
    assert visitor.has("#restored")
    assert {name: visitor.value(name) for name in FIELDS} == FIELDS
    # Shown, not sent: nothing was saved yet.
    await visitor.open("/en/profile")
    assert visitor.value("#given-name") == "Jana"


async def test_kept_form_is_its_owners_alone(
    visitor: Visitor, other_visitor: Visitor, runtime: Runtime, clock: Clock
) -> None:
    await register(other_visitor, runtime, "peter@example.sk")
    await register(visitor, runtime)
    await visitor.open("/en/profile")
    clock.now += timedelta(minutes=31)
    visitor.fill(FIELDS)
    await visitor.press("#save-profile")
    visitor.fill({"#email": "peter@example.sk", "#password": PASSWORD})
    await visitor.press("#sign-in")
    assert visitor.path == "/en/profile"
    assert not visitor.has("#restored")
    assert "Rybárska" not in visitor.last.text


async def test_passwords_are_never_kept(visitor: Visitor, runtime: Runtime, clock: Clock) -> None:
    await register(visitor, runtime)
    await visitor.open("/en/profile/email")
    clock.now += timedelta(minutes=31)
    visitor.fill({"#new-email": JANKA, "#current-password": PASSWORD})
    await visitor.press("#send-code")
    visitor.fill({"#email": JANA, "#password": PASSWORD})
    await visitor.press("#sign-in")
    assert visitor.path == "/en/profile/email"
    assert visitor.value("#new-email") == JANKA
    assert visitor.value("#current-password") == ""
    assert PASSWORD not in visitor.last.text


async def ask(visitor: Visitor, email: str, password: str = PASSWORD) -> None:
    await visitor.open("/en/profile/email")
    visitor.fill({"#new-email": email, "#current-password": password})
    await visitor.press("#send-code")


async def test_address_is_changed_and_the_old_one_is_told(
    visitor: Visitor, runtime: Runtime
) -> None:
    await register(visitor, runtime)
    await ask(visitor, JANKA)
    assert visitor.text("#masked-email") == "j…@example.sk"
    await verify(visitor, await newest_code(runtime, JANKA))
    assert visitor.path == "/en/profile"
    assert visitor.text("#current-email") == JANKA
    [letter] = [each for each in await mailbox(runtime) if "another email" in each.subject]
    assert letter.to == JANA
    assert "seven days" in letter.text
    assert "help@city.example" in letter.text
    assert JANKA not in letter.text
    await sign_out(visitor)
    await sign_in(visitor)
    assert visitor.status == 422
    await sign_in(visitor, JANKA)
    assert visitor.path == "/en/dashboard"


async def test_change_of_address_needs_the_password(visitor: Visitor, runtime: Runtime) -> None:
    await register(visitor, runtime)
    await ask(visitor, JANKA, "another four words 2")
    assert visitor.status == 422
    assert visitor.value("#new-email") == JANKA
    assert not [each for each in await mailbox(runtime) if each.to == JANKA]


async def test_address_of_another_account_looks_free(
    visitor: Visitor, other_visitor: Visitor, runtime: Runtime
) -> None:
    await register(other_visitor, runtime, JANKA)
    await register(visitor, runtime)
    await ask(visitor, JANKA)
    assert visitor.has("#code")
    letter = (await mailbox(runtime))[0]
    assert letter.to == JANKA
    with pytest.raises(ValueError, match="unpack"):
        code_in(letter)
    await verify(visitor, "123456")
    assert visitor.status == 422


async def test_own_address_can_be_confirmed_again(visitor: Visitor, runtime: Runtime) -> None:
    await register(visitor, runtime)
    async with runtime.database.begin() as uow:
        await uow.accounts.mark_mail_failing(JANA, uow.now)
    await ask(visitor, JANA)
    await verify(visitor, await newest_code(runtime))
    await visitor.open("/en/security")
    assert not visitor.has("#mail-failing")
    assert not [each for each in await mailbox(runtime) if "another email" in each.subject]
