"""Run the statements of the hot endpoints on SQLite: what is written at once waits for one disk.

SQLite answers from memory within microseconds: most of it is worth no thread.
"""

import asyncio
import sqlite3
from collections.abc import Sequence
from typing import ClassVar

from sqlalchemy import URL, Dialect, Executable
from sqlalchemy.dialects.sqlite.pysqlite import dialect as pysqlite_dialect

from citizen_account.domain.transactions import LostRaceError
from citizen_account.storage.absence import is_absence
from citizen_account.storage.base import LOCK_SECONDS
from citizen_account.storage.direct import DirectConnection, DirectPool, Writing, log
from citizen_account.storage.gathering import Gathering
from citizen_account.storage.prepared import Answer, Facts, prepare, prepare_change
from citizen_account.storage.written import read_json, write_json

MANY_ROWS = 50


class SqlitePool(DirectPool):
    """One connection that reads, one that writes: writers of this process queue for it."""

    def __init__(self, url: URL, turns: asyncio.Lock) -> None:
        self._file = url.database or ""
        self._turns = turns
        self._pair: tuple[sqlite3.Connection, sqlite3.Connection] | None = None
        self._in_use = 0
        # There is one writer, so what comes in while it waits for the disk gathers.
        self._writings = Gathering[None, Writing, None](self._write, is_absence)

    @property
    def in_use(self) -> int:
        return self._in_use

    async def close(self) -> None:
        await self._writings.close()
        for driver in self._pair or ():
            driver.close()
        self._pair = None

    async def keep(self, writing: Writing) -> None:
        """Write it, with others', as one transaction. Raises: LostRaceError."""
        await self._writings.ask(None, writing)

    async def take_turn(self) -> None:
        """Wait until nobody else of this process writes."""
        await self._turns.acquire()
        self._in_use += 1

    def give_turn_back(self) -> None:
        self._in_use -= 1
        self._turns.release()

    def connect(self, *, is_reading: bool) -> "SqliteConnection":
        if self._pair is None:
            self._pair = self._open("query_only = ON"), self._open("foreign_keys = ON")
        return SqliteConnection(self, *self._pair, is_reading=is_reading)

    async def _write(self, _: None, writings: Sequence[Writing]) -> Sequence[Exception | None]:
        connection = self.connect(is_reading=False)
        try:
            await connection.begin()
            outcomes = [await _lost(connection, writing) for writing in writings]
            await connection.keep()
        except BaseException:
            await connection.roll_back()
            raise
        return outcomes

    def _open(self, pragma: str) -> sqlite3.Connection:
        # Threads take turns: the loop asks, and a thread waits where one must wait.
        driver = sqlite3.connect(
            self._file, LOCK_SECONDS, isolation_level=None, check_same_thread=False
        )
        # The writer asks again in a thread where it would have to wait.
        for each in ("journal_mode = WAL", "synchronous = FULL", "busy_timeout = 0", pragma):
            driver.execute(f"PRAGMA {each}")
        return driver


class SqliteConnection(DirectConnection):
    """Until something is written the reading connection is asked, which all share.

    No question waits for an answer there, so none meets another.
    """

    dialect: ClassVar[Dialect] = pysqlite_dialect(
        json_serializer=write_json, json_deserializer=read_json
    )

    def __init__(
        self,
        pool: SqlitePool,
        reader: sqlite3.Connection,
        writer: sqlite3.Connection,
        *,
        is_reading: bool,
    ) -> None:
        super().__init__(is_reading=is_reading)
        self._pool = pool
        self._driver = self._reader = reader
        self._writer = writer
        self._has_begun = False

    @property
    def has_begun(self) -> bool:
        return self._has_begun

    async def begin(self) -> None:
        if self._has_begun:
            return
        await self._pool.take_turn()
        self._has_begun = True
        self._driver = self._writer
        try:
            self._writer.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError:
            # Another process writes: a thread waits for it, as one waits for the disk at COMMIT.
            try:
                await self._in_thread(f"PRAGMA busy_timeout = {LOCK_SECONDS * 1000}")
                await self._in_thread("BEGIN IMMEDIATE")
            finally:
                # Whoever begins next on the loop must not wait there, also when this was in vain.
                self._writer.execute("PRAGMA busy_timeout = 0")

    async def write(self, writing: Writing) -> None:
        if writing.winning is not None and (await self._ask(*writing.winning)).first() is None:
            raise LostRaceError
        for statement, facts in writing.changes:
            prepared = prepare_change(statement, self.dialect, tuple(facts))
            log.debug(prepared.text)
            self._driver.execute(prepared.text, prepared.values(facts))

    async def keep(self) -> None:
        await self._in_thread("COMMIT")
        self._end()

    async def roll_back(self) -> None:
        if not self._has_begun:
            return
        try:
            if self._writer.in_transaction:
                await self._in_thread("ROLLBACK")
        finally:
            self._end()

    def _end(self) -> None:
        self._has_begun = False
        # The next one that writes has the other connection: nobody reads what it has not kept.
        self._driver = self._reader
        self._pool.give_turn_back()

    async def _ask(self, statement: Executable, facts: Facts) -> Answer:
        prepared = prepare(statement, self.dialect, facts)
        log.debug(prepared.text)
        found = self._driver.execute(prepared.text, prepared.values(facts)).fetchall()
        if len(found) >= MANY_ROWS:
            # Who reads page after page lets others have their turn in between.
            await asyncio.sleep(0)
        return prepared.answer(found)

    async def _change_alone(self, statement: Executable, facts: Facts) -> Answer:
        await self.begin()
        try:
            answer = await self._ask(statement, facts)
            await self.keep()
        except BaseException:
            await self.roll_back()
            raise
        return answer

    async def _keep_alone(self, writing: Writing) -> None:
        await self._pool.keep(writing)

    async def _in_thread(self, command: str) -> None:
        """Run to the end, also when whoever asked has gone: the connection is not half used."""
        running = asyncio.ensure_future(asyncio.to_thread(self._writer.execute, command))
        try:
            await asyncio.shield(running)
        except asyncio.CancelledError:
            await asyncio.wait([running])
            raise


async def _lost(connection: SqliteConnection, writing: Writing) -> LostRaceError | None:
    """Write it, or say that another was first: then nothing of it was written."""
    try:
        await connection.write(writing)
    except LostRaceError as lost:
        return lost
    return None
