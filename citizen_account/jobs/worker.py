"""Run the outbox's errands and the periodic tasks until told to stop."""

import asyncio
import logging
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from citizen_account.bootstrap import Runtime
from citizen_account.domain.errands import Errand, next_try
from citizen_account.domain.errors import DomainError
from citizen_account.jobs.errands import Park, Retry
from citizen_account.jobs.handlers import HANDLERS
from citizen_account.jobs.schedule import SCHEDULE, Periodic

log = logging.getLogger(__name__)

BATCH = 20
IDLE_SECONDS = 0.5
TROUBLE_SECONDS = 5.0


class Worker:
    """Any number of workers may run on one database; each errand is claimed by one."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._stopping = asyncio.Event()

    def stop(self) -> None:
        """Finish what has begun, then end."""
        self._stopping.set()

    async def run(self) -> None:
        while not self._stopping.is_set():
            await self._wait(await self._turn())

    async def work_off(self) -> int:
        """Run what is due now, and what that asks for in turn; return how many errands."""
        done = 0
        while count := await self._run_batch():
            done += count
        return done

    async def _turn(self) -> float:
        try:
            for task in SCHEDULE:
                await self._run_if_due(task)
            return 0 if await self._run_batch() else IDLE_SECONDS
        except DomainError as error:
            # The database is away: what was claimed comes back when its claim has expired.
            log.warning("worker_waits", extra={"code": error.code, **error.facts})
            return TROUBLE_SECONDS
        except Exception:
            log.exception("worker_trouble")
            return TROUBLE_SECONDS

    async def _wait(self, seconds: float) -> None:
        if seconds:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), seconds)

    async def _run_if_due(self, task: Periodic) -> None:
        now = self._runtime.clock()
        async with self._runtime.database.read() as uow:
            if not await uow.schedule.is_due(task.name, now):
                return
        async with self._runtime.database.begin() as uow:
            is_mine = await uow.schedule.claim(task.name, uow.now, uow.now + task.every)
        if not is_mine:
            return
        try:
            await task.run(self._runtime)
        except Exception:
            # One task's trouble must not keep the others waiting; it is due again soon.
            log.exception("periodic_task_failed", extra={"task": task.name})

    async def _run_batch(self) -> int:
        async with self._runtime.database.begin() as uow:
            errands = await uow.outbox.claim(uow.now, BATCH)
        await asyncio.gather(*(self._run_errand(errand) for errand in errands))
        return len(errands)

    async def _run_errand(self, errand: Errand) -> None:
        with self._traced(errand):
            why, is_final = await self._attempt(errand)
        async with self._runtime.database.begin() as uow:
            if why is None:
                await uow.outbox.finish(errand.id)
                return
            due = None if is_final else next_try(errand, uow.now)
            if due is None:
                await uow.outbox.park(errand.id, why)
            else:
                await uow.outbox.retry(errand.id, due, why)
        log.warning(
            "errand_not_done",
            extra={"errand": str(errand.id), "kind": errand.kind, "why": why, "due": due},
        )

    @contextmanager
    def _traced(self, errand: Errand) -> Iterator[None]:
        tracer = self._runtime.tracer
        if tracer is None:
            yield
            return
        with tracer.span(f"errand {errand.kind}") as span:
            span.note({"citizen.errand": str(errand.id), "citizen.attempts": errand.attempts})
            yield

    async def _attempt(self, errand: Errand) -> tuple[str | None, bool]:
        """Return why it failed, or None, and whether trying again is useless."""
        handler = HANDLERS.get(errand.kind)
        if handler is None:
            return f"nobody runs errands of kind {errand.kind}", True
        try:
            await handler(self._runtime, errand)
        except Park as answer:
            return str(answer), True
        except Retry as answer:
            return str(answer), False
        except Exception as error:
            # A bug of ours: the errand is kept and tried again, and the log says where to look.
            log.exception("errand_failed", extra={"errand": str(errand.id), "kind": errand.kind})
            return type(error).__name__, False
        return None, False
