"""Measure how long /token takes while many residents sign in at once."""

import asyncio
from contextlib import AsyncExitStack
from dataclasses import dataclass
from time import perf_counter

import httpx2

from tests.bench.cases import MACHINE
from tests.bench.city import residents
from tests.bench.line import Line
from tests.bench.providers import Provider
from tests.factories import PASSWORD
from tests.pages import Visitor

ROUNDS = 4
EVERY_SECONDS = 0.02
REQUESTS = 500
SEE_OTHER, TOO_BUSY = 303, 503
PATIENCE_SECONDS = 0.2
SIGN_IN = "/en/sign-in"
FIELDS = {"grant_type": "client_credentials", "scope": "cases.read"}
LINES = 100


@dataclass(frozen=True, slots=True)
class Storm:
    quiet_ms: float
    stormy_ms: float
    sign_ins: int
    """Passwords that were found right meanwhile."""

    @property
    def ratio(self) -> float:
        return self.stormy_ms / self.quiet_ms


class _SignIns:
    """Residents that sign in again and again, each on a connection of its own."""

    def __init__(self, provider: Provider) -> None:
        self.count = 0
        self._provider = provider

    async def run(self, email: str) -> None:
        async with httpx2.AsyncClient(base_url=self._provider.url) as http:
            visitor = await Visitor(http).open(SIGN_IN)
            token = visitor.value("form_token")
            cookies = "; ".join(f"{name}={value}" for name, value in http.cookies.items())
        fields = {"form_token": token, "email": email, "password": PASSWORD}
        async with Line(self._provider.url) as line:
            request = line.form(SIGN_IN, fields, f"Cookie: {cookies}\r\n")
            while True:
                status, body = await line.send(request)
                if status not in {SEE_OTHER, TOO_BUSY}:
                    raise RuntimeError(f"{status} {body[:300]!r}")
                self.count += status == SEE_OTHER
                # Who is asked to come back later does.
                await asyncio.sleep(PATIENCE_SECONDS if status == TOO_BUSY else 0)


async def measure_storm(provider: Provider) -> Storm:
    """Return the 99th percentiles of /token, asked fifty times a second.

    Quiet and storm take turns, since a machine's speed changes by the minute.
    """
    await _times(provider)
    quiet: list[float] = []
    stormy: list[float] = []
    sign_ins = _SignIns(provider)
    counted = 0
    for _ in range(ROUNDS):
        quiet += await _times(provider)
        async with asyncio.TaskGroup() as group:
            storm = [group.create_task(sign_ins.run(each.email)) for each in residents()]
            await asyncio.sleep(1)
            before = sign_ins.count
            stormy += await _times(provider)
            counted += sign_ins.count - before
            for task in storm:
                task.cancel()
    return Storm(_slowest_in_hundred(quiet), _slowest_in_hundred(stormy), counted)


async def _times(provider: Provider) -> list[float]:
    """Return how long each answer took, in milliseconds."""
    times: list[float] = []
    async with AsyncExitStack() as opened:
        # More than are ever on their way at once; each is used before the server would close it.
        free = [await opened.enter_async_context(Line(provider.url)) for _ in range(LINES)]

        async def ask_once() -> None:
            started = perf_counter()
            line = free.pop(0)
            await line.ask(line.form(provider.paths.token, FIELDS, MACHINE))
            free.append(line)
            times.append((perf_counter() - started) * 1000)

        async with asyncio.TaskGroup() as group:
            for _ in range(REQUESTS):
                group.create_task(ask_once())
                await asyncio.sleep(EVERY_SECONDS)
    return times


def _slowest_in_hundred(times: list[float]) -> float:
    return sorted(times)[int(len(times) * 0.99)]
