"""What administrators see and do, under rules that residents can see."""

from datetime import timedelta

import pytest

from citizen_account.bootstrap import Runtime
from citizen_account.domain.accounts import Role
from citizen_account.usecases.administration import grant_role, revoke_role
from tests.authorizing import allow
from tests.factories import Clock, work_off
from tests.journeys.steps import JANA, register
from tests.pages import Visitor
from tests.services import LIBRARY_ID
from tests.services import register as register_service

ROBERT = "robert@example.sk"


@pytest.fixture
async def administrator(other_visitor: Visitor, runtime: Runtime) -> Visitor:
    await register(other_visitor, runtime, ROBERT)
    async with runtime.database.begin() as uow:
        assert await grant_role(uow, ROBERT, Role.ADMINISTRATOR)
    # The administrators' addresses name no language: the browser's wish decides.
    other_visitor.http.headers["Accept-Language"] = "en"
    return other_visitor


async def give_consent(visitor: Visitor, runtime: Runtime) -> None:
    await register_service(runtime)
    await register(visitor, runtime)
    await allow(visitor)


@pytest.mark.parametrize("page", ["", "/services", "/connectors", "/outbox", "/audit"])
async def test_resident_without_a_role_is_refused(
    visitor: Visitor, runtime: Runtime, page: str
) -> None:
    await register(visitor, runtime)
    await visitor.open(f"/admin{page}")
    assert (visitor.status, visitor.text("#error-code")) == (403, "role_required")


async def test_stranger_is_led_to_the_sign_in_page_and_back(
    administrator: Visitor,
) -> None:
    await administrator.press("#sign-out")
    await administrator.open("/admin/connectors")
    assert administrator.path == "/en/sign-in"
    administrator.fill({"#email": ROBERT, "#password": "four invented words 1"})
    await administrator.press("#sign-in")
    assert administrator.path == "/admin/connectors"


async def test_role_that_is_taken_away_is_gone_with_the_next_request(
    administrator: Visitor, runtime: Runtime
) -> None:
    await administrator.open("/admin")
    assert administrator.status == 200
    async with runtime.database.begin() as uow:
        assert await revoke_role(uow, ROBERT, Role.ADMINISTRATOR)
    await administrator.open("/admin")
    assert administrator.status == 403


async def test_consents_are_shown_with_their_text_and_without_names(
    administrator: Visitor, visitor: Visitor, runtime: Runtime
) -> None:
    await give_consent(visitor, runtime)
    await administrator.open(f"/admin/services/{LIBRARY_ID}")
    text = administrator.text("#main-content")
    assert "Stands" in text
    assert "Legal basis: Consent" in text
    assert JANA not in text
    assert "Kováčová" not in text
    [notice] = [path for path in administrator.links() if "/notices/" in path]
    await administrator.open(notice)
    assert administrator.status == 200


async def test_withdrawal_on_a_written_request_is_seen_by_the_resident(
    administrator: Visitor, visitor: Visitor, runtime: Runtime
) -> None:
    await give_consent(visitor, runtime)
    await administrator.open(f"/admin/services/{LIBRARY_ID}")
    administrator.fill({"#email": JANA, "#reference": "GDPR-2026-17"})
    await administrator.press("#withdraw")
    assert "The consent is withdrawn" in administrator.text()
    assert "Withdrawn on a written request" in administrator.text()
    await visitor.open("/en/privacy")
    log = visitor.text("#access-log")
    assert "City employee" in log
    assert "GDPR-2026-17" in log
    await visitor.open("/en/messages")
    assert "We withdrew access for you" in visitor.text()


@pytest.mark.parametrize("email", ["nobody@example.sk", ROBERT, "no address"])
async def test_withdrawal_where_nothing_stands_says_so_and_keeps_what_was_typed(
    administrator: Visitor, runtime: Runtime, email: str
) -> None:
    await register_service(runtime)
    await administrator.open(f"/admin/services/{LIBRARY_ID}")
    administrator.fill({"#email": email, "#reference": "GDPR-2026-17"})
    await administrator.press("#withdraw")
    assert administrator.status == 422
    assert administrator.value("#reference") == "GDPR-2026-17"


async def test_change_needs_a_fresh_sign_in(
    administrator: Visitor, runtime: Runtime, clock: Clock
) -> None:
    await register_service(runtime)
    clock.now += timedelta(minutes=20)
    await administrator.open(f"/admin/services/{LIBRARY_ID}")
    administrator.fill({"#email": JANA, "#reference": "GDPR-2026-17"})
    await administrator.press("#withdraw")
    assert administrator.path.endswith("/security/confirm")


async def test_parked_errand_is_tried_again(administrator: Visitor, runtime: Runtime) -> None:
    async with runtime.database.begin() as uow:
        await uow.outbox.add("a job that nobody knows", {"client_id": "x"}, uow.now)
    await work_off(runtime)
    await administrator.open("/admin/outbox")
    assert "nobody runs errands of kind" in administrator.text()
    await administrator.press("#retry-1")
    assert "It is tried again now" in administrator.text()
    assert "Nothing waits" in administrator.text()


async def test_connector_that_is_not_configured_says_why(administrator: Visitor) -> None:
    await administrator.open("/admin/connectors")
    assert "not configured" in administrator.text("#connector-permits")


async def test_audit_log_is_filtered_by_event(administrator: Visitor) -> None:
    await administrator.open("/admin/audit")
    assert "role_granted" in administrator.text()
    await administrator.open("/admin/audit?event=signed_in")
    table = administrator.text("table")
    assert "signed_in" in table
    assert "role_granted" not in table


async def test_helper_may_withdraw_but_reads_no_audit_log(
    other_visitor: Visitor, runtime: Runtime
) -> None:
    await register(other_visitor, runtime, ROBERT)
    async with runtime.database.begin() as uow:
        assert await grant_role(uow, ROBERT, Role.HELPER)
    await other_visitor.open("/admin/audit")
    assert other_visitor.status == 403
    await register_service(runtime)
    await other_visitor.open(f"/admin/services/{LIBRARY_ID}")
    assert other_visitor.has("#withdraw")


async def test_unknown_service_does_not_exist(administrator: Visitor) -> None:
    await administrator.open("/admin/services/nothing")
    assert administrator.status == 404
