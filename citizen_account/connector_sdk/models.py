"""Describe what a connector is told and what it answers: frozen values, nothing else.

Whatever belongs to a resident names its `subject`: the owner as the source itself states it in
that record, never copied from the question. The host compares, and drops the whole answer when
one record belongs to somebody else.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Generic, TypeVar

Text = str | Mapping[str, str]
"""A text as the source gives it: in one language of its own, or by language tag."""

Detail = str | int | float | bool
R = TypeVar("R")
# WGS 84, in degrees.
POLE = 90
ANTIMERIDIAN = 180


def in_language(text: Text, language: str) -> str:
    """Return the text in the language, else in English, else in whichever comes first.

    >>> in_language({"en": "Decided", "sk": "Rozhodnuté"}, "sk")
    'Rozhodnuté'
    """
    if isinstance(text, str):
        return text
    return text.get(language) or text.get("en") or next(iter(text.values()), "")


@dataclass(frozen=True, slots=True)
class Context:
    """For whom a connector is asked. It never holds the account's own id."""

    subject: str
    """The resident's reference for this connector: 16 characters of base32, pairwise."""
    claims: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Only what the manifest's purposes name and the resident allowed."""
    language: str = "en"
    deadline_seconds: float = 8.0
    reference: str = ""
    """Names this call in both sides' logs."""


class CallError(ValueError):
    """An answer breaks a rule of the contract that types cannot express."""


@dataclass(frozen=True, slots=True)
class Answer(Generic[R]):
    """Records of one subject at one time. `subject` is empty for public records only."""

    records: tuple[R, ...]
    as_of: datetime
    """When the source said so; aware."""
    source: str
    """Who said so, for the resident to read: "Open Zaak of the city"."""
    subject: str = ""
    cursor: str | None = None
    """Where the next page begins; None on the last one."""

    def __post_init__(self) -> None:
        if self.as_of.tzinfo is None:
            raise CallError("as_of must know its time zone")


@dataclass(frozen=True, slots=True)
class Money:
    amount_minor: int
    """In the currency's smallest unit: cents for EUR."""
    currency: str
    """ISO 4217, for instance "EUR"."""


# --- link ---------------------------------------------------------------------------------------


class LinkState(StrEnum):
    LINKED = "linked"
    PENDING = "pending"
    NOT_LINKED = "not_linked"


@dataclass(frozen=True, slots=True)
class Link:
    """The resident's place at the source; `remote_label` is how the source calls it."""

    state: LinkState
    remote_label: Text = ""


# --- cases --------------------------------------------------------------------------------------


class Phase(StrEnum):
    RECEIVED = "received"
    IN_PROGRESS = "in_progress"
    ACTION_NEEDED = "action_needed"
    DECIDED = "decided"
    CLOSED = "closed"


class StepState(StrEnum):
    DONE = "done"
    CURRENT = "current"
    UPCOMING = "upcoming"


@dataclass(frozen=True, slots=True)
class CaseStatus:
    code: str
    label: Text
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Step:
    label: Text
    state: StepState
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Contact:
    name: Text
    email: str = ""
    phone: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Queue:
    """A place in a waiting list. The lower the position the sooner; the first is 1."""

    position: int
    of: int | None = None
    as_of: datetime
    basis: Text = ""
    """What orders the list: "points", "date of registration"."""


class OfferState(StrEnum):
    OPEN = "open"
    ACCEPTED = "accepted"
    DECLINED = "declined"
    EXPIRED = "expired"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """A flat offered to the resident."""

    ref: str
    address: str
    rent: Money | None = None
    """For a month."""
    viewing_at: datetime | None = None
    answer_by: datetime | date | None = None
    state: OfferState = OfferState.OPEN


@dataclass(frozen=True, slots=True, kw_only=True)
class Extras:
    """What only some kinds of case have."""

    queue: Queue | None = None
    offers: tuple[Offer, ...] = ()


