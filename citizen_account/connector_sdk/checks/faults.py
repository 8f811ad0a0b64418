"""Checks of how a connector meets a source that is away, slow, strange or wrongly configured."""

import asyncio
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from time import monotonic
from types import MappingProxyType

from citizen_account.connector_sdk.acceptance import AcceptanceTarget, Source
from citizen_account.connector_sdk.auth import (
    ApiKey,
    Basic,
    ClientCredentials,
    Credentials,
    JwtClient,
)
from citizen_account.connector_sdk.checks.calls import (
    answer_of,
    error_of,
    outcome_of,
    questions,
)
from citizen_account.connector_sdk.checks.require import is_a, require
from citizen_account.connector_sdk.errors import RateLimited
from citizen_account.connector_sdk.http import MAXIMUM_BYTES
from citizen_account.connector_sdk.models import Answer, Condition, Export, HealthReport
from citizen_account.connector_sdk.protocol import Connector
from citizen_account.connector_sdk.reading import Json
from citizen_account.connector_sdk.rigging import (
    bad_certificate,
    dropping,
    members_of,
    refused_connection,
    setting,
    with_unknown_members,
)

SLOW_SECONDS = 30.0
TIMEOUT_SECONDS = 0.2
# Several requests one after the other may each wait for their time.
PATIENCE_SECONDS = 5.0
RETRY_AFTER = 17
STRANGE: tuple[Json, ...] = (None, 7, "no such word", [])
MEMBERS_TRIED = 60
BROKEN: Mapping[str, bytes] = MappingProxyType(
    {
        "broken JSON": b'{"a": ',
        "an HTML page": b"<!doctype html><title>Welcome</title>",
        "nothing": b"",
        "bytes that are no UTF-8": b'"\xff\xfe"',
        "half a surrogate pair": b'{"a": "\\ud800"}',
        "a number that is none": b"NaN",
        "a number": b"7",
        "deep nesting": b"[" * 5000 + b"]" * 5000,
        "5 MB": b'"' + b"x" * (5 * MAXIMUM_BYTES) + b'"',
    }
)


async def health_finds_what_is_misconfigured(target: AcceptanceTarget) -> None:
    """5: a wrong URL, a wrong key and a wrong certificate are found, for each system."""
    await _require(Condition.OK, target.connector(), "all is well")
    for spoilt in _spoilt(target):
        connector = target.connector(source=spoilt.source, peers=spoilt.peers)
        await _require(Condition.MISCONFIGURED, connector, spoilt.what)
    target.rigged.fails_with = bad_certificate()
    await _require(Condition.MISCONFIGURED, target.connector(), "the certificate is wrong")


@dataclass(frozen=True, slots=True)
class _Spoilt:
    what: str
    source: Source
    peers: Mapping[str, Source]


def _spoilt(target: AcceptanceTarget) -> Iterator[_Spoilt]:
    for wrong, what in _wrong(target.source):
        yield _Spoilt(f"{what} of the source is wrong", wrong, target.peers)
    for name, peer in target.peers.items():
        for wrong, what in _wrong(peer):
            yield _Spoilt(f"{what} of {name} is wrong", target.source, {name: wrong})


def _wrong(source: Source) -> Iterator[tuple[Source, str]]:
    elsewhere = source.base_url.rstrip("/") + "/no-such-place/"
    yield replace(source, base_url=elsewhere), "the URL"
    credentials = _without_right(source.credentials)
    if credentials is not None:
        yield replace(source, credentials=credentials), "the key"


def _without_right(credentials: Credentials) -> Credentials | None:
    wrong = "a wrong secret of the right length"
    match credentials:
        case ApiKey():
            return replace(credentials, key=wrong)
        case Basic():
            return replace(credentials, password=wrong)
        case JwtClient() | ClientCredentials():
            return replace(credentials, secret=wrong)
        case _:
            return None


async def health_tells_down_from_misconfigured(target: AcceptanceTarget) -> None:
    """22: a source that is away is down, which nobody has to mend in our configuration."""
    target.rigged.fails_with = refused_connection()
    await _require(Condition.DOWN, target.connector(), "the connection is refused")
    target.rigged.fails_with, target.rigged.status = None, 503
    await _require(Condition.DOWN, target.connector(), "the source answers 503")


async def _require(condition: Condition, connector: Connector, when: str) -> None:
    try:
        report = await connector.health.check()
    except Exception as error:
        raise AssertionError(f"check() raised {type(error).__name__} when {when}") from error
    report = is_a(HealthReport, report)
    expected = connector.capabilities - {"health"}
    require(set(report.capabilities) == expected, "check() does not report on each capability")
    found = {name: health.condition.value for name, health in report.capabilities.items()}
    require(report.condition is condition, f"{found} when {when}, not {condition.value}")


async def deadline_is_kept(target: AcceptanceTarget) -> None:
    """8: a source that takes half a minute is given up in time, and said to be unavailable."""
    connector = target.connector(timeout_seconds=TIMEOUT_SECONDS)
    target.rigged.delay_seconds = SLOW_SECONDS
    for question in questions(connector, target):
        began = monotonic()
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                await error_of(question, target)
        except TimeoutError as error:
            raise AssertionError(f"{question.name} waits longer than it may") from error
        require(monotonic() - began < PATIENCE_SECONDS, f"{question.name} held up everybody")


async def limits_are_told(target: AcceptanceTarget) -> None:
    """9: a 429 becomes RateLimited, with the time that the source asked for."""
    connector = target.connector()
    target.rigged.status, target.rigged.headers = 429, {"Retry-After": str(RETRY_AFTER)}
    for question in questions(connector, target):
        error = await error_of(question, target)
        if error is not None:
            told = is_a(RateLimited, error).retry_after
            require(told == RETRY_AFTER, f"{question.name} changes Retry-After")


async def broken_answers_are_errors(target: AcceptanceTarget) -> None:
    """13: what cannot be read, or is huge, is an error of the SDK and never an empty answer."""
    connector = target.connector()
    for what, body in BROKEN.items():
        target.rigged.body = body
        for question in questions(connector, target):
            if question.name == "erase":
                # What was erased is said by the status alone.
                await outcome_of(question)
                continue
            try:
                await error_of(question, target)
            except AssertionError as error:
                raise AssertionError(f"{error}: {what} arrived") from error


async def unknown_members_pass(target: AcceptanceTarget) -> None:
    """13: members that a later version of the source adds change nothing."""
    connector = target.connector()
    for question in questions(connector, target):
        target.rigged.spoil = None
        before = _records(await answer_of(question))
        target.rigged.spoil = with_unknown_members
        after = _records(await answer_of(question))
        require(len(after) == len(before), f"{question.name} trips over unknown members")


def _records(answer: object) -> tuple[object, ...]:
    match answer:
        case Answer(records=found) | Export(nodes=found):
            return tuple(found)
        case _:
            return (answer,)


async def changed_members_do_no_harm(target: AcceptanceTarget) -> None:
    """13: a member that is missing, null or of another type: an answer or an error, no crash."""
    connector = target.connector()
    for question in questions(connector, target):
        target.rigged.spoil = None
        target.rigged.answered.clear()
        await answer_of(question)
        names = sorted(set().union(*map(members_of, target.rigged.answered)))
        for number, name in enumerate(names[:MEMBERS_TRIED]):
            # All of each for every member would take minutes on a source with many.
            for spoil in (dropping(name), setting(name, STRANGE[number % len(STRANGE)])):
                target.rigged.spoil = spoil
                await outcome_of(question)
