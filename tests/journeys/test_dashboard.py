"""A resident's overview says what is due, and leads on where there is nothing yet."""

from datetime import timedelta

import pytest

from citizen_account.bootstrap import Runtime
from citizen_account.domain.accounts import Account
from citizen_account.domain.emails import read_email
from citizen_account.domain.messages import ServiceText
from citizen_account.usecases.messages import deliver
from tests.factories import ISSUER, Clock
from tests.journeys.steps import JANA, register
from tests.pages import Visitor

LIBRARY = {"sk": "Mestská knižnica", "en": "City Library"}
LOAN = ServiceText(
    LIBRARY,
    {"sk": "Výpožičku sme predĺžili", "en": "Your loan was extended"},
    {"sk": "Knihu vráťte do piatku.", "en": "Return the book by Friday.\nThank you."},
)


async def account_of(runtime: Runtime) -> Account:
    address = read_email(JANA)
    assert address is not None
    async with runtime.database.read() as uow:
        account = await uow.accounts.find_by_email(address)
    assert account is not None
    return account


async def test_new_resident_is_led_to_the_services(visitor: Visitor, runtime: Runtime) -> None:
    await register(visitor, runtime)
    assert visitor.path == "/en/dashboard"
    assert "Good day, Jana" in visitor.text("h1")
    assert "Nothing is waiting for you." in visitor.text()
    assert "You have not connected a service yet." in visitor.text("#services")
    assert f"{ISSUER}/en/services" in visitor.links()
    assert "Connect your first city service" in visitor.text("#tasks")
    assert "Welcome to your city account" in visitor.text("#messages")


async def test_overview_needs_a_sign_in(visitor: Visitor) -> None:
    await visitor.open("/sk/dashboard")
    assert visitor.path == "/sk/sign-in"


async def test_unknown_language_does_not_exist(visitor: Visitor, runtime: Runtime) -> None:
    await register(visitor, runtime)
    await visitor.open("/xx/dashboard")
    assert visitor.status == 404


async def test_message_is_unread_until_it_is_opened(visitor: Visitor, runtime: Runtime) -> None:
    await register(visitor, runtime)
    async with runtime.database.begin() as uow:
        await deliver(uow, (await account_of(runtime)).id, LOAN, place="")
    await visitor.open("/en/dashboard")
    assert "2 unread" in visitor.text("#messages")
    await visitor.open("/en/messages")
    message = next(link for link in visitor.links() if link.startswith(f"{ISSUER}/en/messages/"))
    await visitor.open(message)
    assert "Your loan was extended" in visitor.text("h1")
    assert "Return the book by Friday." in visitor.text()
    await visitor.open(message.replace("/en/", "/sk/"))
    assert "Výpožičku sme predĺžili" in visitor.text("h1")
    await visitor.open("/en/dashboard")
    assert "1 unread" in visitor.text("#messages")


@pytest.mark.parametrize("place", ["messages/0", "messages/01900000-0000-7000-8000-000000000000"])
async def test_message_that_is_not_hers_does_not_exist(
    visitor: Visitor, runtime: Runtime, place: str
) -> None:
    await register(visitor, runtime)
    await visitor.open(f"/en/{place}")
    assert visitor.status == 404
    assert visitor.text("#error-code") == "not_found"


async def test_mail_that_comes_back_raises_a_banner(
    visitor: Visitor, runtime: Runtime, clock: Clock
) -> None:
    await register(visitor, runtime)
    async with runtime.database.begin() as uow:
        await uow.accounts.mark_mail_failing(JANA, uow.now)
    clock.now += timedelta(minutes=5)
    await visitor.open("/en/dashboard")
    assert "We cannot deliver your email" in visitor.text()
    assert f"{ISSUER}/en/profile" in visitor.links()


@pytest.mark.parametrize("page", ["help", "accessibility", "privacy-notice", "terms"])
@pytest.mark.parametrize("language", ["sk", "en"])
async def test_anybody_may_read_the_statements(visitor: Visitor, page: str, language: str) -> None:
    await visitor.open(f"/{language}/{page}")
    assert visitor.status == 200
    assert "help@city.example" in visitor.text()
