"""Ask a connector everything that it can be asked, and look at how it answers."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from citizen_account.connector_sdk.acceptance import AcceptanceTarget
from citizen_account.connector_sdk.checks.require import is_a, require
from citizen_account.connector_sdk.errors import ConnectorError
from citizen_account.connector_sdk.models import (
    Answer,
    Case,
    Context,
    Entitlement,
    Erasure,
    Export,
    Place,
)
from citizen_account.connector_sdk.protocol import CasesCapability, Connector
from citizen_account.connector_sdk.wire import WireError, checked

MAXIMUM_PAGES = 50


@dataclass(frozen=True, slots=True)
class Question:
    name: str
    shape: type[Any]  # Any: each question has an answer of its own
    ask: Callable[[], Awaitable[object]]


def personal_questions(connector: Connector, context: Context) -> list[Question]:
    """Return every read about one resident."""
    found = []
    if (cases := connector.cases) is not None:
        found.append(Question("list_cases", Answer[Case], lambda: cases.list_cases(context)))
    if (entitlements := connector.entitlements) is not None:
        found.append(Question("mine", Answer[Entitlement], lambda: entitlements.mine(context)))
    if (gdpr := connector.gdpr) is not None:
        found += [
            Question("export", Export, lambda: gdpr.export(context)),
            Question("erase", Erasure, lambda: gdpr.erase(context, dry_run=True)),
        ]
    return found


def questions(connector: Connector, target: AcceptanceTarget) -> list[Question]:
    """Return every read: those about the first resident, and the public ones."""
    found = [
        question
        for context in target.residents[:1]
        for question in personal_questions(connector, context)
    ]
    places = connector.places
    if places is not None:
        lat, lon, radius = is_a(tuple, target.position)
        found.append(Question("near", Answer[Place], lambda: places.near(lat, lon, radius)))
    require(found, "the target gives nothing to ask about")
    return found


async def outcome_of(question: Question) -> object:
    """Return the answer, or the error of the SDK; anything else is a fault of the connector."""
    try:
        answer = await question.ask()
    except ConnectorError as error:
        return error
    except Exception as error:  # whatever it is, it is what the check looks for
        raise AssertionError(
            f"{question.name} raised {type(error).__name__}, no SDK error"
        ) from error
    try:
        return checked(answer, question.shape)
    except WireError as error:
        raise AssertionError(f"{question.name} answered another shape: {error}") from error


async def answer_of(question: Question) -> object:
    """Return the answer; an error is a fault here."""
    outcome = await outcome_of(question)
    if isinstance(outcome, ConnectorError):
        raise AssertionError(f"{question.name} failed on a healthy emulator: {outcome!r}")  # noqa: TRY004  # a failed check, no wrong type
    return outcome


async def error_of(question: Question, target: AcceptanceTarget) -> ConnectorError | None:
    """Return the error; an answer is a fault here: it would be taken for the truth.

    None for a question that a connector answers without its source.
    """
    before = len(target.rigged.sent)
    outcome = await outcome_of(question)
    if isinstance(outcome, ConnectorError):
        return outcome
    require(len(target.rigged.sent) == before, f"{question.name} hid the fault behind an answer")
    return None


async def shown(connector: Connector, context: Context) -> Sequence[Case | Entitlement]:
    """Return every record that the resident would see, all pages of it."""
    records: list[Case | Entitlement] = []
    if connector.cases is not None:
        records += await all_cases(connector.cases, context)
    if (entitlements := connector.entitlements) is not None:
        question = Question("mine", Answer[Entitlement], lambda: entitlements.mine(context))
        answer: Any = await answer_of(question)  # Any: checked against the question's shape
        _require_subject(answer, context, "mine")
        records += answer.records
    return records


async def all_cases(cases: CasesCapability, context: Context) -> list[Case]:
    records: list[Case] = []
    cursor: str | None = None
    for _ in range(MAXIMUM_PAGES):
        page = Question("list_cases", Answer[Case], partial(cases.list_cases, context, cursor))
        answer: Any = await answer_of(page)  # Any: checked against the question's shape
        _require_subject(answer, context, "list_cases")
        records += answer.records
        cursor = answer.cursor
        if cursor is None:
            return records
    raise AssertionError("list_cases has no last page")


def _require_subject(answer: Answer[Any], context: Context, name: str) -> None:
    require(answer.subject == context.subject, f"{name} does not say whom it answers about")
