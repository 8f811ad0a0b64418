"""A resident takes her data away, and closes her account."""

from datetime import timedelta

import pytest

from citizen_account.bootstrap import Runtime
from citizen_account.jobs.schedule import close_accounts
from tests.authorizing import allow
from tests.factories import Clock, mailbox
from tests.journeys.steps import JANA, register, sign_in
from tests.pages import Visitor
from tests.services import register as register_service


@pytest.fixture
async def resident(visitor: Visitor, runtime: Runtime) -> Visitor:
    await register_service(runtime)
    await register(visitor, runtime)
    await allow(visitor)
    return visitor


async def test_export_page_shows_what_the_account_knows(resident: Visitor) -> None:
    await resident.open("/en/privacy/export")
    text = resident.text()
    for known in ("Jana Kováčová", JANA, "Library", "signed_in"):
        assert known in text


async def test_file_holds_every_part_and_the_download_is_logged(resident: Visitor) -> None:
    await resident.open("/en/privacy/export")
    await resident.press("#download")
    assert "attachment" in resident.last.headers["content-disposition"]
    file = resident.last.json()
    parts = {"account", "sign_in", "consents", "decisions", "services", "messages"}
    assert parts | {"access_log", "history"} <= file.keys()
    assert file["account"]["claims"]["email"] == JANA
    assert file["consents"][0]["claims"]
    await resident.open("/en/privacy?period=all")
    assert "downloaded" in resident.text("#access-log").lower()


@pytest.mark.parametrize("page", ["export", "export/data.json"])
async def test_old_sign_in_is_asked_for_the_password_first(
    resident: Visitor, clock: Clock, page: str
) -> None:
    clock.now += timedelta(minutes=20)
    await resident.open(f"/en/privacy/{page}")
    assert resident.path == "/en/security/confirm"


async def test_closing_gives_fourteen_days_to_undo(resident: Visitor, runtime: Runtime) -> None:
    await resident.open("/en/privacy/close")
    assert "Library" in resident.text()
    await resident.press("#close-account")
    assert "Your account closes on 15 March 2026" in resident.text()
    assert "is going to be closed" in (await mailbox(runtime))[0].subject
    await resident.open("/en/dashboard")
    assert "Your account closes on" in resident.text()
    await resident.open("/en/privacy/close")
    await resident.press("#keep-account")
    await resident.open("/en/dashboard")
    assert "Your account closes on" not in resident.text()


async def test_after_fourteen_days_nothing_personal_is_left(
    resident: Visitor, runtime: Runtime, clock: Clock
) -> None:
    await resident.open("/en/privacy/close")
    await resident.press("#close-account")
    clock.now += timedelta(days=13)
    await close_accounts(runtime)
    await sign_in(resident)
    assert resident.path == "/en/dashboard"
    clock.now += timedelta(days=1)
    await close_accounts(runtime)
    await resident.open("/en/dashboard")
    assert resident.path == "/en/sign-in"
    await sign_in(resident)
    assert resident.status == 422
    assert "closed" in (await mailbox(runtime))[0].subject
    clock.now += timedelta(hours=2)
    await close_accounts(runtime)
    async with runtime.database.read() as uow:
        trail = await uow.audit.page(before=None, size=1, event="account_closed")
        account_id = trail[0].account_id
        assert account_id is not None
        assert await uow.accounts.find(account_id) is None


async def test_address_of_a_closed_account_is_free_again(
    resident: Visitor, runtime: Runtime, clock: Clock
) -> None:
    await resident.open("/en/privacy/close")
    await resident.press("#close-account")
    clock.now += timedelta(days=15)
    await close_accounts(runtime)
    await register(resident, runtime)
    assert resident.path == "/en/dashboard"
