"""Find what a resident has to do: in her applications, her rights and her account."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum

from citizen_account.connector_sdk.models import (
    Case,
    Entitlement,
    EntitlementState,
    Offer,
    OfferState,
    Phase,
    Text,
)

# A right that ends soon is worth a reminder while it can still be renewed.
ENDS_SOON = timedelta(days=30)


class TaskKind(StrEnum):
    CASE_ACTION = "case_action"
    OFFER_ANSWER = "offer_answer"
    RIGHT_ENDS = "right_ends"


@dataclass(frozen=True, slots=True)
class Task:
    """One thing to do, with the day it is due; None where nobody named one."""

    kind: TaskKind
    title: Text
    about: Text
    """What it belongs to, for instance the application."""
    reference: str
    due: date | None


def tasks_of(
    cases: Iterable[Case], entitlements: Iterable[Entitlement], today: date
) -> Sequence[Task]:
    """Return what one service waits for."""
    return [
        *(task for case in cases for task in _of_case(case, today)),
        *(task for right in entitlements for task in _of_right(right, today)),
    ]


def by_urgency(task: Task) -> tuple[bool, date]:
    """Sort what is due first to the top, and what has no day to the end."""
    return (task.due is None, task.due or date.max)


def _of_case(case: Case, today: date) -> Iterator[Task]:
    open_offers = [offer for offer in case.extras.offers if _is_open(offer, today)]
    for offer in open_offers:
        due = _day(offer.answer_by)
        yield Task(TaskKind.OFFER_ANSWER, offer.address, case.title, case.reference, due)
    # Where an offer is open, answering it is what the case waits for.
    if case.phase is Phase.ACTION_NEEDED and not open_offers:
        title = case.next_action or case.status.label
        yield Task(TaskKind.CASE_ACTION, title, case.title, case.reference, case.deadline)


def _of_right(right: Entitlement, today: date) -> Iterator[Task]:
    ends = _day(right.valid_to)
    if right.state is not EntitlementState.ACTIVE or ends is None:
        return
    if today <= ends <= today + ENDS_SOON:
        shown = ", ".join(right.credentials)
        yield Task(TaskKind.RIGHT_ENDS, right.title, shown, "", ends)


def _is_open(offer: Offer, today: date) -> bool:
    answer_by = _day(offer.answer_by)
    return offer.state is OfferState.OPEN and (answer_by is None or answer_by >= today)


def _day(moment: date | None) -> date | None:
    return moment.date() if isinstance(moment, datetime) else moment
