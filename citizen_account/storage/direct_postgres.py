"""Run the statements of the hot endpoints on PostgreSQL: those of several requests together."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from functools import lru_cache
from typing import ClassVar

import asyncpg
from sqlalchemy import URL, Dialect, Executable
from sqlalchemy.dialects.postgresql.asyncpg import dialect as asyncpg_dialect

from citizen_account.domain.transactions import LostRaceError
from citizen_account.storage.absence import is_absence
from citizen_account.storage.base import CONNECT_SECONDS, LOCK_SECONDS, STATEMENT_SECONDS
from citizen_account.storage.direct import DirectConnection, DirectPool, Writing, log
from citizen_account.storage.gathering import Gathering
from citizen_account.storage.prepared import (
    Answer,
    Facts,
    Row,
    join_behind,
    join_changes,
    prepare,
)
from citizen_account.storage.recollection import Recollection
from citizen_account.storage.written import read_json, write_json

Values = tuple[object, ...]
# What a connection says that was there before. That none can be had is nothing to try twice.
LOST = (
    asyncpg.PostgresConnectionError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    ConnectionResetError,
    BrokenPipeError,
)
LEFT_TO_READERS = 2
"""Connections, where there are more."""
# Of our own statements' locks somebody else's transaction may have to be waited for.
BEGIN = "BEGIN; SET LOCAL lock_timeout = 0"
DIALECT: Dialect = asyncpg_dialect(json_serializer=write_json)  # type: ignore[no-untyped-call]  # stubs


class PostgresPool(DirectPool):
    """Lends the driver's connections, to transactions one by one and to single statements.

    What is asked for at once goes as one message, which PostgreSQL answers as one: its section
    55.2.3 calls that a pipeline, and runs it as one transaction.
    """

    def __init__(self, url: URL, size: int) -> None:
        self._dsn = url.set(drivername="postgresql").render_as_string(hide_password=False)
        self._free = asyncio.Semaphore(size)
        # Who writes may have to wait for a lock: something is left for those who only read.
        self._free_to_write = asyncio.Semaphore(max(1, size - LEFT_TO_READERS))
        self._idle: list[asyncpg.Connection] = []
        self._in_use = 0
        self._questions = Gathering[str, Values, Sequence[Row]](self._ask, is_absence)
        self._writings = Gathering[str, Values, bool](self._write, is_absence)
        self.recollection = Recollection()

    @property
    def in_use(self) -> int:
        return self._in_use

    async def close(self) -> None:
        await self._questions.close()
        await self._writings.close()
        while self._idle:
            await self._idle.pop().close()

    async def ask(self, text: str, values: Values) -> Sequence[Row]:
        """Return the rows of a statement that only reads."""
        return await self._questions.ask(text, values)

    async def keep(self, text: str, values: Values) -> bool:
        """Run a statement that is a transaction, and say whether it won what it had to win."""
        return await self._writings.ask(text, values)

    async def change(self, text: str, values: Values) -> Sequence[Row]:
        """Run a statement that is a transaction, and return its rows."""
        log.debug(text)
        return await self._fetch(text, values, is_writing=True)

    @asynccontextmanager
    async def lent(self, *, is_writing: bool = False) -> AsyncIterator[asyncpg.Connection]:
        """Yield a connection that nobody else has."""
        async with AsyncExitStack() as turns:
            if is_writing:
                await _take_turn(turns, self._free_to_write)
            await _take_turn(turns, self._free)
            driver = await self._open()
            self._in_use += 1
            try:
                yield driver
            finally:
                self._in_use -= 1
                # What a failed rollback left open is closed, never lent again.
                if driver.is_closed() or driver.is_in_transaction():
                    driver.terminate()
                else:
                    self._idle.append(driver)

    def connect(self, *, is_reading: bool) -> DirectConnection:
        return PostgresConnection(self, is_reading=is_reading)

    async def _ask(self, text: str, sets: Sequence[Values]) -> Sequence[Sequence[Row]]:
        try:
            return await self._ask_once(text, sets)
        except LOST as error:
            if not is_absence(error):
                raise
        # The server went away behind our back and may be here again: to ask twice does no harm.
        self._forget_idle()
        return await self._ask_once(text, sets)

    async def _ask_once(self, text: str, sets: Sequence[Values]) -> Sequence[Sequence[Row]]:
        log.debug(text)
        # Who asks the same at once is told the same.
        places = {values: place for place, values in enumerate(dict.fromkeys(sets))}
        if len(places) == 1:
            return [await self._fetch(text, sets[0])] * len(sets)
        async with self.lent() as driver:
            answers = await _ask_numbered(driver, text, tuple(places))
        return [answers[places[values]] for values in sets]

    async def _write(self, text: str, sets: Sequence[Values]) -> Sequence[bool]:
        log.debug(text)
        if len(sets) == 1:
            rows = await self._fetch(text, sets[0], is_writing=True)
        else:
            # Where one would have to wait for a lock, nothing is kept, and that one waits alone.
            async with self.lent(is_writing=True) as driver:
                rows = await driver.fetchmany(text, sets)
        # Who had nothing to win gets no row.
        return [bool(row[0]) for row in rows] if rows else [True] * len(sets)

    async def _fetch(
        self, text: str, values: Values, *, is_writing: bool = False
    ) -> Sequence[asyncpg.Record]:
        async with self.lent(is_writing=is_writing) as driver:
            try:
                return await driver.fetch(text, *values)
            except asyncpg.LockNotAvailableError:
                log.debug("waits for a lock")
            async with _patient(driver):
                return await driver.fetch(text, *values)

    async def _open(self) -> asyncpg.Connection:
        while self._idle:
            driver = self._idle.pop()
            if not driver.is_closed():
                return driver
        self.recollection.forget()
        opened = await asyncpg.connect(
            self._dsn, timeout=CONNECT_SECONDS, command_timeout=STATEMENT_SECONDS
        )
        # One that waits for a lock must not hold up those whose statements go with its own.
        await opened.execute("SET lock_timeout = '200ms'")
        for kind in ("json", "jsonb"):
            await opened.set_type_codec(kind, schema="pg_catalog", encoder=str, decoder=read_json)
        return opened

    def _forget_idle(self) -> None:
        while self._idle:
            self._idle.pop().terminate()


@asynccontextmanager
async def _patient(driver: asyncpg.Connection) -> AsyncIterator[None]:
    """Open a transaction that waits for locks."""
    await driver.execute(BEGIN)
    try:
        yield
        await driver.execute("COMMIT")
    except BaseException:
        if not driver.is_closed():
            await driver.execute("ROLLBACK")
        raise


class PostgresConnection(DirectConnection):
    """Takes a connection of the driver's with the first statement that needs a transaction.

    At READ COMMITTED each statement has a view of its own: what was read before could not have
    been read otherwise inside.
    """

    dialect: ClassVar[Dialect] = DIALECT

    def __init__(self, pool: PostgresPool, *, is_reading: bool) -> None:
        super().__init__(is_reading=is_reading)
        self.recollection = pool.recollection
        self._pool = pool
        self._driver: asyncpg.Connection | None = None
        self._lent = AsyncExitStack()

    @property
    def has_begun(self) -> bool:
        return self._driver is not None

    async def begin(self) -> None:
        if self._driver is None:
            self._driver = await self._lent.enter_async_context(self._pool.lent(is_writing=True))
            await self._driver.execute(BEGIN)

    async def write(self, writing: Writing) -> None:
        text, values = _worded(writing)
        log.debug(text)
        rows = await self._running().fetch(text, *values)
        if rows and not rows[0][0]:
            raise self._lost()

    async def keep(self) -> None:
        await self._running().execute("COMMIT")
        await self._give_back()

    async def roll_back(self) -> None:
        if self._driver is None:
            return
        try:
            if not self._driver.is_closed():
                await self._driver.execute("ROLLBACK")
        finally:
            await self._give_back()

    async def _ask(self, statement: Executable, facts: Facts) -> Answer:
        prepared = prepare(statement, self.dialect, facts)
        values = tuple(prepared.values(facts))
        if self._driver is None:
            return prepared.answer(await self._pool.ask(prepared.text, values))
        log.debug(prepared.text)
        return prepared.answer(await self._driver.fetch(prepared.text, *values))

    async def _change_alone(self, statement: Executable, facts: Facts) -> Answer:
        prepared = prepare(statement, self.dialect, facts)
        values = tuple(prepared.values(facts))
        return prepared.answer(await self._pool.change(prepared.text, values))

    async def _keep_alone(self, writing: Writing) -> None:
        if not await self._pool.keep(*_worded(writing)):
            raise self._lost()

    def _lost(self) -> LostRaceError:
        # Whatever it was that another has changed, it is read anew.
        self._pool.recollection.forget()
        return LostRaceError()

    def _running(self) -> asyncpg.Connection:
        if self._driver is None:
            raise RuntimeError("no transaction was begun")
        return self._driver

    async def _give_back(self) -> None:
        self._driver = None
        await self._lent.aclose()


def _worded(writing: Writing) -> tuple[str, Values]:
    """Return one statement for all of it, so one round trip, and its values."""
    changes = tuple((statement, tuple(facts)) for statement, facts in writing.changes)
    all_facts = [facts for _, facts in writing.changes]
    if writing.winning is None:
        text, parts = join_changes(changes, DIALECT)
    else:
        statement, won = writing.winning
        text, parts = join_behind(statement, tuple(won), changes, DIALECT)
        all_facts.insert(0, won)
    pairs = zip(parts, all_facts, strict=True)
    return text, tuple(value for each, facts in pairs for value in each.values(facts))


async def _take_turn(turns: AsyncExitStack, free: asyncio.Semaphore) -> None:
    if free.locked():
        async with asyncio.timeout(LOCK_SECONDS):
            await turns.enter_async_context(free)
    else:
        # Takes no turn of the loop, so a timeout would be set in vain.
        await turns.enter_async_context(free)


async def _ask_numbered(
    driver: asyncpg.Connection, text: str, sets: Sequence[Values]
) -> Sequence[Sequence[Row]]:
    found: list[list[Row]] = [[] for _ in sets]
    numbered = [(*values, number) for number, values in enumerate(sets)]
    for row in await driver.fetchmany(_numbering(text, len(sets[0])), numbered):
        found[row[0]].append(row[1:])
    return found


@lru_cache(maxsize=512)
def _numbering(text: str, places: int) -> str:
    """Return the statement with one more value, which each of its rows begins with."""
    return f"SELECT ${places + 1}::int, asked.* FROM ({text}) AS asked"  # noqa: S608  # compiled statements of ours
