"""Let no connector take more than its share of this process: so many at once, so often."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from time import monotonic

from citizen_account.connector_sdk.manifest import Limits

SECONDS_OF_UNIT = {"s": 1, "min": 60, "h": 3600}


class BusyError(Exception):
    """There is no place now; the source has nothing to do with it."""

    def __init__(self, retry_after: float) -> None:
        super().__init__(retry_after)
        self.retry_after = retry_after


class Bulkhead:
    """The limits of one connector; each process keeps its own."""

    def __init__(self, limits: Limits, seconds: Callable[[], float] = monotonic) -> None:
        number, unit = limits.rate.split("/")
        self._most = int(number)
        self._window = SECONDS_OF_UNIT[unit]
        self._seconds = seconds
        self._places = asyncio.Semaphore(limits.concurrency)
        self._calls: deque[float] = deque()

    @asynccontextmanager
    async def place(self, wait_seconds: float) -> AsyncIterator[None]:
        """Take a place, or wait for one.

        Raises:
            BusyError: when none came free, or the manifest's rate is used up.

        """
        try:
            async with asyncio.timeout(wait_seconds):
                await self._places.acquire()
        except TimeoutError:
            raise BusyError(wait_seconds) from None
        try:
            self._count()
            yield
        finally:
            self._places.release()

    def _count(self) -> None:
        now = self._seconds()
        while self._calls and self._calls[0] <= now - self._window:
            self._calls.popleft()
        if len(self._calls) >= self._most:
            raise BusyError(self._calls[0] + self._window - now)
        self._calls.append(now)
