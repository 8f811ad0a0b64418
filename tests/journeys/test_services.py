"""A resident links a city service, follows her business there, and disconnects it."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from citizen_account.bootstrap import Runtime
from citizen_account.demo.emulators.faults import Fault
from citizen_account.jobs.connections import forget_stale_snapshots
from citizen_account.jobs.places import refresh_places
from tests.factories import Clock
from tests.journeys.steps import register
from tests.linked_city import LinkedCity, letter_for, linked_city


@pytest.fixture
async def city(runtime: Runtime, clock: Clock, tmp_path: Path) -> AsyncIterator[LinkedCity]:
    async with linked_city(runtime, clock, tmp_path) as linked:
        await register(linked.visitor, linked.runtime)
        yield linked


async def link(city: LinkedCity, service: str, *, secret: str | None = None) -> None:
    reference, right_secret = letter_for(service)
    await city.visitor.open(f"/en/link/{service}")
    city.visitor.fill({"#reference": reference, "#secret": secret or right_secret})
    await city.visitor.press("#link")


async def test_letter_links_permits_and_shows_two_applications(city: LinkedCity) -> None:
    await link(city, "permits")
    assert city.visitor.path == "/en/services/permits"
    assert "We are asking the service" in city.visitor.text()
    await city.work()
    await city.visitor.open("/en/services/permits")
    cases = [path for path in city.visitor.links() if "/cases/" in path]
    assert len(cases) == 2
    await city.visitor.open(cases[0])
    assert "How far it is" in city.visitor.text()


async def test_linking_shows_each_purpose_with_its_basis(city: LinkedCity) -> None:
    await city.visitor.open("/en/link/housing")
    text = city.visitor.text()
    assert "Legal basis: Contract" in text
    assert "Legal basis: Your consent" in text
    boxes = city.visitor.page.find('input[name="optional"]')
    assert boxes
    assert not any("checked" in box.attributes for box in boxes)


async def test_wrong_secret_links_nothing_and_keeps_the_reference(city: LinkedCity) -> None:
    await link(city, "permits", secret="AAAA-AAAA")
    assert city.visitor.status == 422
    assert city.visitor.value("#reference") == letter_for("permits")[0]
    assert city.visitor.value("#secret") == ""
    assert "Check both on the letter" in city.visitor.text()
    await city.visitor.open("/en/services/permits")
    assert city.visitor.path == "/en/link/permits"


async def test_link_secrets_are_throttled(city: LinkedCity) -> None:
    for _ in range(11):
        await link(city, "housing", secret="AAAA-AAAA")
    assert city.visitor.status == 429
    assert int(city.visitor.last.headers["retry-after"]) > 0


async def test_empty_form_names_both_fields(city: LinkedCity) -> None:
    await city.visitor.open("/en/link/permits")
    await city.visitor.press("#link")
    assert city.visitor.status == 422
    assert len(city.visitor.errors()) == 2


async def test_service_that_is_down_is_linked_later_by_a_job(
    city: LinkedCity, clock: Clock
) -> None:
    city.systems.fails("desk", Fault.DOWN)
    await link(city, "permits")
    assert city.visitor.path == "/en/services/permits"
    assert "We are asking the service" in city.visitor.text()
    city.systems.fails("desk", Fault.NONE)
    # The breaker's pause and the errand's first retries are over.
    for _ in range(4):
        clock.now += timedelta(minutes=3)
        await city.work()
    await city.visitor.open("/en/dashboard")
    await city.visitor.open("/en/services/permits")
    assert len([path for path in city.visitor.links() if "/cases/" in path]) == 2


async def test_failing_service_costs_its_own_card_and_keeps_the_last_state(
    city: LinkedCity, clock: Clock
) -> None:
    await link(city, "permits")
    await link(city, "housing")
    await city.work()
    city.systems.fails("zgw", Fault.MALFORMED)
    clock.now += timedelta(minutes=16)
    await city.work()
    await city.visitor.open("/en/services/permits")
    assert "The service does not answer since" in city.visitor.text()
    assert len([path for path in city.visitor.links() if "/cases/" in path]) == 2
    await city.visitor.open("/en/services/housing")
    assert "does not answer" not in city.visitor.text()
    await city.visitor.open("/en/dashboard")
    assert "Does not answer since" in city.visitor.text("#services")


async def test_service_that_asks_to_wait_is_not_shown_as_failing(
    city: LinkedCity, clock: Clock
) -> None:
    await link(city, "permits")
    await city.work()
    city.systems.fails("zgw", Fault.RATE_LIMITED)
    clock.now += timedelta(minutes=20)
    await city.work()
    await city.visitor.open("/en/services/permits")
    assert "does not answer" not in city.visitor.text()
    assert len([path for path in city.visitor.links() if "/cases/" in path]) == 2


async def test_snapshot_is_kept_no_longer_than_its_manifest_says(
    city: LinkedCity, clock: Clock
) -> None:
    await link(city, "permits")
    await city.work()

    async def held() -> list[bool]:
        async with city.runtime.database.read() as uow:
            links = await uow.snapshots.due(clock() + timedelta(days=1), 10)
            found = [await uow.snapshots.find(*each) for each in links]
        return [one is not None and one.payload is not None for one in found]

    for days, is_held in ((399, True), (2, False)):
        clock.now += timedelta(days=days)
        await forget_stale_snapshots(city.runtime)
        assert await held() == [is_held]


async def test_foreign_record_never_reaches_a_page(city: LinkedCity, clock: Clock) -> None:
    await link(city, "permits")
    await city.work()
    city.systems.fails("zgw", Fault.OTHER_SUBJECT)
    clock.now += timedelta(minutes=16)
    await city.work()
    await city.visitor.open("/en/services/permits")
    assert "The service does not answer since" in city.visitor.text()


async def test_disconnecting_forgets_the_service_and_tells_it(city: LinkedCity) -> None:
    await link(city, "permits")
    await city.work()
    await city.visitor.open("/en/services/permits")
    await city.visitor.press("#disconnect")
    await city.visitor.press("#confirm-disconnect")
    assert "The service is disconnected" in city.visitor.text()
    await city.work()
    await city.visitor.open("/en/services/permits")
    assert city.visitor.path == "/en/link/permits"


async def test_choice_based_on_consent_is_changed_any_time(city: LinkedCity) -> None:
    await link(city, "housing")
    await city.visitor.open("/en/services/housing")
    city.visitor.tick("#choice-1")
    await city.visitor.press("#save-choices")
    assert "Your choices are saved" in city.visitor.text()
    assert "checked" in city.visitor.find("#choice-1").attributes
    city.visitor.tick("#choice-1", is_ticked=False)
    await city.visitor.press("#save-choices")
    assert "checked" not in city.visitor.find("#choice-1").attributes


async def test_unknown_service_and_foreign_case_do_not_exist(city: LinkedCity) -> None:
    for address in ("/en/link/nothing", "/en/services/nothing", "/en/services/permits/cases/X-1"):
        await city.visitor.open(address)
        assert city.visitor.status == 404


async def test_docks_near_home_are_listed_by_distance(city: LinkedCity) -> None:
    await city.visitor.open("/en/places")
    assert "has not told us about bikes yet" in city.visitor.text()
    await refresh_places(city.runtime)
    await city.visitor.open("/en/places")
    choice = city.visitor.page.find("option")[2]
    city.visitor.fill({"#place": choice.attributes["value"]})
    await city.visitor.press("#save-place")
    assert choice.text() in city.visitor.text()
    assert "m away" in city.visitor.text()


async def test_docks_that_do_not_answer_are_shown_as_last_known(
    city: LinkedCity, clock: Clock
) -> None:
    await refresh_places(city.runtime)
    city.systems.fails("gbfs", Fault.DOWN)
    clock.now += timedelta(minutes=10)
    await refresh_places(city.runtime)
    await city.visitor.open("/en/places")
    assert "Does not answer since" in city.visitor.text()
    assert city.visitor.page.find("option")


@pytest.mark.parametrize("page", ["services", "link/permits", "places"])
async def test_stranger_is_asked_to_sign_in_first(city: LinkedCity, page: str) -> None:
    city.visitor.http.cookies.clear()
    await city.visitor.open(f"/en/{page}")
    assert city.visitor.path == "/en/sign-in"
