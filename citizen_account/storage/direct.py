"""Run statements on the driver itself: SQLAlchemy compiles each once, and is not asked again.

The hot endpoints spend most of their time in what SQLAlchemy does around a statement, so they
take this way. It understands what their repositories use: `execute` with Core statements.
"""

import asyncio
import logging
import sqlite3
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import ClassVar, TypeGuard

import asyncpg
from sqlalchemy import Dialect, Executable, Insert, Select
from sqlalchemy.dialects.postgresql.asyncpg import dialect as asyncpg_dialect
from sqlalchemy.dialects.sqlite.pysqlite import dialect as pysqlite_dialect

from citizen_account.domain.transactions import LostRaceError
from citizen_account.storage.base import LOCK_SECONDS
from citizen_account.storage.prepared import (
    Answer,
    Facts,
    join_behind,
    join_inserts,
    nothing,
    prepare,
    prepare_insert,
)

Waiting = Sequence[tuple[Insert, Facts]]
log = logging.getLogger(__name__)


class DirectConnection(ABC):
    """What repositories need of a connection. Plain inserts wait, to be sent together."""

    dialect: ClassVar[Dialect]

    def __init__(self, *, is_reading: bool) -> None:
        self._is_reading = is_reading
        self._waiting: list[tuple[Insert, Facts]] = []
        self._winning: tuple[Executable, Facts] | None = None

    async def win(self, statement: Executable, facts: Facts) -> None:
        """Change a row that only one may change, together with what is inserted next.

        Raises: LostRaceError, here or with what is asked or kept next.
        """
        await self.write_waiting()
        self._winning = statement, facts

    async def execute(
        self, statement: Executable, facts: Facts | Sequence[Facts] | None = None
    ) -> Answer:
        """Return the rows. Whatever was to be written before is written first."""
        if isinstance(statement, Select):
            await self.write_waiting()
            return await self._ask(statement, _one(facts))
        if self._is_reading:
            raise PermissionError("this transaction cannot write")
        if _may_wait(statement):
            rows = facts if isinstance(facts, Sequence) else [facts or {}]
            self._waiting += [(statement, row) for row in rows]
            return nothing()
        await self.begin()
        await self.write_waiting()
        return await self._ask(statement, _one(facts))

    async def finish(self) -> None:
        """Keep all that was written."""
        await self.write_waiting(is_last=True)
        await self.keep()

    async def write_waiting(self, *, is_last: bool = False) -> None:
        waiting, self._waiting = self._waiting, []
        winning, self._winning = self._winning, None
        if winning is not None:
            await self._win(winning, waiting, is_last=is_last)
        elif waiting:
            await self._write(waiting, is_last=is_last)

    @abstractmethod
    async def begin(self) -> None:
        """Begin a transaction, unless that was done. What was only read needs none."""

    @abstractmethod
    async def keep(self) -> None: ...

    @abstractmethod
    async def roll_back(self) -> None: ...

    @abstractmethod
    async def _ask(self, statement: Executable, facts: Facts) -> Answer: ...

    @abstractmethod
    async def _write(self, waiting: Waiting, *, is_last: bool) -> None: ...

    @abstractmethod
    async def _win(
        self, winning: tuple[Executable, Facts], waiting: Waiting, *, is_last: bool
    ) -> None: ...


