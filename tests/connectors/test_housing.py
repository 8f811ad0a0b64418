"""The housing connector shows the list for city flats of a VERA system, and bears its faults."""

import logging
from dataclasses import replace
from datetime import date, datetime, timedelta

import pytest

from citizen_account.connector_sdk.errors import Gone, Misconfigured, Refused, Unavailable
from citizen_account.connector_sdk.models import (
    Case,
    Condition,
    Context,
    ExportNode,
    LinkState,
    Money,
    OfferState,
    Phase,
    StepState,
    in_language,
)
from citizen_account.demo.emulators.faults import Fault
from connectors.housing.connector import Housing, build
from tests.connectors.city import (
    BECOMES,
    OTHER,
    SUBJECT,
    VERA_KEY,
    City,
    leaks,
    served,
    settings_of,
)

JANA = Context(SUBJECT)
LETTER = ("BYT-2024-00318", "H4VL-8QPA")
NEW_LETTER = ("BYT-2026-00947", "W2ZK-5JTE")
PERSONAL = (SUBJECT, "BYT-2024", "Vrbová", "H4VL", "jana@example.org")


@pytest.fixture
def city() -> City:
    return City()


def housing_of(city: City, *, seconds: float = 5, **settings: str) -> Housing:
    http = city.http("vera", VERA_KEY, "desk", seconds=seconds)
    built = build(settings_of("housing") | settings, http).cases
    assert isinstance(built, Housing)
    return replace(built, clock=city.clock)


async def linked(city: City, *letter: str) -> Housing:
    housing = housing_of(city)
    await housing.link(JANA, *(letter or LETTER))
    return housing


async def case_of(housing: Housing) -> Case:
    [case] = (await housing.list_cases(JANA)).records
    return case


def in_days(city: City, days: int) -> date:
    return city.clock.now.date() + timedelta(days=days)


async def test_a_letter_links_and_a_wrong_secret_does_not(city: City) -> None:
    housing = housing_of(city)
    with pytest.raises(Refused) as refusal:
        await housing.link(JANA, LETTER[0], "AAAA-AAAA")
    assert refusal.value.why == "wrong_secret"
    link = await housing.link(JANA, *LETTER)
    assert link.state is LinkState.LINKED
    assert "BYT-2024-00318" in str(link.remote_label)


async def test_an_application_with_its_place_in_the_queue(city: City) -> None:
    case = await case_of(await linked(city))
    assert case.subject == SUBJECT
    assert case.reference == "BYT-2024-00318"
    assert in_language(case.title, "sk") == "Mestské nájomné byty, trojizbové"
    assert in_language(case.title, "en") == "City flats, three rooms"
    assert case.opened == in_days(city, -731)
    queue = case.extras.queue
    assert queue is not None
    assert (queue.position, queue.of) == (4, 187)
    assert queue.as_of.tzinfo is not None
    assert queue.as_of.date() in (in_days(city, -3), in_days(city, -4))
    assert in_language(queue.basis, "en") == "by day of registration"


async def test_an_offer_has_its_viewing_and_its_answer_by(city: City) -> None:
    case = await case_of(await linked(city))
    [offer] = case.extras.offers
    assert offer.address == "Vrbová 12, 3. poschodie"
    assert offer.rent == Money(38450, "EUR")
    assert offer.viewing_at is not None
    assert offer.viewing_at.date() == in_days(city, 4)
    assert isinstance(offer.answer_by, datetime)
    assert offer.answer_by.date() == in_days(city, 8)
    assert offer.state is OfferState.OPEN
    assert case.phase is Phase.ACTION_NEEDED
    assert case.deadline == in_days(city, 8)
    assert in_language(case.next_action, "sk").startswith("Pozrite si byt")
    assert case.status.code == "offered"
    assert [step.state for step in case.steps] == [
        StepState.DONE,
        StepState.DONE,
        StepState.CURRENT,
        StepState.UPCOMING,
    ]


async def test_an_offer_that_nobody_answered_in_time_has_expired(city: City) -> None:
    housing = await linked(city)
    later = city.clock.now + timedelta(days=30)
    late = replace(housing, clock=lambda: later)
    case = await case_of(late)
    assert case.extras.offers[0].state is OfferState.EXPIRED
    assert case.phase is Phase.IN_PROGRESS


async def test_waiting_alone_asks_for_nothing(city: City) -> None:
    case = await case_of(await linked(city, *NEW_LETTER))
    assert case.phase is Phase.IN_PROGRESS
    assert case.next_action == ""
    assert case.deadline is None
    assert case.extras.offers == ()
    assert in_language(case.status.label, "en") == "On the waiting list"


async def test_an_application_that_lapses_soon_asks_to_be_renewed(city: City) -> None:
    await linked(city, *NEW_LETTER)
    case = await case_of(housing_of(city, renewal_notice_days="300"))
    assert case.phase is Phase.ACTION_NEEDED
    assert case.deadline == in_days(city, 269)
    assert "falls off the list" in in_language(case.next_action, "en")


async def test_an_unknown_resident_has_no_application(city: City) -> None:
    await linked(city)
    assert (await housing_of(city).list_cases(Context(OTHER))).records == ()


async def test_one_case_is_found_and_somebody_elses_is_gone(city: City) -> None:
    housing = await linked(city)
    case = await case_of(housing)
    assert (await housing.get_case(JANA, case.ref)).records == (case,)
    for context, ref in ((Context(OTHER), case.ref), (JANA, "BYT-0"), (JANA, "../reacties")):
        with pytest.raises(Gone):
            await housing.get_case(context, ref)


