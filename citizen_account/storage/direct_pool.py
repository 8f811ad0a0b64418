"""Keep the connections of the hot endpoints: the drivers' own, opened when first needed."""

import asyncio
import json
import sqlite3
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import asyncpg
from sqlalchemy import URL

from citizen_account.storage.base import (
    CONNECT_SECONDS,
    LOCK_SECONDS,
    STATEMENT_SECONDS,
    async_url,
)
from citizen_account.storage.direct import DirectConnection, PostgresConnection, SqliteConnection


class DirectPool(ABC):
    @asynccontextmanager
    async def begin(self) -> AsyncIterator[DirectConnection]:
        """Yield a connection; leaving the block keeps what was written, an exception does not."""
        async with self._take(is_reading=False) as connection:
            try:
                yield connection
                await connection.finish()
            except BaseException:
                await connection.roll_back()
                raise

    def read(self) -> AbstractAsyncContextManager[DirectConnection]:
        """Return a connection that refuses to write."""
        return self._take(is_reading=True)

    @property
    @abstractmethod
    def in_use(self) -> int:
        """How many connections are taken."""

    @abstractmethod
    def _take(self, *, is_reading: bool) -> AbstractAsyncContextManager[DirectConnection]: ...

    @abstractmethod
    async def close(self) -> None: ...


class PostgresPool(DirectPool):
    def __init__(self, url: URL, size: int) -> None:
        self._dsn = url.set(drivername="postgresql").render_as_string(hide_password=False)
        self._free = asyncio.Semaphore(size)
        self._idle: list[asyncpg.Connection] = []
        self._in_use = 0

    @property
    def in_use(self) -> int:
        return self._in_use

    async def close(self) -> None:
        while self._idle:
            await self._idle.pop().close()

    @asynccontextmanager
    async def _take(self, *, is_reading: bool) -> AsyncIterator[DirectConnection]:
        if self._free.locked():
            async with asyncio.timeout(LOCK_SECONDS):
                await self._free.acquire()
        else:
            # Takes no turn of the loop, so a timeout would be set in vain.
            await self._free.acquire()
        self._in_use += 1
        driver = None
        try:
            driver = await self._open()
            yield PostgresConnection(driver, is_reading=is_reading)
        finally:
            self._in_use -= 1
            self._free.release()
            if driver is not None:
                self._give_back(driver)

    async def _open(self) -> asyncpg.Connection:
        while self._idle:
            driver = self._idle.pop()
            if not driver.is_closed():
                return driver
        opened = await asyncpg.connect(
            self._dsn, timeout=CONNECT_SECONDS, command_timeout=STATEMENT_SECONDS
        )
        for kind in ("json", "jsonb"):
            await opened.set_type_codec(kind, schema="pg_catalog", encoder=str, decoder=json.loads)
        return opened

    def _give_back(self, driver: asyncpg.Connection) -> None:
        # What a failed rollback left open is closed, never lent again.
        if driver.is_closed() or driver.is_in_transaction():
            driver.terminate()
        else:
            self._idle.append(driver)


class SqlitePool(DirectPool):
    """One connection that reads, one that writes: writers of this process queue for it."""

    def __init__(self, url: URL, turns: asyncio.Lock) -> None:
        self._file = url.database or ""
        self._turns = turns
        self._pair: tuple[sqlite3.Connection, sqlite3.Connection] | None = None
        self._in_use = 0

    @property
    def in_use(self) -> int:
        return self._in_use

    async def close(self) -> None:
        for driver in self._pair or ():
            driver.close()
        self._pair = None

    @asynccontextmanager
    async def _take(self, *, is_reading: bool) -> AsyncIterator[DirectConnection]:
        if self._pair is None:
            self._pair = self._open("query_only = ON"), self._open("foreign_keys = ON")
        self._in_use += 1
        try:
            yield SqliteConnection(*self._pair, self._turns, is_reading=is_reading)
        finally:
            self._in_use -= 1

    def _open(self, pragma: str) -> sqlite3.Connection:
        # Threads take turns: the loop asks, and a thread waits where one must wait.
        driver = sqlite3.connect(
            self._file, LOCK_SECONDS, isolation_level=None, check_same_thread=False
        )
        # The writer asks again in a thread where it would have to wait.
        for each in ("journal_mode = WAL", "synchronous = FULL", "busy_timeout = 0", pragma):
            driver.execute(f"PRAGMA {each}")
        return driver


def open_direct(url: str, size: int, turns: asyncio.Lock) -> DirectPool:
    address = async_url(url)
    if address.get_backend_name() == "postgresql":
        return PostgresPool(address, size)
    return SqlitePool(address, turns)