class PostgresConnection(DirectConnection):
    dialect: ClassVar[Dialect] = asyncpg_dialect()  # type: ignore[no-untyped-call]  # stubs

    def __init__(self, driver: asyncpg.Connection, *, is_reading: bool) -> None:
        super().__init__(is_reading=is_reading)
        self._driver = driver
        self._has_begun = False

    async def begin(self) -> None:
        # At READ COMMITTED each statement has a view of its own: what was read before this line
        # could not have been read otherwise behind it.
        if not self._has_begun:
            await self._driver.execute("BEGIN")
            self._has_begun = True

    async def keep(self) -> None:
        if self._has_begun:
            await self._driver.execute("COMMIT")

    async def roll_back(self) -> None:
        if self._has_begun and not self._driver.is_closed():
            await self._driver.execute("ROLLBACK")

    async def _ask(self, statement: Executable, facts: Facts) -> Answer:
        prepared = prepare(statement, self.dialect, facts)
        log.debug(prepared.text)
        return prepared.answer(await self._driver.fetch(prepared.text, *prepared.values(facts)))

    async def _write(self, waiting: Waiting, *, is_last: bool) -> None:
        if not is_last:
            await self.begin()
        # One statement, so one round trip; and where nothing else was written, a transaction.
        text, inserts = join_inserts(
            tuple((statement, tuple(facts)) for statement, facts in waiting), self.dialect
        )
        log.debug(text)
        pairs = zip(inserts, waiting, strict=True)
        values = [value for each, (_, facts) in pairs for value in each.values(facts)]
        await self._driver.fetch(text, *values)

    async def _win(
        self, winning: tuple[Executable, Facts], waiting: Waiting, *, is_last: bool
    ) -> None:
        if not is_last:
            await self.begin()
        statement, won = winning
        text, parts = join_behind(
            statement,
            tuple(won),
            tuple((insert, tuple(facts)) for insert, facts in waiting),
            self.dialect,
        )
        log.debug(text)
        pairs = zip(parts, [won, *(facts for _, facts in waiting)], strict=True)
        values = [value for each, facts in pairs for value in each.values(facts)]
        if not await self._driver.fetchval(text, *values):
            raise LostRaceError


class SqliteConnection(DirectConnection):
    """SQLite answers from memory within microseconds: most of it is worth no thread.

    Until something is written the reading connection is asked, which all share: no question
    waits for an answer there, so none meets another.
    """

    dialect: ClassVar[Dialect] = pysqlite_dialect()

    def __init__(
        self,
        reader: sqlite3.Connection,
        writer: sqlite3.Connection,
        turns: asyncio.Lock,
        *,
        is_reading: bool,
    ) -> None:
        super().__init__(is_reading=is_reading)
        self._driver = reader
        self._writer = writer
        self._turns = turns
        self._has_begun = False

    async def begin(self) -> None:
        if self._has_begun:
            return
        await self._turns.acquire()
        self._has_begun = True
        self._driver = self._writer
        try:
            self._writer.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError:
            # Another process writes: a thread waits for it, as one waits for the disk at COMMIT.
            await self._in_thread(f"PRAGMA busy_timeout = {LOCK_SECONDS * 1000}")
            await self._in_thread("BEGIN IMMEDIATE")
            self._writer.execute("PRAGMA busy_timeout = 0")

    async def keep(self) -> None:
        if self._has_begun:
            await self._in_thread("COMMIT")
            self._turns.release()

    async def roll_back(self) -> None:
        if not self._has_begun:
            return
        try:
            if self._writer.in_transaction:
                await self._in_thread("ROLLBACK")
        finally:
            self._turns.release()

    async def _ask(self, statement: Executable, facts: Facts) -> Answer:
        prepared = prepare(statement, self.dialect, facts)
        log.debug(prepared.text)
        found = self._driver.execute(prepared.text, prepared.values(facts))
        return prepared.answer(found.fetchall())

    async def _write(self, waiting: Waiting, *, is_last: bool) -> None:
        del is_last
        await self.begin()
        for statement, facts in waiting:
            prepared = prepare_insert(statement, self.dialect, tuple(facts))
            log.debug(prepared.text)
            self._driver.execute(prepared.text, prepared.values(facts))

    async def _win(
        self, winning: tuple[Executable, Facts], waiting: Waiting, *, is_last: bool
    ) -> None:
        await self.begin()
        if (await self._ask(*winning)).first() is None:
            raise LostRaceError
        await self._write(waiting, is_last=is_last)

    async def _in_thread(self, command: str) -> None:
        """Run to the end, also when whoever asked has gone: the connection is not half used."""
        running = asyncio.ensure_future(asyncio.to_thread(self._writer.execute, command))
        try:
            await asyncio.shield(running)
        except asyncio.CancelledError:
            await asyncio.wait([running])
            raise


def _one(facts: Facts | Sequence[Facts] | None) -> Facts:
    if facts is None:
        return {}
    if isinstance(facts, Mapping):
        return facts
    raise TypeError("only plain inserts take several rows at once")


def _may_wait(statement: Executable) -> TypeGuard[Insert]:
    """Say whether nobody needs to know how the statement went, as long as it went well."""
    return type(statement) is Insert and not statement._returning  # noqa: SLF001  # has no public name
