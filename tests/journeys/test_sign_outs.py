"""Sign out everywhere, and see which services know of it: the resident and the administrator."""

from datetime import timedelta

import pytest

from citizen_account.bootstrap import Runtime
from citizen_account.domain.accounts import Role
from citizen_account.usecases.administration import grant_role
from tests.authorizing import address, allow
from tests.factories import Clock, work_off
from tests.journeys.steps import JANA, register, sign_in
from tests.pages import Visitor
from tests.services import LIBRARY_ID
from tests.services import register as register_service

# Nobody listens on the port of the discard service.
DEAF = "http://127.0.0.1:9/backchannel-logout"


@pytest.fixture
async def everywhere(visitor: Visitor, other_visitor: Visitor, runtime: Runtime) -> None:
    """Sign Jana in by two browsers, with the library open in both."""
    await register_service(runtime, backchannel_logout_uri=DEAF)
    await register(visitor, runtime)
    await allow(visitor)
    await sign_in(other_visitor)
    await other_visitor.open("/en/services")
    await visitor.open("/en/security")


async def deliveries(runtime: Runtime) -> list[tuple[str, int]]:
    async with runtime.database.read() as uow:
        found = await uow.logout_deliveries.of_client(LIBRARY_ID, before=None, size=10)
        for first in found[:-1]:
            older = await uow.logout_deliveries.of_client(LIBRARY_ID, before=first.id, size=10)
            assert found[found.index(first) + 1 :] == older
    return [(line.state, line.attempts) for line in found]


async def open_library(visitor: Visitor) -> None:
    """Open the library by the standing consent."""
    await visitor.open(address())
    assert visitor.left_for is not None


@pytest.mark.usefixtures("everywhere")
async def test_sign_out_everywhere_ends_every_session_and_tells_every_service(
    visitor: Visitor, other_visitor: Visitor, runtime: Runtime
) -> None:
    await open_library(other_visitor)
    await visitor.open("/en/security")
    await visitor.press("#sign-out-everywhere")
    assert visitor.path == "/en/signed-out"
    for each in (visitor, other_visitor):
        await each.open("/en/dashboard")
        assert each.path == "/en/sign-in"
    await work_off(runtime)
    # One for each browser in which the library was open.
    assert await deliveries(runtime) == [("pending", 1), ("pending", 1)]


@pytest.mark.usefixtures("everywhere")
async def test_resident_reads_which_services_know_of_it(
    visitor: Visitor, runtime: Runtime, clock: Clock
) -> None:
    assert not visitor.has("#sign-outs")
    await visitor.press("#sign-out-everywhere")
    await work_off(runtime)
    await sign_in(visitor)
    await visitor.open("/en/security")
    assert "Library Not told yet" in visitor.text("#sign-outs")
    # After 75 hours it is not tried by itself any more.
    clock.now += timedelta(hours=76)
    await sign_in(visitor)
    await visitor.open("/en/security")
    assert "Library Could not be told" in visitor.text("#sign-outs")
    await visitor.open("/sk/security")
    assert "Nepodarilo sa oznámiť" in visitor.text("#sign-outs")


@pytest.mark.usefixtures("everywhere")
async def test_administrator_sees_the_last_answer_and_lets_it_be_tried_again(
    visitor: Visitor, other_visitor: Visitor, runtime: Runtime
) -> None:
    await visitor.press("#sign-out-everywhere")
    await work_off(runtime)
    await register(other_visitor, runtime, "robert@example.sk")
    async with runtime.database.begin() as uow:
        assert await grant_role(uow, "robert@example.sk", Role.ADMINISTRATOR)
    other_visitor.http.headers["Accept-Language"] = "en"
    await other_visitor.open(f"/admin/services/{LIBRARY_ID}")
    await other_visitor.press("#sign-outs")
    text = other_visitor.text("#main-content")
    assert "Not told yet" in text
    assert "no_answer" in text
    assert JANA not in text
    await other_visitor.press("#retry-1")
    assert "tried again now" in other_visitor.text("#main-content")
    # The clock has not moved: without the press it would wait for five seconds more.
    await work_off(runtime)
    assert await deliveries(runtime) == [("pending", 2)]
