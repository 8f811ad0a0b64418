"""Word what the overview lists, in the reader's language."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import assert_never
from urllib.parse import quote

from citizen_account.connector_sdk.models import (
    Case,
    Entitlement,
    EntitlementState,
    OfferState,
    Phase,
    StepState,
    in_language,
)
from citizen_account.domain.accounts import Account, Level
from citizen_account.domain.connections import ConnectionState
from citizen_account.domain.ledger import ActorKind, LedgerEntry
from citizen_account.domain.tasks import Task, TaskKind
from citizen_account.i18n import Message, Speech, m, mn
from citizen_account.usecases.dashboard import Dashboard, LinkedService, Looks, UsedService

URGENT_DAYS = 3
SOON_DAYS = 14
LINES_OF_A_CARD = 3
FINISHED = frozenset({Phase.DECIDED, Phase.CLOSED})


@dataclass(frozen=True, slots=True)
class TaskLine:
    title: str
    place: str
    """Where it is done: a path of ours without its language."""
    about: str
    due: date | None = None
    days_left: int | None = None
    is_advice: bool = False

    @property
    def is_urgent(self) -> bool:
        return self.days_left is not None and self.days_left <= URGENT_DAYS

    @property
    def is_soon(self) -> bool:
        return self.days_left is not None and self.days_left <= SOON_DAYS


@dataclass(frozen=True, slots=True)
class ServiceCard:
    name: str
    icon: str
    tone: str
    place: str
    """A path of ours without its language."""
    status: Sequence[Message]
    address: str = ""
    """The service's own address, where it lives outside the account."""
    alert: Message | None = None
    """What waits for the resident here."""
    silent_since: datetime | None = None
    """Since when it does not answer: what is shown is the last known state."""


@dataclass(frozen=True, slots=True)
class CaseLine:
    title: str
    reference: str
    place: str
    opened: date
    state: str
    steps_done: int
    steps: int
    decision_by: date | None
    known_at: datetime | None
    """When this was so, told only while the service does not answer."""


@dataclass(frozen=True, slots=True)
class SecurityLine:
    text: Message
    is_good: bool
    place: str = ""
    action: Message | None = None


def task_line(task: Task, service: LinkedService, speech: Speech, today: date) -> TaskLine:
    about = (
        in_language(service.manifest.title, speech.language),
        in_language(task.about, speech.language),
        task.reference,
    )
    return TaskLine(
        title=_task_title(task, speech),
        place=place_of(service, task.reference),
        about=" · ".join(word for word in about if word),
        due=task.due,
        days_left=None if task.due is None else (task.due - today).days,
    )


def advice(found: Dashboard, speech: Speech) -> Sequence[TaskLine]:
    """Recommend the next step to whom nothing is connected."""
    if found.linked:
        return ()
    title = speech.say(m("Connect your first city service"))
    return (TaskLine(title, "/services", about="", is_advice=True),)


def place_of(service: LinkedService, reference: str = "") -> str:
    """Return where the service is shown, or one of its cases."""
    page = f"/services/{service.manifest.id}"
    return f"{page}/cases/{quote(reference)}" if reference else page


def linked_card(service: LinkedService, speech: Speech) -> ServiceCard:
    return ServiceCard(
        name=in_language(service.manifest.title, speech.language),
        icon=service.manifest.icon,
        tone=service.manifest.tone,
        place=place_of(service),
        status=list(_status_of(service, speech))[:LINES_OF_A_CARD],
        alert=_alert_of(service),
        silent_since=service.card.failing_since,
    )


def used_card(service: UsedService, speech: Speech) -> ServiceCard:
    used_at = service.consent.last_used_at
    return ServiceCard(
        name=in_language(service.client.name, speech.language),
        icon="log-in",
        tone="plum",
        place="/privacy",
        status=[
            m("You sign in with this account")
            if used_at is None
            else m("Last used: %(day)s", day=speech.local_day(used_at))
        ],
        address=service.client.service_url,
    )


