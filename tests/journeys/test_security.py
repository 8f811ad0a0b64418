"""Sessions and the password, as a resident looks after them."""

from datetime import timedelta

from fastapi import FastAPI

from citizen_account.bootstrap import Runtime
from citizen_account.domain.emails import EmailAddress
from tests.conftest import client_of
from tests.factories import PASSWORD, Clock, mailbox
from tests.journeys.steps import JANA, register, sign_in, sign_out
from tests.pages import Visitor

NEW = "entirely other words 7"


async def test_devices_are_listed_and_this_one_is_named(
    visitor: Visitor, other_visitor: Visitor, runtime: Runtime
) -> None:
    await register(visitor, runtime)
    other_visitor.http.headers["user-agent"] = (
        "Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) Version/19.0 Safari/604.1"
    )
    await sign_in(other_visitor)
    await visitor.open("/en/security")
    assert "Safari, iPhone" in visitor.text("#devices")
    assert len(visitor.page.find("#this-device")) == 1
    assert len(visitor.page.find('[name="session"]')) == 1


async def test_one_device_is_signed_out(
    visitor: Visitor, other_visitor: Visitor, runtime: Runtime
) -> None:
    await register(visitor, runtime)
    await sign_in(other_visitor)
    await visitor.open("/en/security")
    [field] = visitor.page.find('[name="session"]')
    form = field.within("form")
    assert form is not None
    [button] = form.find("button")
    await visitor.press(f"#{button.attributes['id']}")
    assert "signed out" in visitor.text()
    assert not visitor.page.find('[name="session"]')
    await other_visitor.open("/en/dashboard")
    assert other_visitor.path == "/en/sign-in"
    await visitor.open("/en/dashboard")
    assert visitor.path == "/en/dashboard"


async def test_all_others_are_signed_out_at_once(
    visitor: Visitor, other_visitor: Visitor, runtime: Runtime
) -> None:
    await register(visitor, runtime)
    await sign_in(other_visitor)
    await visitor.open("/en/security")
    await visitor.press("#sign-out-others")
    await other_visitor.open("/en/dashboard")
    assert other_visitor.path == "/en/sign-in"
    await visitor.open("/en/dashboard")
    assert visitor.path == "/en/dashboard"


async def test_session_of_another_account_is_out_of_reach(
    visitor: Visitor, other_visitor: Visitor, app: FastAPI, runtime: Runtime
) -> None:
    await register(visitor, runtime)
    await register(other_visitor, runtime, "peter@example.sk")
    async with runtime.database.read() as uow:
        jana = await uow.accounts.find_by_email(EmailAddress(JANA))
        assert jana is not None
        [session] = await uow.sessions.living(jana.id)
    async with client_of(app) as client:
        await sign_in(Visitor(client), "peter@example.sk")
        await other_visitor.open("/en/security")
        other_visitor.fill({'[name="session"]': str(session.id)})
        await other_visitor.press("#sign-out-2")
    assert other_visitor.path == "/en/security"
    await visitor.open("/en/dashboard")
    assert visitor.path == "/en/dashboard"


async def test_sign_out_needs_our_own_form(visitor: Visitor, runtime: Runtime) -> None:
    await register(visitor, runtime)
    answer = await visitor.http.post("/en/sign-out", data={"form_token": "forged"})
    assert answer.status_code == 403
    await visitor.open("/en/dashboard")
    assert visitor.path == "/en/dashboard"


async def change(visitor: Visitor, current: str, new: str) -> None:
    await visitor.open("/en/security/password")
    visitor.fill({"#current-password": current, "#new-password": new})
    await visitor.press("#change-password")


async def test_password_is_changed_and_others_are_out(
    visitor: Visitor, other_visitor: Visitor, runtime: Runtime
) -> None:
    await register(visitor, runtime)
    await sign_in(other_visitor)
    before = visitor.http.cookies["__Host-session"]
    await change(visitor, PASSWORD, NEW)
    assert visitor.path == "/en/security"
    assert visitor.http.cookies["__Host-session"] != before
    await other_visitor.open("/en/dashboard")
    assert other_visitor.path == "/en/sign-in"
    assert "Your password was changed" in [each.subject for each in await mailbox(runtime)]
    await sign_out(visitor)
    await sign_in(visitor, password=NEW)
    assert visitor.path == "/en/dashboard"


async def test_change_needs_the_old_password(visitor: Visitor, runtime: Runtime) -> None:
    await register(visitor, runtime)
    await change(visitor, NEW, NEW)
    assert visitor.status == 422
    assert visitor.value("#current-password") == ""
    assert visitor.value("#new-password") == ""
    await change(visitor, "", NEW)
    assert visitor.errors() == ["Error: Enter your password"]


async def test_new_password_must_be_good(visitor: Visitor, runtime: Runtime) -> None:
    await register(visitor, runtime)
    await change(visitor, PASSWORD, "jana kovacova 1")
    assert visitor.status == 422
    assert any("mostly your name" in error for error in visitor.errors())


async def test_guessing_the_old_password_is_throttled(visitor: Visitor, runtime: Runtime) -> None:
    await register(visitor, runtime)
    for _ in range(10):
        await change(visitor, NEW, NEW)
    await change(visitor, NEW, NEW)
    assert visitor.status == 429


async def test_mail_that_comes_back_raises_a_banner(visitor: Visitor, runtime: Runtime) -> None:
    await register(visitor, runtime)
    await visitor.open("/en/security")
    assert not visitor.has("#mail-failing")
    async with runtime.database.begin() as uow:
        await uow.accounts.mark_mail_failing(JANA, uow.now)
    for place in ("/en/security", "/en/dashboard"):
        await visitor.open(place)
        assert visitor.has("#mail-failing")


async def test_hundredth_wrong_password_in_a_row_blocks_it(
    visitor: Visitor, runtime: Runtime, clock: Clock
) -> None:
    await register(visitor, runtime)
    await sign_out(visitor)
    for _ in range(100):
        await sign_in(visitor, password=NEW)
        clock.now += timedelta(minutes=2)
    await sign_in(visitor)
    assert visitor.status == 422
    locked = [each for each in await mailbox(runtime) if each.subject == "Your password is blocked"]
    assert len(locked) == 1
