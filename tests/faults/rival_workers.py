"""Run four workers in one process, which look for work at the same moment: when they are told to.

Each line in is a call; each line out says how many errands every one of them has run.
"""

import asyncio
import json
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

from citizen_account.bootstrap import build_runtime
from citizen_account.jobs.worker import Worker
from citizen_account.settings import Settings

WORKERS = 4
PROGRAM = ["-c", "from tests.faults.rival_workers import main; main()"]


@dataclass(frozen=True, slots=True)
class Rivals:
    """Such a process, seen from the test."""

    process: Process

    async def work_off(self) -> Sequence[int]:
        """Call them. Raises: ValueError when they have ended; their words stand above."""
        if self.process.stdin is None or self.process.stdout is None:
            raise ValueError
        self.process.stdin.write(b"\n")
        await self.process.stdin.drain()
        done: Sequence[int] = json.loads(await self.process.stdout.readline())
        return done


@asynccontextmanager
async def rival_workers(variables: Mapping[str, str]) -> AsyncIterator[Rivals]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, *PROGRAM, env=variables, stdin=PIPE, stdout=PIPE
    )
    try:
        rivals = Rivals(process)
        # Once in vain: all that is slow the first time is behind them.
        await rivals.work_off()
        yield rivals
    finally:
        # The end of what it reads is the end of the process.
        await process.communicate(b"")


def main() -> None:
    asyncio.run(_answer())


async def _answer() -> None:
    runtime = build_runtime(Settings())
    workers = [Worker(runtime) for _ in range(WORKERS)]
    while await asyncio.to_thread(sys.stdin.readline):
        done = await asyncio.gather(*(worker.work_off() for worker in workers))
        sys.stdout.write(f"{json.dumps(done)}\n")
        sys.stdout.flush()
    await runtime.outbound.close()
    await runtime.database.close()