def case_line(case: Case, service: LinkedService, speech: Speech) -> CaseLine:
    done = sum(step.state is not StepState.UPCOMING for step in case.steps)
    is_running = case.phase not in FINISHED and case.phase is not Phase.ACTION_NEEDED
    return CaseLine(
        title=in_language(case.title, speech.language),
        reference=case.reference,
        place=place_of(service, case.reference),
        opened=case.opened,
        state=in_language(case.outcome or case.status.label, speech.language),
        steps_done=done,
        steps=len(case.steps),
        decision_by=(case.deadline or case.expected_by) if is_running else None,
        known_at=service.card.as_of if service.card.failing_since else None,
    )


def looker_of(entry: LedgerEntry, looks: Looks, speech: Speech) -> str:
    """Return who looked: the service's name, or the staff's office."""
    if entry.actor_kind is ActorKind.STAFF:
        return speech.say(m("City office"))
    name = looks.names.get(entry.actor)
    return entry.actor if name is None else in_language(name, speech.language)


def security_of(account: Account) -> Sequence[SecurityLine]:
    return tuple(_security_of(account))


def _security_of(account: Account) -> Iterator[SecurityLine]:
    if account.level is Level.LOW:
        yield SecurityLine(m("Identity not confirmed yet"), is_good=False)
    else:
        yield SecurityLine(m("Identity confirmed"), is_good=True)
    if account.email is None:
        yield _weak(m("No email address"), "/profile", m("Add an email address"))
    elif account.mail_failing_since is not None:
        yield _weak(m("Email does not arrive"), "/profile", m("Check my email address"))
    else:
        yield SecurityLine(m("Email confirmed"), is_good=True)


def _weak(text: Message, place: str, action: Message) -> SecurityLine:
    return SecurityLine(text, is_good=False, place=place, action=action)


def _alert_of(service: LinkedService) -> Message | None:
    if service.card.connection.state is ConnectionState.NEEDS_RELINK:
        return m("Connect this service again")
    waiting = sum(_waits(case) for case in service.card.cases)
    if not waiting:
        return None
    return mn("%(num)s thing waits for you", "%(num)s things wait for you", waiting)


def _status_of(service: LinkedService, speech: Speech) -> Iterator[Message]:
    match service.card.connection.state:
        case ConnectionState.NEEDS_RELINK:
            return
        case ConnectionState.CHECKING:
            yield m("We are checking the connection")
            return
        case ConnectionState.LINKED:
            pass
        case unexpected:
            assert_never(unexpected)
    if service.card.as_of is None:
        yield m("We are fetching your information")
        return
    lines = [
        *_status_of_cases(service.card.cases),
        *_status_of_rights(service.card.entitlements, speech),
    ]
    yield from lines or [m("Nothing is going on here")]


def _status_of_cases(cases: Sequence[Case]) -> Iterator[Message]:
    for case in cases:
        if case.extras.queue is not None:
            yield m("Place in the queue: %(position)s", position=case.extras.queue.position)
    running = sum(case.phase not in FINISHED for case in cases)
    if running:
        yield mn("%(num)s application is going on", "%(num)s applications are going on", running)
    elif cases:
        yield mn("%(num)s decided application", "%(num)s decided applications", len(cases))


def _status_of_rights(rights: Sequence[Entitlement], speech: Speech) -> Iterator[Message]:
    for right in rights:
        if right.state is not EntitlementState.ACTIVE:
            continue
        title = in_language(right.title, speech.language)
        if right.valid_to is None:
            yield m("Valid: %(title)s", title=title)
        else:
            until = speech.local_day(right.valid_to)
            yield m("%(title)s, valid until %(day)s", title=title, day=until)


def _waits(case: Case) -> bool:
    has_offer = any(offer.state is OfferState.OPEN for offer in case.extras.offers)
    return has_offer or case.phase is Phase.ACTION_NEEDED


def _task_title(task: Task, speech: Speech) -> str:
    # A source writes whole sentences; what stands in a list has no full stop.
    title = in_language(task.title, speech.language).rstrip(".")
    match task.kind:
        case TaskKind.CASE_ACTION:
            return title
        case TaskKind.OFFER_ANSWER:
            return speech.say(m("Answer the offer: %(title)s", title=title))
        case TaskKind.RIGHT_ENDS:
            return speech.say(m("Renew in time: %(title)s", title=title))
        case unexpected:
            assert_never(unexpected)
