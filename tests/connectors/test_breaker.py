"""What failed is remembered for all processes, and administrators hear of what concerns them."""

import asyncio
from datetime import timedelta

import pytest

from citizen_account.connector_host.outcomes import Failed, Fetched, Reason
from citizen_account.connector_sdk import errors
from citizen_account.connector_sdk.models import (
    Answer,
    Case,
    Condition,
    Context,
    Health,
    HealthReport,
)
from citizen_account.domain.connectors import ConnectorId, Gate
from citizen_account.storage.unit_of_work import Database
from tests.connectors.offices import (
    CONTEXT,
    EXAMPLE,
    SOMEBODY_ELSE,
    Connect,
    Office,
    answer,
    case,
    failed,
    raising,
)
from tests.factories import Clock


@pytest.fixture
def connect(database: Database, clock: Clock) -> Connect:
    return Connect(database, clock)


# --- the breaker --------------------------------------------------------------------------------


async def test_failing_source_is_left_alone_and_tried_later(connect: Connect, clock: Clock) -> None:
    office = Office(raising(errors.Misconfigured("401")))
    connectors = connect(office)
    first = failed(await connectors.list_cases(EXAMPLE, CONTEXT))
    assert first.since == clock()
    paused = failed(await connectors.list_cases(EXAMPLE, CONTEXT))
    assert (paused.reason, office.calls) == (Reason.PAUSED, 1)
    assert paused.since == first.since
    clock.now += timedelta(minutes=20)
    again = failed(await connectors.list_cases(EXAMPLE, CONTEXT))
    assert (again.reason, again.since, office.calls) == (Reason.MISCONFIGURED, first.since, 2)


async def test_breaker_opens_after_three_failures_for_every_process(
    connect: Connect, database: Database
) -> None:
    office = Office(raising(ValueError()))
    for _ in range(3):
        # Another process would have a runner of its own.
        await connect(office).list_cases(EXAMPLE, CONTEXT)
    assert failed(await connect(office).list_cases(EXAMPLE, CONTEXT)).reason is Reason.PAUSED
    async with database.read() as uow:
        health = await uow.connector_health.find(ConnectorId(EXAMPLE))
    assert (health.gate, health.failures, office.calls) == (Gate.OPEN, 3, 3)


async def test_success_closes_the_breaker(
    connect: Connect, database: Database, clock: Clock
) -> None:
    ill = connect(Office(raising(errors.Misconfigured("401"))))
    await ill.list_cases(EXAMPLE, CONTEXT)
    clock.now += timedelta(minutes=20)
    assert isinstance(await connect(Office()).list_cases(EXAMPLE, CONTEXT), Fetched)
    async with database.read() as uow:
        health = await uow.connector_health.find(ConnectorId(EXAMPLE))
    assert (health.gate, health.failures, health.since) == (Gate.CLOSED, 0, None)


async def test_one_trial_is_made_when_the_pause_is_over(connect: Connect, clock: Clock) -> None:
    await connect(Office(raising(errors.Misconfigured("401")))).list_cases(EXAMPLE, CONTEXT)
    clock.now += timedelta(minutes=20)

    async def ask(_: Context, __: str | None) -> Answer[Case]:
        await asyncio.sleep(0.1)
        return answer()

    office = Office(ask)
    connectors = connect(office)
    outcomes = await asyncio.gather(*(connectors.list_cases(EXAMPLE, CONTEXT) for _ in range(5)))
    assert office.calls == 1
    assert len([one for one in outcomes if isinstance(one, Fetched)]) == 1


async def test_refusal_is_no_failure_of_the_source(connect: Connect) -> None:
    office = Office(raising(errors.Refused("no", "No")))
    for _ in range(5):
        await connect(office).list_cases(EXAMPLE, CONTEXT)
    assert office.calls == 5


async def test_misconfigured_connector_is_told_to_administrators_once(
    connect: Connect, database: Database, clock: Clock
) -> None:
    for _ in range(2):
        await connect(Office(raising(errors.Misconfigured("x")))).list_cases(EXAMPLE, CONTEXT)
        clock.now += timedelta(minutes=20)
    async with database.read() as uow:
        told = [
            e
            for e in await uow.audit.page(before=None, size=50)
            if e.event == "connector_misconfigured"
        ]
    assert len(told) == 1


async def test_check_now_passes_a_closed_gate_and_keeps_what_it_finds(
    connect: Connect, database: Database, clock: Clock
) -> None:
    await connect(Office(raising(errors.Misconfigured("x")))).list_cases(EXAMPLE, CONTEXT)
    assert isinstance(await connect(Office()).check(EXAMPLE), Fetched)
    async with database.read() as uow:
        health = await uow.connector_health.find(ConnectorId(EXAMPLE))
    assert (health.gate, health.report, health.checked_at) == (
        Gate.CLOSED,
        {"cases": "ok"},
        clock(),
    )


async def test_check_that_finds_all_down_counts(connect: Connect, database: Database) -> None:
    report = HealthReport({"cases": Health(Condition.MISCONFIGURED, "wrong a-secret-setting")})
    outcome = await connect(Office(report=report)).check(EXAMPLE)
    assert isinstance(outcome, Fetched)
    assert outcome.answer.capabilities["cases"].detail == "wrong […]"
    async with database.read() as uow:
        health = await uow.connector_health.find(ConnectorId(EXAMPLE))
    assert health.gate is Gate.MISCONFIGURED


async def test_rate_of_the_manifest_is_kept_without_blaming_the_source(
    connect: Connect, database: Database
) -> None:
    office = Office()
    connectors = connect(office, rate="2/min")
    outcomes = [await connectors.list_cases(EXAMPLE, CONTEXT) for _ in range(3)]
    assert office.calls == 2
    assert failed(outcomes[2]).reason is Reason.RATE_LIMITED
    async with database.read() as uow:
        assert not (await uow.connector_health.find(ConnectorId(EXAMPLE))).is_troubled


# --- somebody else's records --------------------------------------------------------------------


@pytest.mark.parametrize(
    "lie",
    [
        answer(case(), case("b", SOMEBODY_ELSE)),
        answer(case(subject=SOMEBODY_ELSE)),
        answer(subject=SOMEBODY_ELSE),
        answer(subject=""),
    ],
    ids=["one record", "every record", "the answer", "nobody"],
)
async def test_answer_with_a_foreign_record_is_dropped_and_told(
    connect: Connect, database: Database, lie: Answer[Case]
) -> None:
    async def ask(_: Context, __: str | None) -> Answer[Case]:
        return lie

    outcome = failed(await connect(Office(ask)).list_cases(EXAMPLE, CONTEXT))
    assert outcome.reason is Reason.FOREIGN_RECORD
    async with database.read() as uow:
        assert "foreign_record_dropped" in {
            entry.event for entry in await uow.audit.page(before=None, size=50)
        }


async def test_foreign_page_spoils_the_others(connect: Connect) -> None:
    async def ask(_: Context, cursor: str | None) -> Answer[Case]:
        if cursor is None:
            return answer(cursor="2")
        return answer(case("b", SOMEBODY_ELSE), subject=SOMEBODY_ELSE)

    outcome = failed(await connect(Office(ask)).list_cases(EXAMPLE, CONTEXT))
    assert outcome.reason is Reason.FOREIGN_RECORD


async def test_foreign_export_is_dropped(connect: Connect) -> None:
    outcome = await connect(Office()).export(EXAMPLE, CONTEXT)
    assert isinstance(outcome, Failed)
    assert outcome.reason is Reason.FOREIGN_RECORD
