"""Say what a check sees and what it answers."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from citizen_account.bootstrap import Runtime
from citizen_account.settings import Settings


class State(StrEnum):
    OK = "ok"
    WARN = "warn"
    """It works, and will not for ever or for everybody."""
    FAIL = "fail"
    """It is unsafe, or does not work."""


@dataclass(frozen=True, slots=True)
class Line:
    """What was looked at and found; where it is not well, why that matters and how to mend it."""

    state: State
    what: str
    why: str = ""
    mend: str = ""


@dataclass(frozen=True, slots=True)
class Site:
    """What is examined."""

    settings: Settings
    runtime: Runtime
    variables: Mapping[str, str]
    """The environment: it says which secrets are files."""

    @property
    def is_production(self) -> bool:
        return not self.runtime.is_development


Check = Callable[[Site], Awaitable[Sequence[Line]]]


def ok(what: str) -> Sequence[Line]:
    return [Line(State.OK, what)]


def warn(what: str, why: str, mend: str) -> Sequence[Line]:
    return [Line(State.WARN, what, why, mend)]


def fail(what: str, why: str, mend: str) -> Sequence[Line]:
    return [Line(State.FAIL, what, why, mend)]
