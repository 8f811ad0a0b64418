"""Getting back in without the password."""

import pytest

from citizen_account.bootstrap import Runtime
from citizen_account.domain.emails import EmailAddress
from citizen_account.domain.throttling import MAX_FAILURES_IN_A_ROW
from tests.factories import code_in, mailbox
from tests.journeys.steps import JANA, newest_code, register, sign_in, sign_out, verify
from tests.pages import Visitor

NEW = "entirely other words 7"


async def ask(visitor: Visitor, email: str = JANA) -> None:
    await visitor.open("/en/recover")
    visitor.fill({"#recover-email": email})
    await visitor.press("#recover-submit")


async def test_code_sets_a_new_password_and_signs_in(visitor: Visitor, runtime: Runtime) -> None:
    await register(visitor, runtime)
    await sign_out(visitor)
    await ask(visitor)
    await verify(visitor, await newest_code(runtime))
    visitor.fill({"#new-password": NEW})
    await visitor.press("#set-password")
    assert visitor.path == "/en/dashboard"
    await sign_out(visitor)
    await sign_in(visitor)
    assert visitor.status == 422
    await sign_in(visitor, password=NEW)
    assert visitor.path == "/en/dashboard"


async def test_every_session_ends_and_the_owner_is_told(
    visitor: Visitor, other_visitor: Visitor, runtime: Runtime
) -> None:
    await register(visitor, runtime)
    await ask(other_visitor)
    await verify(other_visitor, await newest_code(runtime))
    other_visitor.fill({"#new-password": NEW})
    await other_visitor.press("#set-password")
    await visitor.open("/en/dashboard")
    assert visitor.path == "/en/sign-in"
    subjects = [letter.subject for letter in await mailbox(runtime)]
    assert "Your password was changed" in subjects


async def test_unknown_address_gets_a_letter_without_a_code(
    visitor: Visitor, runtime: Runtime
) -> None:
    await ask(visitor, "nobody@example.sk")
    assert visitor.text("#masked-email") == "n…@example.sk"
    [letter] = await mailbox(runtime)
    assert letter.to == "nobody@example.sk"
    with pytest.raises(ValueError, match="unpack"):
        code_in(letter)
    await verify(visitor, "123456")
    assert visitor.status == 422


async def test_weak_new_password_is_told(visitor: Visitor, runtime: Runtime) -> None:
    await register(visitor, runtime)
    await sign_out(visitor)
    await ask(visitor)
    await verify(visitor, await newest_code(runtime))
    visitor.fill({"#new-password": "short"})
    await visitor.press("#set-password")
    assert visitor.status == 422
    assert visitor.errors()
    visitor.fill({"#new-password": NEW})
    await visitor.press("#set-password")
    assert visitor.path == "/en/dashboard"


async def test_nobody_is_left_without_a_way(visitor: Visitor) -> None:
    await visitor.open("/en/recover")
    assert "in person" in visitor.text("#in-person")
    assert "help@city.example" in visitor.text("#in-person")
    await visitor.open("/en/sign-in")
    await visitor.press("#recover")
    assert visitor.path == "/en/recover"


async def test_blocked_password_is_opened_by_the_code(visitor: Visitor, runtime: Runtime) -> None:
    await register(visitor, runtime)
    await sign_out(visitor)
    async with runtime.database.begin() as uow:
        account = await uow.accounts.find_by_email(EmailAddress(JANA))
        assert account is not None
        for _ in range(MAX_FAILURES_IN_A_ROW):
            await uow.credentials.count_failure(account.id)
    await sign_in(visitor)
    assert visitor.status == 422
    await ask(visitor)
    await verify(visitor, await newest_code(runtime))
    visitor.fill({"#new-password": NEW})
    await visitor.press("#set-password")
    await sign_out(visitor)
    await sign_in(visitor, password=NEW)
    assert visitor.path == "/en/dashboard"
