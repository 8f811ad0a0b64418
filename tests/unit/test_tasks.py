"""What a resident has to do: found in her cases and rights, the most urgent first."""

from dataclasses import replace
from datetime import UTC, date, datetime

from citizen_account.connector_sdk.models import (
    Case,
    CaseStatus,
    Entitlement,
    EntitlementState,
    Extras,
    Offer,
    OfferState,
    Phase,
)
from citizen_account.domain.tasks import Task, TaskKind, by_urgency, tasks_of

TODAY = date(2026, 11, 23)
WAITING = Case(
    subject="jana",
    ref="1",
    type="parking",
    title="Resident parking card",
    reference="PK-1",
    status=CaseStatus("missing", "A document is missing"),
    phase=Phase.ACTION_NEEDED,
    opened=date(2026, 11, 1),
    deadline=date(2026, 12, 2),
    next_action="Add the document.",
)
RUNNING = replace(WAITING, phase=Phase.IN_PROGRESS)
OFFER = Offer(ref="o", address="Lipová 7", answer_by=date(2026, 11, 30))
CARD = Entitlement(
    subject="jana",
    ref="e",
    kind="resident-parking",
    title="Parking card",
    state=EntitlementState.ACTIVE,
    credentials=("DM123AB",),
    valid_to=date(2026, 12, 14),
)


def with_offer(case: Case, offer: Offer) -> Case:
    return replace(case, extras=Extras(offers=(offer,)))


def kinds(tasks: object) -> list[TaskKind]:
    assert isinstance(tasks, list)
    return [task.kind for task in tasks]


def test_case_that_waits_is_a_task_with_its_deadline() -> None:
    assert tasks_of([WAITING], [], TODAY) == [
        Task(
            TaskKind.CASE_ACTION,
            "Add the document.",
            "Resident parking card",
            "PK-1",
            date(2026, 12, 2),
        )
    ]


def test_case_that_the_office_works_on_is_no_task() -> None:
    assert not tasks_of([RUNNING], [], TODAY)


def test_open_offer_is_one_task_though_its_case_waits_too() -> None:
    for case in (WAITING, RUNNING):
        assert kinds(tasks_of([with_offer(case, OFFER)], [], TODAY)) == [TaskKind.OFFER_ANSWER]


def test_offer_that_is_over_is_no_task() -> None:
    late = replace(OFFER, answer_by=date(2026, 11, 22))
    answered = replace(OFFER, state=OfferState.DECLINED)
    for offer in (late, answered):
        assert not tasks_of([with_offer(RUNNING, offer)], [], TODAY)


def test_offer_may_be_answered_on_its_last_day() -> None:
    last_day = replace(OFFER, answer_by=datetime(2026, 11, 23, 17, tzinfo=UTC))
    assert kinds(tasks_of([with_offer(RUNNING, last_day)], [], TODAY)) == [TaskKind.OFFER_ANSWER]


def test_right_that_ends_within_a_month_is_a_task() -> None:
    assert kinds(tasks_of([], [CARD], TODAY)) == [TaskKind.RIGHT_ENDS]
    later = replace(CARD, valid_to=date(2026, 12, 24))
    over = replace(CARD, valid_to=date(2026, 11, 22))
    unlimited = replace(CARD, valid_to=None)
    suspended = replace(CARD, state=EntitlementState.SUSPENDED)
    for right in (later, over, unlimited, suspended):
        assert not tasks_of([], [right], TODAY)


def test_most_urgent_comes_first_and_what_has_no_day_last() -> None:
    undated = replace(WAITING, deadline=None)
    found = sorted(tasks_of([undated, WAITING], [CARD], TODAY), key=by_urgency)
    assert [task.due for task in found] == [date(2026, 12, 2), date(2026, 12, 14), None]
