"""The permits connector shows the cases of a ZGW system, and bears whatever that system does."""

import logging
from datetime import timedelta

import pytest

from citizen_account.connector_sdk.errors import (
    Gone,
    Misconfigured,
    OutcomeUnknown,
    RateLimited,
    Refused,
    Unavailable,
)
from citizen_account.connector_sdk.models import (
    Case,
    Condition,
    Context,
    ExportNode,
    LinkState,
    Phase,
    StepState,
    in_language,
)
from citizen_account.demo.emulators.faults import Fault
from connectors.permits.connector import Permits, build
from tests.connectors.city import BECOMES, OTHER, SUBJECT, City, leaks, served, settings_of

JANA = Context(SUBJECT)
LETTER = ("MAG-2026-47301", "K7QP-4MZD")
PERSONAL = (SUBJECT, "PK-2026-10482", "Lipová", "K7QP", "technick")


@pytest.fixture
def city() -> City:
    return City()


def permits_of(city: City, *, page_size: int = 50, seconds: float = 5) -> Permits:
    http = city.http("zgw", city.zgw_credentials, "desk", seconds=seconds)
    built = build(settings_of("permits"), http).cases
    assert isinstance(built, Permits)
    return Permits(
        built.zgw, built.desk, built.mapper, built.source, clock=city.clock, page_size=page_size
    )


async def linked(city: City, **options: int) -> Permits:
    permits = permits_of(city, **options)
    await permits.link(JANA, *LETTER)
    return permits


async def cases_of(permits: Permits) -> dict[str, Case]:
    answer = await permits.list_cases(JANA)
    return {case.reference: case for case in answer.records}


# --- link ---------------------------------------------------------------------------------------


async def test_a_letter_links(city: City) -> None:
    link = await permits_of(city).link(JANA, *LETTER)
    assert link.state is LinkState.LINKED
    assert "MAG-2026-47301" in str(link.remote_label)


async def test_a_wrong_secret_is_refused_in_both_languages(city: City) -> None:
    permits = permits_of(city)
    for reference in ("MAG-2026-47301", "MAG-0000-00000"):
        with pytest.raises(Refused) as refusal:
            await permits.link(JANA, reference, "AAAA-AAAA")
        assert refusal.value.why == "wrong_secret"
        assert in_language(refusal.value.text, "sk") != in_language(refusal.value.text, "en")


async def test_the_fifth_wrong_try_blocks_the_letter(city: City) -> None:
    permits = permits_of(city)
    reasons = []
    for secret in ("A", "B", "C", "D", "E", LETTER[1]):
        with pytest.raises(Refused) as refusal:
            await permits.link(JANA, LETTER[0], secret)
        reasons.append(refusal.value.why)
    assert reasons == ["wrong_secret"] * 4 + ["too_many_tries"] * 2


async def test_a_letter_that_somebody_else_used_is_refused(city: City) -> None:
    permits = await linked(city)
    with pytest.raises(Refused) as refusal:
        await permits.link(Context(OTHER), *LETTER)
    assert refusal.value.why == "expired"


async def test_unlinking_twice_is_fine_and_ends_the_view(city: City) -> None:
    permits = await linked(city)
    await permits.unlink(JANA)
    await permits.unlink(JANA)
    assert await cases_of(permits) == {}


# --- cases --------------------------------------------------------------------------------------


async def test_a_case_that_waits_for_the_resident(city: City) -> None:
    case = (await cases_of(await linked(city)))["PK-2026-10482"]
    today = city.clock.now.date()
    assert case.subject == SUBJECT
    assert case.phase is Phase.ACTION_NEEDED
    assert case.deadline == today + timedelta(days=9)
    assert case.expected_by == today + timedelta(days=19)
    assert case.opened == today - timedelta(days=11)
    assert "technického preukazu" in in_language(case.next_action, "sk")
    assert in_language(case.next_action, "en").startswith("The office asks you")
    assert in_language(case.title, "en") == "Resident parking card: Lipová 4"
    assert in_language(case.title, "sk") == "Rezidentská parkovacia karta: Lipová 4"
    assert (case.status.code, in_language(case.status.label, "en")) == (
        "checking",
        "Checking the documents",
    )
    assert [step.state for step in case.steps] == [
        StepState.DONE,
        StepState.CURRENT,
        StepState.UPCOMING,
        StepState.UPCOMING,
    ]
    assert [step.at is not None for step in case.steps] == [True, True, False, False]