async def test_the_address_goes_along_only_when_it_was_allowed(city: City) -> None:
    housing = await linked(city)
    assert (await housing.desk.status(SUBJECT)).email == ""
    await housing.unlink(JANA)
    with_email = Context(SUBJECT, claims={"email": "jana@example.org"})
    await housing.link(with_email, *LETTER)
    assert (await housing.desk.status(SUBJECT)).email == "jana@example.org"
    await housing.unlink(JANA)
    await housing.unlink(JANA)
    assert (await housing.desk.status(SUBJECT)).email == ""


def words_of(nodes: tuple[ExportNode, ...]) -> str:
    return " ".join(f"{node.key} {node.value} {words_of(node.children)}" for node in nodes)


async def test_the_export_covers_all_that_is_shown(city: City) -> None:
    housing = housing_of(city)
    await housing.link(Context(SUBJECT, claims={"email": "jana@example.org"}), *LETTER)
    export = await housing.export(JANA)
    said = words_of(export.nodes)
    assert export.subject == SUBJECT
    for word in ("BYT-2024-00318", "4/187", "Vrbová 12", "384.50 EUR", "jana@example.org", SUBJECT):
        assert word in said


async def test_erasing_takes_the_address_back_and_keeps_the_application(city: City) -> None:
    housing = housing_of(city)
    await housing.link(Context(SUBJECT, claims={"email": "jana@example.org"}), *LETTER)
    tried = await housing.erase(JANA, dry_run=True)
    assert not tried.is_allowed
    assert (await housing.desk.status(SUBJECT)).email
    for _ in range(2):
        [refusal] = (await housing.erase(JANA, dry_run=False)).refusals
        assert refusal.code == "application_open"
        assert in_language(refusal.text, "sk") != in_language(refusal.text, "en")
    assert (await housing.desk.status(SUBJECT)).email == ""
    assert await case_of(housing)


async def test_nothing_known_may_be_erased(city: City) -> None:
    housing = housing_of(city)
    assert (await housing.erase(JANA, dry_run=False)).is_allowed
    assert (await housing.export(JANA)).nodes == ()


async def test_health_tells_down_from_misconfigured(city: City) -> None:
    housing = housing_of(city)
    assert (await housing.check()).condition is Condition.OK
    city.fails("vera", Fault.DOWN)
    report = await housing.check()
    assert report.capabilities["cases"].condition is Condition.DOWN
    assert report.capabilities["link"].condition is Condition.OK
    city.systems.faults.reset()
    elsewhere = build(settings_of("housing"), city.http("parking", VERA_KEY, "desk"))
    assert (await elsewhere.health.check()).condition is Condition.MISCONFIGURED


@pytest.mark.parametrize("fault", BECOMES)
async def test_a_fault_becomes_its_error_and_says_nothing_personal(
    city: City, caplog: pytest.LogCaptureFixture, fault: Fault
) -> None:
    caplog.set_level(logging.DEBUG)
    await linked(city)
    city.fails("vera", fault, seconds=9)
    with pytest.raises(BECOMES[fault]) as failure:
        await housing_of(city, seconds=0.5).list_cases(JANA)
    assert leaks(failure.value, caplog.records, *PERSONAL) == []


async def test_a_broken_connection_is_unavailable(city: City) -> None:
    with served(city):
        housing = await linked(city)
        city.fails("vera", Fault.RESET)
        with pytest.raises(Unavailable):
            await housing.list_cases(JANA)


async def test_drift_of_optional_members_costs_only_themselves(
    city: City, caplog: pytest.LogCaptureFixture
) -> None:
    housing = await linked(city)
    city.fails(
        "vera",
        Fault.DRIFT,
        drop=["extra-attributen", "naam", "label"],
        put={"positie": "first", "vervaldatum": "soon", "status": 7, "bezichtigingsdatum": None},
    )
    case = await case_of(housing)
    assert case.extras.queue is None
    assert case.extras.offers[0].answer_by is None
    assert case.reference == "BYT-2024-00318"
    assert leaks(ValueError(), caplog.records, *PERSONAL) == []


@pytest.mark.parametrize("change", [{"drop": ["relaties"]}, {"drop": [], "put": {"datum": "x"}}])
async def test_a_source_of_another_shape_is_misconfigured(
    city: City, change: dict[str, object]
) -> None:
    housing = await linked(city)
    city.fails("vera", Fault.DRIFT, **change)
    with pytest.raises(Misconfigured):
        await housing.list_cases(JANA)


async def test_a_lying_source_is_found_out_by_the_owner_it_states(city: City) -> None:
    housing = await linked(city)
    city.fails("vera", Fault.OTHER_SUBJECT)
    answer = await housing.list_cases(JANA)
    assert answer.records
    assert all(case.subject != SUBJECT for case in answer.records)
    assert (await housing.export(JANA)).subject != SUBJECT


@pytest.mark.parametrize("rent", ["1e999999", "NaN", "-5", "inf", "", "a lot"])
async def test_a_rent_that_is_no_amount_is_left_out(city: City, rent: str) -> None:
    housing = await linked(city)
    city.fails("vera", Fault.DRIFT, drop=[], put={"waarde": rent})
    assert (await case_of(housing)).extras.offers[0].rent is None
