"""Measure ours beside npm's oidc-provider: requests for each second of processor time.

The processor time is that of the server and of its database together, so that other work on the
machine moves the figures little. Rounds are interleaved, the table shows their medians.
"""

import argparse
import asyncio
import platform
import sys
from collections import defaultdict
from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from tests.bench.cases import CASES, Case
from tests.bench.line import Line
from tests.bench.processor import seconds_of
from tests.bench.providers import Provider, Rows, ours, peer
from tests.bench.storm import measure_storm
from tests.bench.table import Rates, draw_table
from tests.postgres import Postgres, create_database, find_programs, run_postgres

ROUNDS = 5
WARM_UP = 3
"""Rounds before: Node compiles what is hot while it runs, and doubles its pace by that."""


@dataclass(frozen=True, slots=True)
class Urls:
    """Where the providers keep what they keep."""

    ours: str
    peer: str
    folder: Path


class WrongRowsError(Exception):
    """A provider issued tokens that it did not keep, or kept more than it issued."""


async def measure(case: Case, provider: Provider, postgres: Postgres) -> float:
    """Return requests for each processor second. Raises: UnexpectedAnswerError, WrongRowsError."""
    share = case.requests // case.lines
    work = [await case.prepare(provider, share) for _ in range(case.lines)]
    before = await provider.count_rows()
    async with AsyncExitStack() as opened:
        lines = [await opened.enter_async_context(Line(provider.url)) for _ in work]
        started = seconds_of(provider.pid, postgres.pid)
        done = sum(await asyncio.gather(*(do(line) for do, line in zip(work, lines, strict=True))))
        seconds = seconds_of(provider.pid, postgres.pid) - started
    stored, expected = await provider.count_rows(), _rows_after(before, case, provider, done)
    if stored != expected:
        raise WrongRowsError(f"{provider.name}, {case.name}: {stored}, not {expected}")
    return done / seconds


def _rows_after(before: Rows, case: Case, provider: Provider, done: int) -> Rows:
    # A machine's JWT leaves no token at either; at ours the trail tells that it was given.
    tokens = 0 if case.is_jwt else done * case.tokens
    issues = done if provider.keeps_trail and case.tokens else 0
    return Rows(before.tokens + tokens, before.issues + issues)


async def compare(
    cases: Sequence[Case], providers: Sequence[Provider], postgres: Postgres, rounds: int
) -> Mapping[str, Rates]:
    found: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    for number in range(1 - WARM_UP, rounds + 1):
        for case in cases:
            for provider in providers:
                rate = await measure(case, provider, postgres)
                if number > 0:
                    found[case.name][provider.name].append(rate)
                print(f"{number}/{rounds} {case.name}: {provider.name} {rate:.0f}", file=sys.stderr)  # noqa: T201  # progress
    return {
        case: {name: median(values) for name, values in rates.items()}
        for case, rates in found.items()
    }


async def run(cases: Sequence[Case], rounds: int, postgres: Postgres, urls: Urls) -> str:
    """Return the table."""
    async with AsyncExitStack() as running:
        starting: list[AbstractAsyncContextManager[Provider]] = [
            ours("ours, PostgreSQL", urls.ours, urls.folder),
            ours("ours, SQLite", f"sqlite:///{urls.folder}/city.db", urls.folder),
            peer("oidc-provider, PostgreSQL", urls.peer, urls.folder),
            peer("oidc-provider, memory", None, urls.folder),
        ]
        providers: list[Provider] = [await running.enter_async_context(each) for each in starting]
        rates = await compare(cases, providers, postgres, rounds)
        storm = await measure_storm(providers[0]) if len(cases) == len(CASES) else None
    return draw_table(cases, rates, storm)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--only", action="append", help="a case, by its name; may be repeated")
    options = parser.parse_args()
    programs = find_programs()
    if programs is None:
        sys.exit("PostgreSQL is not installed: apt-get install postgresql")
    cases = [case for case in CASES if options.only is None or case.name in options.only]
    # As it is installed: it waits for the disk at every commit.
    with TemporaryDirectory() as folder, run_postgres(programs, options=()) as postgres:
        urls = Urls(
            create_database(postgres, "ours"), create_database(postgres, "peer"), Path(folder)
        )
        table = asyncio.run(run(cases, options.rounds, postgres, urls))
    print(table)  # noqa: T201  # what it is run for
    print(f"\nPython {platform.python_version()} ({sys.base_prefix})")  # noqa: T201  # as above


if __name__ == "__main__":
    main()