async def test_a_case_that_the_office_decides(city: City) -> None:
    case = (await cases_of(await linked(city)))["MAG-2026-47288"]
    assert case.phase is Phase.IN_PROGRESS
    assert case.expected_by == case.deadline == city.clock.now.date() + timedelta(days=12)
    assert case.next_action == ""
    assert case.outcome == ""
    assert case.type == "podujatie"


async def test_a_decided_case_has_its_outcome_and_no_deadline(city: City) -> None:
    permits = permits_of(city)
    await permits.link(JANA, "MAG-2026-30218", "T3HX-9WRB")
    [case] = (await permits.list_cases(JANA)).records
    assert case.phase is Phase.DECIDED
    assert in_language(case.outcome, "en") == "Granted"
    assert in_language(case.outcome, "sk") == "Vyhovené"
    assert case.deadline is case.expected_by is None
    assert all(step.state is StepState.DONE for step in case.steps)


async def test_a_new_case_is_received(city: City) -> None:
    permits = permits_of(city)
    await permits.link(JANA, "MAG-2026-52660", "R9DM-7XGT")
    assert (await cases_of(permits))["MAG-2026-52655"].phase is Phase.RECEIVED


async def test_an_unknown_resident_has_no_cases(city: City) -> None:
    answer = await permits_of(city).list_cases(Context(OTHER))
    assert answer.records == ()
    assert answer.subject == OTHER


async def test_two_residents_never_see_each_others_cases(city: City) -> None:
    permits = await linked(city)
    await permits.link(Context(OTHER), "MAG-2026-51874", "B6NC-2YFK")
    mine = await cases_of(permits)
    theirs = (await permits.list_cases(Context(OTHER))).records
    assert not {case.reference for case in theirs} & mine.keys()
    assert {case.subject for case in theirs} == {OTHER}


async def test_pages_lead_to_the_end(city: City) -> None:
    permits = await linked(city, page_size=1)
    first = await permits.list_cases(JANA)
    assert first.cursor is not None
    second = await permits.list_cases(JANA, first.cursor)
    assert second.cursor is None
    assert {one.reference for one in (*first.records, *second.records)} == {
        "PK-2026-10482",
        "MAG-2026-47288",
    }


async def test_one_case_is_found_by_its_ref(city: City) -> None:
    permits = await linked(city)
    case = (await cases_of(permits))["PK-2026-10482"]
    [found] = (await permits.get_case(JANA, case.ref)).records
    assert found == case


@pytest.mark.parametrize(
    "ref", ["", "../zaken", "not-a-uuid", "0b9d2f5e-6c0a-4b7e-9a57-3d4b5a6c7d8e"]
)
async def test_an_unknown_ref_is_gone(city: City, ref: str) -> None:
    with pytest.raises(Gone):
        await permits_of(city).get_case(JANA, ref)


async def test_somebody_elses_ref_is_gone(city: City) -> None:
    permits = await linked(city)
    ref = next(iter((await permits.list_cases(JANA)).records)).ref
    with pytest.raises(Gone):
        await permits.get_case(Context(OTHER), ref)


async def test_a_reference_that_does_not_fit_is_never_sent(city: City) -> None:
    with pytest.raises(Misconfigured):
        await permits_of(city).list_cases(Context("x" * 18))


# --- gdpr ---------------------------------------------------------------------------------------


def words_of(nodes: tuple[ExportNode, ...]) -> str:
    return " ".join(f"{node.key} {node.value} {words_of(node.children)}" for node in nodes)


async def test_the_export_covers_all_that_is_shown(city: City) -> None:
    permits = await linked(city, page_size=1)
    export = await permits.export(JANA)
    said = words_of(export.nodes)
    assert export.subject == SUBJECT
    for case in (await cases_of(permits_of(city))).values():
        assert case.reference in said
        assert case.opened.isoformat() in said
    assert "technického preukazu" in said
    assert SUBJECT in said


async def test_nothing_known_is_an_empty_export_and_may_be_erased(city: City) -> None:
    permits = permits_of(city)
    assert (await permits.export(JANA)).nodes == ()
    assert (await permits.erase(JANA, dry_run=False)).is_allowed


