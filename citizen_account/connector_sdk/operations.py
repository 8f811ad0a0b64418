"""Name every operation of a connector once, for its form over HTTP: what is sent, what comes back.

Personal calls are POST as well, so that no reference stands in a URL or in a server's log.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from citizen_account.connector_sdk.errors import (
    ConnectorError,
    Gone,
    Misconfigured,
    NeedsRelink,
    OutcomeUnknown,
    RateLimited,
    Refused,
    Unavailable,
)
from citizen_account.connector_sdk.models import (
    Answer,
    Case,
    Context,
    Entitlement,
    Erasure,
    Export,
    HealthReport,
    Link,
    Place,
    Text,
)
from citizen_account.connector_sdk.protocol import Connector

MANIFEST_PATH = "/.well-known/city-connector"
STATUS_OF_ERROR: Mapping[type[ConnectorError], int] = MappingProxyType(
    {
        Unavailable: 503,
        RateLimited: 429,
        OutcomeUnknown: 504,
        Refused: 422,
        NeedsRelink: 409,
        Gone: 410,
        Misconfigured: 424,
    }
)
ERROR_TYPE = "urn:city-connector:error:"


@dataclass(frozen=True, slots=True)
class Problem:
    """RFC 9457, with what the host needs to do the next thing."""

    type: str
    title: str
    status: int
    retry_after: float | None = None
    text: Text = ""
    fields: Mapping[str, Text] | None = None


@dataclass(frozen=True, slots=True)
class Nothing:
    """Nothing is asked, or nothing comes back."""


@dataclass(frozen=True, slots=True)
class Somebody:
    context: Context


@dataclass(frozen=True, slots=True)
class Page:
    context: Context
    cursor: str | None = None


@dataclass(frozen=True, slots=True)
class One:
    context: Context
    ref: str


@dataclass(frozen=True, slots=True)
class Letter:
    context: Context
    reference: str
    secret: str


@dataclass(frozen=True, slots=True)
class Erasing:
    context: Context
    dry_run: bool


@dataclass(frozen=True, slots=True)
class Around:
    lat: float
    lon: float
    radius: float
    kinds: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Operation:
    capability: str
    asked: type[Any]  # Any: each operation has shapes of its own
    answered: type[Any]  # Any: as above
    run: Callable[[Connector, Any], Awaitable[object]]  # Any: an `asked`


async def _list_cases(connector: Connector, asked: Page) -> object:
    return await _offered(connector.cases).list_cases(asked.context, asked.cursor)


async def _get_case(connector: Connector, asked: One) -> object:
    return await _offered(connector.cases).get_case(asked.context, asked.ref)


async def _mine(connector: Connector, asked: Somebody) -> object:
    return await _offered(connector.entitlements).mine(asked.context)


async def _near(connector: Connector, asked: Around) -> object:
    places = _offered(connector.places)
    return await places.near(asked.lat, asked.lon, asked.radius, asked.kinds)


async def _link(connector: Connector, asked: Letter) -> object:
    return await _offered(connector.link).link(asked.context, asked.reference, asked.secret)


async def _recognise(connector: Connector, asked: Somebody) -> object:
    return await _offered(connector.recognition).recognise(asked.context)


async def _unlink(connector: Connector, asked: Somebody) -> object:
    if connector.link is not None:
        await connector.link.unlink(asked.context)
    else:
        await _offered(connector.recognition).unlink(asked.context)
    return Nothing()


async def _export(connector: Connector, asked: Somebody) -> object:
    return await _offered(connector.gdpr).export(asked.context)


async def _erase(connector: Connector, asked: Erasing) -> object:
    return await _offered(connector.gdpr).erase(asked.context, dry_run=asked.dry_run)


async def _check(connector: Connector, _: Nothing) -> object:
    return await connector.health.check()


def _offered(part: Any | None) -> Any:  # noqa: ANN401  # Any: a capability, as its operation needs it
    if part is None:
        raise Misconfigured("this is not offered")
    return part


OPERATIONS: Mapping[str, Operation] = MappingProxyType(
    {
        "/v1/health": Operation("health", Nothing, HealthReport, _check),
        "/v1/cases:list": Operation("cases", Page, Answer[Case], _list_cases),
        "/v1/cases:get": Operation("cases", One, Answer[Case], _get_case),
        "/v1/entitlements:mine": Operation("entitlements", Somebody, Answer[Entitlement], _mine),
        "/v1/places:near": Operation("places", Around, Answer[Place], _near),
        "/v1/link:letter": Operation("link", Letter, Link, _link),
        "/v1/link:recognise": Operation("link", Somebody, Link, _recognise),
        "/v1/link:remove": Operation("link", Somebody, Nothing, _unlink),
        "/v1/gdpr:export": Operation("gdpr", Somebody, Export, _export),
        "/v1/gdpr:erase": Operation("gdpr", Erasing, Erasure, _erase),
    }
)
"""By path; all of them POST."""


def problem_of(error: ConnectorError) -> Problem:
    """Return the error as it travels."""
    kind = next(kind for kind in STATUS_OF_ERROR if isinstance(error, kind))
    status = STATUS_OF_ERROR[kind]
    name = f"{ERROR_TYPE}{kind.code}"
    if isinstance(error, Refused):
        return Problem(name, error.why, status, text=error.text, fields=dict(error.fields))
    wait = error.retry_after if isinstance(error, Unavailable | RateLimited) else None
    title = error.operation if isinstance(error, OutcomeUnknown) else str(error)
    return Problem(name, title, status, wait)


def error_of_problem(problem: Problem) -> ConnectorError:  # noqa: PLR0911 - a line for each
    """Return the error that a problem stands for."""
    match problem.type.removeprefix(ERROR_TYPE):
        case Unavailable.code:
            return Unavailable(problem.title, retry_after=problem.retry_after)
        case RateLimited.code:
            return RateLimited(problem.retry_after or 60.0)
        case OutcomeUnknown.code:
            return OutcomeUnknown(problem.title)
        case Refused.code:
            return Refused(problem.title, problem.text, problem.fields or {})
        case NeedsRelink.code:
            return NeedsRelink(problem.title)
        case Gone.code:
            return Gone(problem.title)
        case _:
            return Misconfigured(problem.title)
