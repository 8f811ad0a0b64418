"""A stranger cannot tell an address that has an account from one that has none."""

import re
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

import pytest

from citizen_account.bootstrap import Runtime, build_runtime
from tests.conftest import client_of
from tests.factories import Clock, settings_for
from tests.journeys.steps import JANA, begin, register, sign_in, sign_out, verify
from tests.pages import Visitor

KNOWN, UNKNOWN = JANA, "jona@example.sk"
WRONG = "another four words 2"
# What differs from one answer to the next, whoever asks.
CHANGING = re.compile(
    r'value="[0-9a-f]{64}"|[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}'
)
ROUNDS = 60


async def recover(visitor: Visitor, email: str) -> None:
    await visitor.open("/en/recover")
    visitor.fill({"#recover-email": email})
    await visitor.press("#recover-submit")


async def register_again(visitor: Visitor, email: str) -> None:
    await begin(visitor, email)


async def register_and_resend(visitor: Visitor, email: str) -> None:
    await begin(visitor, email)
    await visitor.press("#resend")


async def register_and_guess(visitor: Visitor, email: str) -> None:
    await begin(visitor, email)
    await verify(visitor, "12345")


async def recover_and_guess(visitor: Visitor, email: str) -> None:
    await recover(visitor, email)
    for _ in range(5):
        await verify(visitor, "12345")


async def sign_in_wrongly(visitor: Visitor, email: str) -> None:
    await sign_in(visitor, email, WRONG)


async def sign_in_too_often(visitor: Visitor, email: str) -> None:
    for _ in range(11):
        await sign_in(visitor, email, WRONG)


def shape(visitor: Visitor) -> tuple[int, list[str], str, str]:
    """Return all that a stranger sees, without what differs anyway."""
    headers = sorted(visitor.last.headers.keys())
    path, page = CHANGING.sub("…", visitor.path), CHANGING.sub("…", visitor.last.text)
    return visitor.status, headers, path, page.replace(KNOWN, "…").replace(UNKNOWN, "…")


@pytest.mark.parametrize(
    "ask",
    [
        register_again,
        register_and_resend,
        register_and_guess,
        recover,
        recover_and_guess,
        sign_in_wrongly,
        sign_in_too_often,
    ],
    ids=lambda ask: ask.__name__,
)
async def test_both_addresses_are_answered_alike(
    visitor: Visitor,
    other_visitor: Visitor,
    runtime: Runtime,
    ask: Callable[[Visitor, str], Awaitable[None]],
) -> None:
    await register(visitor, runtime, KNOWN)
    await sign_out(visitor)
    await ask(other_visitor, KNOWN)
    known = shape(other_visitor)
    await ask(other_visitor, UNKNOWN)
    assert shape(other_visitor) == known


async def test_difference_is_found(visitor: Visitor, runtime: Runtime) -> None:
    await register(visitor, runtime, KNOWN)
    await sign_out(visitor)
    await sign_in(visitor, KNOWN, WRONG)
    wrong = shape(visitor)
    await sign_in(visitor, "", WRONG)
    assert shape(visitor) != wrong


def area_under_curve(one: Sequence[float], other: Sequence[float]) -> float:
    """Return how surely a time tells which of the two it is: 0.5 not at all, 0 or 1 surely."""
    wins = sum((x > y) + (x == y) / 2 for x in one for y in other)
    return wins / (len(one) * len(other))


@dataclass
class Stopwatch:
    """Sends one form again and again, each time on another day: nothing is throttled."""

    visitor: Visitor
    clock: Clock
    place: str
    more: Mapping[str, str]

    async def compare(self, one: str, other: str) -> float:
        times: dict[str, list[float]] = {one: [], other: []}
        for number in range(ROUNDS):
            self.clock.now += timedelta(days=1)
            await self.visitor.open(self.place)
            token = self.visitor.value('input[name="form_token"]')
            # In turns: whoever comes first may find a cold cache.
            for email in (one, other) if number % 2 else (other, one):
                form = {"form_token": token, "email": email, **self.more}
                began = time.perf_counter()
                answer = await self.visitor.http.post(self.place, data=form)
                times[email].append(time.perf_counter() - began)
                assert answer.status_code in {303, 422}
        return area_under_curve(times[one], times[other])


@pytest.fixture
async def strong(sqlite_url: str, clock: Clock) -> AsyncIterator[Visitor]:
    """Yield a browser in a city with hashes as strong as in production; JANA has an account."""
    from citizen_account.app import create_app  # noqa: PLC0415  # as in conftest

    settings = settings_for(sqlite_url, argon2_memory_kib="19456", argon2_time_cost="2")
    runtime = build_runtime(settings, clock)
    async with client_of(create_app(runtime)) as client:
        visitor = Visitor(client)
        await register(visitor, runtime, KNOWN)
        await sign_out(visitor)
        yield visitor
    await runtime.database.close()


@pytest.mark.slow
@pytest.mark.parametrize("place", ["/en/sign-in", "/en/register", "/en/recover"])
async def test_time_does_not_tell(strong: Visitor, clock: Clock, place: str) -> None:
    watch = Stopwatch(strong, clock, place, {"password": WRONG})
    # Sixty pairs: by chance alone the figure strays by about 0.05.
    assert 0.3 < await watch.compare(KNOWN, UNKNOWN) < 0.7


@pytest.mark.slow
async def test_time_that_tells_is_found(strong: Visitor, clock: Clock) -> None:
    watch = Stopwatch(strong, clock, "/en/sign-in", {"password": WRONG})
    assert await watch.compare("no address", UNKNOWN) < 0.1
