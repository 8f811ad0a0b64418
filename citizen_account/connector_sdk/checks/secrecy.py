"""Checks of what a connector says where others listen (19 and 23)."""

import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager

from citizen_account.connector_sdk.acceptance import AcceptanceTarget
from citizen_account.connector_sdk.checks.calls import outcome_of, questions, shown
from citizen_account.connector_sdk.checks.require import require
from citizen_account.connector_sdk.errors import ConnectorError
from citizen_account.connector_sdk.models import Case, Context, Entitlement

# Shorter words ("sk", a year) occur everywhere.
SHORTEST = 4


class _Listening(logging.Handler):
    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.lines: list[str] = []
        self.setFormatter(logging.Formatter("%(message)s"))

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(f"{self.format(record)} {vars(record)}")


@contextmanager
def _listening() -> Iterator[_Listening]:
    listening, root = _Listening(), logging.getLogger()
    level = root.level
    root.addHandler(listening)
    root.setLevel(logging.DEBUG)
    try:
        yield listening
    finally:
        root.setLevel(level)
        root.removeHandler(listening)


async def nothing_leaks(target: AcceptanceTarget) -> None:
    """19: no secret, name or plate in a log, a URL, an error or a report, in good and bad times."""
    connector = target.connector()
    errors: list[ConnectorError] = []
    with _listening() as heard:
        canaries = set(target.secrets)
        for context in target.residents:
            canaries |= await _personal(target, context)
        for status in (None, 400, 401, 403, 404, 409, 429, 500, 503):
            target.rigged.status, target.rigged.body = status, _echo(canaries, status)
            outcomes = [await outcome_of(question) for question in questions(connector, target)]
            errors += [error for error in outcomes if isinstance(error, ConnectorError)]
            report = await connector.health.check()
            heard.lines += [health.detail for health in report.capabilities.values()]
    urls = [sent.url for sent in target.rigged.sent]
    _require_silence(canaries, "a log or a report", heard.lines)
    _require_silence(canaries, "an error", [f"{error!r} {vars(error)}" for error in errors])
    private = target.secrets | _told(target.residents)
    _require_silence(private, "a URL", urls)


def _echo(canaries: set[str], status: int | None) -> bytes | None:
    """Return an error body that repeats everything, as careless sources do."""
    return None if status is None else json.dumps({"detail": " ".join(sorted(canaries))}).encode()


def _told(contexts: tuple[Context, ...]) -> frozenset[str]:
    values = {value for context in contexts for value in context.claims.values()}
    return frozenset(value for value in values if len(value) >= SHORTEST)


async def _personal(target: AcceptanceTarget, context: Context) -> set[str]:
    """Return what only the resident and the source should see."""
    values = set(context.claims.values())
    for record in await shown(target.connector(), context):
        values |= _private_parts(record)
    return {value for value in values if len(value) >= SHORTEST}


def _private_parts(record: Case | Entitlement) -> set[str]:
    if isinstance(record, Case):
        return {record.reference, *(offer.address for offer in record.extras.offers)}
    return {record.holder, *record.credentials}


def _require_silence(canaries: frozenset[str] | set[str], where: str, lines: list[str]) -> None:
    told = [canary for canary in canaries if any(canary in line for line in lines)]
    require(not told, f"{where} tells {len(told)} private values")


async def public_calls_carry_nobody(target: AcceptanceTarget) -> None:
    """23: a public call carries no cookie and nothing that says who looks."""
    connector = target.connector()
    if connector.places is None or target.position is None:
        return
    for context in target.residents:
        # Asking about somebody first must leave no trace in what follows.
        await shown(connector, context)
    target.rigged.sent.clear()
    await connector.places.near(*target.position)
    require(target.rigged.sent, "places are not asked from the source")
    known = {context.subject for context in target.residents} | _told(target.residents)
    for sent in target.rigged.sent:
        require("cookie:" not in sent.headers.lower(), "a public call carries a cookie")
        require(not any(sent.mentions(value) for value in known), "a public call says who looks")