NO_EXTRAS = Extras()


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """An application, a report, a registration: anything that the city works through in steps."""

    subject: str
    """The owner as the source states it in this record."""
    ref: str
    """How `get_case` finds it again; not shown."""
    type: str
    """A stable word for the kind of case: "building-permit"."""
    title: Text
    reference: str
    """The number that the resident and the office use."""
    status: CaseStatus
    phase: Phase
    opened: date
    steps: tuple[Step, ...] = ()
    expected_by: date | None = None
    """When the office hopes to be ready."""
    deadline: date | None = None
    """When the office must have decided, or the resident must have acted (`action_needed`)."""
    next_action: Text = ""
    """What the resident has to do; empty when nothing."""
    outcome: Text = ""
    url: str = ""
    contact: Contact | None = None
    extras: Extras = NO_EXTRAS

    def __post_init__(self) -> None:
        if self.url and not self.url.startswith(("https://", "http://")):
            raise CallError("a case's url leads to no web page")


# --- entitlements -------------------------------------------------------------------------------


class EntitlementState(StrEnum):
    ACTIVE = "active"
    UPCOMING = "upcoming"
    EXPIRED = "expired"
    SUSPENDED = "suspended"
    REVOKED = "revoked"


@dataclass(frozen=True, slots=True)
class Remaining:
    value: int
    unit: str
    """"minutes", "visits", …"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entitlement:
    """A right that the resident holds: a parking card, a season ticket."""

    subject: str
    """The owner as the source states it in this record."""
    ref: str
    kind: str
    """A stable word: "resident-parking"."""
    title: Text
    state: EntitlementState
    holder: str = ""
    credentials: tuple[str, ...] = ()
    """What shows the right: number plates, card numbers."""
    valid_from: datetime | date | None = None
    valid_to: datetime | date | None = None
    remaining: Remaining | None = None
    areas: tuple[Text, ...] = ()


# --- places (public) ----------------------------------------------------------------------------


class PlaceState(StrEnum):
    AVAILABLE = "available"
    EMPTY = "empty"
    CLOSED = "closed"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Something near somewhere: a bike dock, a stop."""

    id: str
    kind: str
    """A stable word: "bike-dock"."""
    name: Text
    lat: float
    lon: float
    state: PlaceState
    details: Mapping[str, Detail] = field(default_factory=dict)
    """Figures by a stable word: `bikes`, `docks`."""
    fresh_until: datetime | None = None

    def __post_init__(self) -> None:
        # A figure that is not a number fails this as well.
        if not (abs(self.lat) <= POLE and abs(self.lon) <= ANTIMERIDIAN):
            raise CallError("a place lies outside the world")


# --- gdpr (the shapes of Helsinki's GDPR API 1.1) -----------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportNode:
    """One line of an export: a value, or a heading with children."""

    key: str
    label: Text = ""
    value: str | int | float | bool | None = None
    children: tuple["ExportNode", ...] = ()


@dataclass(frozen=True, slots=True)
class Export:
    """All that the source holds about the subject; no nodes when it knows nothing."""

    subject: str
    nodes: tuple[ExportNode, ...]
    as_of: datetime
    source: str


@dataclass(frozen=True, slots=True)
class ErasureRefusal:
    code: str
    text: Text
    """The reason in every language, for instance an act that orders keeping."""


@dataclass(frozen=True, slots=True)
class Erasure:
    """Whether erasing happened (or would happen, in a dry run). Nothing to erase is a success."""

    subject: str
    refusals: tuple[ErasureRefusal, ...] = ()

    @property
    def is_allowed(self) -> bool:
        return not self.refusals


# --- health -------------------------------------------------------------------------------------


class Condition(StrEnum):
    OK = "ok"
    DEGRADED = "degraded"
    DOWN = "down"
    MISCONFIGURED = "misconfigured"


@dataclass(frozen=True, slots=True)
class Health:
    condition: Condition
    detail: str = ""
    """For the administrator; no personal data, no secret."""


@dataclass(frozen=True, slots=True)
class HealthReport:
    capabilities: Mapping[str, Health]
    """By the capability's name in the manifest, each declared one but `health` itself."""

    @property
    def condition(self) -> Condition:
        """The worst of all."""
        order = list(Condition)
        found = [health.condition for health in self.capabilities.values()]
        return max(found, key=order.index, default=Condition.OK)
