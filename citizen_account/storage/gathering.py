"""Do together what several requests ask for at once: the busier we are, the less each one costs."""

import asyncio
from collections.abc import Awaitable, Callable, Hashable, Sequence
from contextvars import Context
from dataclasses import dataclass
from typing import Generic, TypeVar

PATIENCE_SECONDS = 0.05
"""What takes longer waits for a lock of somebody's; the next batch does not wait for it."""
MOST = 64
"""Goes into one batch."""

Kind = TypeVar("Kind", bound=Hashable)
Asked = TypeVar("Asked")
Outcome = TypeVar("Outcome")


@dataclass(slots=True, eq=False)
class _Batch(Generic[Kind, Asked, Outcome]):
    kind: Kind
    members: Sequence[tuple[Asked, asyncio.Future[Outcome]]]


class Gathering(Generic[Kind, Asked, Outcome]):
    """Run who comes alone at once; what comes in meanwhile is a batch, which runs next.

    While batches have several members, the next one begins a turn of the loop later, and takes
    along all that came in that turn.

    `run` returns an outcome for each, in their order: an exception among them is raised to the
    one that it belongs to. Where it raises, all is undone and each is run alone, since one of
    them is at fault; unless `is_of_all` says that the error would meet every one.
    """

    def __init__(
        self,
        run: Callable[[Kind, Sequence[Asked]], Awaitable[Sequence[Outcome | Exception]]],
        is_of_all: Callable[[Exception], bool],
    ) -> None:
        self._run = run
        self._is_of_all = is_of_all
        self._waiting: dict[Kind, list[tuple[Asked, asyncio.Future[Outcome]]]] = {}
        self._under_way: dict[Kind, _Batch[Kind, Asked, Outcome]] = {}
        self._crowded: set[Kind] = set()
        """Of these the last batch had several members, so it is worth a turn to wait for more."""
        self._tasks: set[asyncio.Task[None]] = set()

    async def ask(self, kind: Kind, asked: Asked) -> Outcome:
        """Return the outcome of this one. Who is cancelled takes nobody along."""
        is_idle = kind not in self._under_way
        if is_idle and kind not in self._crowded:
            return await self._ask_at_once(kind, asked)
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Outcome] = loop.create_future()
        waiting = self._waiting.setdefault(kind, [])
        waiting.append((asked, future))
        if is_idle and len(waiting) == 1:
            # Whoever else's request has arrived gets a turn before this.
            loop.call_soon(self._start, kind)
        return await future

    async def _ask_at_once(self, kind: Kind, asked: Asked) -> Outcome:
        # Without a task of its own: on a busy loop each turn costs what the pages take in it.
        batch = self._under_way[kind] = _Batch[Kind, Asked, Outcome](kind, ())
        patience = asyncio.get_running_loop().call_later(PATIENCE_SECONDS, self._pass, batch)
        try:
            [outcome] = await self._run(kind, [asked])
        finally:
            patience.cancel()
            self._pass(batch)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    async def close(self) -> None:
        """Wait for what is under way, and for what waits for that."""
        while self._tasks or self._waiting or self._under_way:
            await (asyncio.wait(self._tasks) if self._tasks else asyncio.sleep(0.01))

    def _start(self, kind: Kind) -> None:
        if kind in self._under_way or kind not in self._waiting:
            return
        waiting = self._waiting.pop(kind)
        if len(waiting) > MOST:
            self._waiting[kind] = waiting[MOST:]
        (self._crowded.add if len(waiting) > 1 else self._crowded.discard)(kind)
        batch = self._under_way[kind] = _Batch(kind, waiting[:MOST])
        # It is nobody's request: what a line of the log would take over from one is left behind.
        task = asyncio.create_task(self._do(batch), context=Context())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _do(self, batch: _Batch[Kind, Asked, Outcome]) -> None:
        patience = asyncio.get_running_loop().call_later(PATIENCE_SECONDS, self._pass, batch)
        try:
            await self._settle(batch.kind, batch.members)
        finally:
            patience.cancel()
            self._pass(batch)
            # Where the loop ends, nobody waits for an answer that does not come.
            for _, future in batch.members:
                future.cancel()

    async def _settle(
        self, kind: Kind, members: Sequence[tuple[Asked, asyncio.Future[Outcome]]]
    ) -> None:
        try:
            outcomes = await self._run(kind, [asked for asked, _ in members])
        except Exception as error:  # noqa: BLE001  # raised to those who asked
            if len(members) > 1 and not self._is_of_all(error):
                # Each at its own pace: one of them may have to wait for long.
                await asyncio.gather(*(self._settle(kind, [member]) for member in members))
                return
            outcomes = [error] * len(members)
        for (_, future), outcome in zip(members, outcomes, strict=True):
            # Who went away is told nothing.
            if future.done():
                continue
            if isinstance(outcome, Exception):
                future.set_exception(outcome)
            else:
                future.set_result(outcome)

    def _pass(self, batch: _Batch[Kind, Asked, Outcome]) -> None:
        """Let the next batch begin, when this one has ended or takes too long."""
        if self._under_way.get(batch.kind) is batch:
            del self._under_way[batch.kind]
            self._start(batch.kind)