@pytest.mark.parametrize("dry_run", [True, False])
async def test_erasing_is_refused_with_the_law(city: City, dry_run: bool) -> None:  # noqa: FBT001 - both
    permits = await linked(city)
    erasure = await permits.erase(JANA, dry_run=dry_run)
    [refusal] = erasure.refusals
    assert refusal.code == "records_act"
    for language in ("sk", "en"):
        assert "395/2002" in in_language(refusal.text, language)
    assert len(await cases_of(permits)) == 2


# --- health -------------------------------------------------------------------------------------


async def test_a_healthy_source_is_ok(city: City) -> None:
    report = await permits_of(city).check()
    assert set(report.capabilities) == {"cases", "gdpr", "link"}
    assert report.condition is Condition.OK


async def test_health_tells_down_from_misconfigured(city: City) -> None:
    permits = permits_of(city)
    city.fails("zgw", Fault.DOWN)
    report = await permits.check()
    assert report.capabilities["cases"].condition is Condition.DOWN
    assert report.capabilities["link"].condition is Condition.OK
    city.systems.faults.reset()
    wrong = build(settings_of("permits"), city.http("zgw", None, "desk"))
    assert (await wrong.health.check()).condition is Condition.MISCONFIGURED
    elsewhere = build(settings_of("permits"), city.http("vera", city.zgw_credentials, "desk"))
    assert (await elsewhere.health.check()).condition is Condition.MISCONFIGURED


# --- faults -------------------------------------------------------------------------------------


@pytest.mark.parametrize("fault", BECOMES)
async def test_a_fault_becomes_its_error_and_says_nothing_personal(
    city: City, caplog: pytest.LogCaptureFixture, fault: Fault
) -> None:
    caplog.set_level(logging.DEBUG)
    await linked(city)
    city.fails("zgw", fault, seconds=9)
    with pytest.raises(BECOMES[fault]) as failure:
        await permits_of(city, seconds=0.5).list_cases(JANA)
    assert leaks(failure.value, caplog.records, *PERSONAL) == []


async def test_waiting_times_are_handed_on(city: City) -> None:
    permits = await linked(city)
    city.fails("zgw", Fault.DOWN, retry_after=44)
    with pytest.raises(Unavailable) as down:
        await permits.list_cases(JANA)
    city.fails("zgw", Fault.RATE_LIMITED, retry_after=55)
    with pytest.raises(RateLimited) as limited:
        await permits.list_cases(JANA)
    assert (down.value.retry_after, limited.value.retry_after) == (44, 55)


async def test_a_broken_connection_is_unavailable(city: City) -> None:
    with served(city):
        permits = await linked(city)
        city.fails("zgw", Fault.RESET)
        with pytest.raises(Unavailable):
            await permits.list_cases(JANA)


async def test_an_unanswered_link_is_of_unknown_outcome(city: City) -> None:
    city.fails("desk", Fault.SLOW, seconds=9)
    with pytest.raises(OutcomeUnknown):
        await permits_of(city, seconds=0.3).link(JANA, *LETTER)


async def test_a_source_of_another_shape_is_misconfigured(
    city: City, caplog: pytest.LogCaptureFixture
) -> None:
    permits = await linked(city)
    city.fails("zgw", Fault.DRIFT)
    with pytest.raises(Misconfigured) as failure:
        await permits.list_cases(JANA)
    assert leaks(failure.value, caplog.records, *PERSONAL) == []


async def test_missing_optional_members_cost_only_themselves(
    city: City, caplog: pytest.LogCaptureFixture
) -> None:
    permits = await linked(city)
    city.fails(
        "zgw",
        Fault.DRIFT,
        drop=["omschrijvingGeneriek", "toelichting", "statustoelichting", "laatstGemuteerd"],
        put={"einddatumGepland": "soon", "uiterlijkeEinddatumAfdoening": [], "isEindstatus": "ja?"},
    )
    cases = await cases_of(permits)
    assert len(cases) == 2
    assert cases["MAG-2026-47288"].deadline is None
    assert cases["MAG-2026-47288"].phase is Phase.IN_PROGRESS
    assert any("connector_drift" in record.getMessage() for record in caplog.records)


async def test_a_lying_source_is_found_out_by_the_owner_it_states(city: City) -> None:
    permits = await linked(city)
    city.fails("zgw", Fault.OTHER_SUBJECT)
    answer = await permits.list_cases(JANA)
    assert answer.subject == SUBJECT
    assert all(case.subject != SUBJECT for case in answer.records)
    assert (await permits.export(JANA)).subject != SUBJECT
