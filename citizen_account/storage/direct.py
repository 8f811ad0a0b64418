"""Run statements on the driver itself: SQLAlchemy compiles each once, and is not asked again.

The hot endpoints spend most of their time in what SQLAlchemy does around a statement, so they
take this way. It understands what their repositories use: `execute` with Core statements.
"""

import logging
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, TypeGuard

from sqlalchemy import CursorResult, Dialect, Executable, Insert, Select, Update
from sqlalchemy.ext.asyncio import AsyncConnection

from citizen_account.storage.prepared import Answer, Facts, nothing
from citizen_account.storage.recollection import Recollection

log = logging.getLogger(__name__)


Change = Insert | Update


class ReadingOnlyError(RuntimeError):
    """A programming error: what was opened to read is asked to write."""


@dataclass(frozen=True, slots=True)
class Writing:
    """All that one transaction writes, where that is known at once."""

    changes: Sequence[tuple[Change, Facts]]
    """Of different rows: none sees what another does. Behind `winning` plain inserts alone."""
    winning: tuple[Executable, Facts] | None = None
    """Changes or finds a row; if another was first, and there is none, nothing is inserted."""


class DirectConnection(ABC):
    """What repositories need of a connection. Plain inserts wait, to be sent together.

    It begins a transaction when something else is written than what can wait to the end.
    """

    dialect: ClassVar[Dialect]
    recollection: Recollection | None = None
    """Of clients that ask for themselves; None where to read them costs nothing."""

    def __init__(self, *, is_reading: bool) -> None:
        self._is_reading = is_reading
        self._changes: list[tuple[Change, Facts]] = []
        self._last: list[tuple[Change, Facts]] = []
        self._winning: tuple[Executable, Facts] | None = None

    async def win(self, statement: Executable, facts: Facts) -> None:
        """Change or find a row that another may change first, together with what is inserted next.

        Raises: LostRaceError, here or with what is asked or kept next.
        """
        self._changes, self._last = self._changes + self._last, []
        await self._write_waiting()
        self._winning = statement, facts

    async def execute(
        self, statement: Executable, facts: Facts | Sequence[Facts] | None = None
    ) -> Answer:
        """Return the rows. Whatever was to be written before is written first."""
        if isinstance(statement, Select) and not _locks(statement):
            await self._write_waiting()
            return await self._ask(statement, _one(facts))
        if self._is_reading:
            raise ReadingOnlyError
        if _may_wait(statement):
            rows = facts if isinstance(facts, Sequence) else [facts or {}]
            self._changes += [(statement, row) for row in rows]
            return nothing()
        await self.begin()
        await self._write_waiting()
        return await self._ask(statement, _one(facts))

    async def change_later(self, statement: Change, facts: Facts) -> None:
        """Change a row at the end: nothing else of this transaction needs to see the change."""
        if self._is_reading:
            raise ReadingOnlyError
        if self._winning is not None:
            await self._write_waiting()
        self._last.append((statement, facts))

    async def change_alone(self, statement: Executable, facts: Facts) -> Answer:
        """Change something and return the rows: a transaction of its own, if none has begun."""
        if self._is_reading:
            raise ReadingOnlyError
        if self.has_begun or self._changes or self._last or self._winning is not None:
            return await self.execute(statement, facts)
        return await self._change_alone(statement, facts)

    async def finish(self) -> None:
        """Keep all that was written."""
        self._changes += self._last
        self._last = []
        writing = self._take_waiting()
        if not self.has_begun:
            if writing is not None:
                await self._keep_alone(writing)
            return
        if writing is not None:
            await self.write(writing)
        await self.keep()

    async def _write_waiting(self) -> None:
        writing = self._take_waiting()
        if writing is not None:
            await self.begin()
            await self.write(writing)

    def _take_waiting(self) -> Writing | None:
        changes, self._changes = self._changes, []
        winning, self._winning = self._winning, None
        return Writing(changes, winning) if changes or winning else None

    @property
    @abstractmethod
    def has_begun(self) -> bool: ...

    @abstractmethod
    async def begin(self) -> None:
        """Begin a transaction, unless that was done. What was only read needs none."""

    @abstractmethod
    async def write(self, writing: Writing) -> None:
        """Write within the transaction. Raises: LostRaceError."""

    @abstractmethod
    async def keep(self) -> None: ...

    @abstractmethod
    async def roll_back(self) -> None:
        """Forget what was written, and give back what was taken; nothing may have begun."""

    @abstractmethod
    async def _ask(self, statement: Executable, facts: Facts) -> Answer: ...

    @abstractmethod
    async def _change_alone(self, statement: Executable, facts: Facts) -> Answer: ...

    @abstractmethod
    async def _keep_alone(self, writing: Writing) -> None:
        """Write it as a transaction of its own. Raises: LostRaceError."""


class DirectPool(ABC):
    @abstractmethod
    def connect(self, *, is_reading: bool) -> DirectConnection:
        """Return a connection; one that reads refuses to write, and needs no end."""

    @property
    @abstractmethod
    def in_use(self) -> int:
        """How many of the driver's connections are taken."""

    @abstractmethod
    async def close(self) -> None: ...


async def change_later(
    connection: AsyncConnection | DirectConnection, statement: Change, facts: Facts
) -> None:
    """Change a row; nothing else of this transaction needs to see it, and nobody waits for it.

    The hot way does it at the end, together with what else is written.
    """
    if isinstance(connection, DirectConnection):
        await connection.change_later(statement, facts)
    else:
        await connection.execute(statement, facts)


async def change_alone(
    connection: AsyncConnection | DirectConnection, statement: Executable, facts: Facts
) -> Answer | CursorResult[Any]:  # Any: columns of each type
    """Change something and return the rows.

    The hot way keeps it at once if it is the first to be written, whatever becomes of the rest.
    """
    if isinstance(connection, DirectConnection):
        return await connection.change_alone(statement, facts)
    return await connection.execute(statement, facts)


def _one(facts: Facts | Sequence[Facts] | None) -> Facts:
    if facts is None:
        return {}
    if isinstance(facts, Mapping):
        return facts
    raise TypeError("only plain inserts take several rows at once")


def _locks(statement: Select[*tuple[Any, ...]]) -> bool:  # Any: rows of each shape
    """Say whether the rows stay locked to the end of the transaction: so one must have begun."""
    return statement._for_update_arg is not None  # noqa: SLF001  # has no public name


def _may_wait(statement: Executable) -> TypeGuard[Insert]:
    """Say whether nobody needs to know how the statement went, as long as it went well."""
    return type(statement) is Insert and not statement._returning  # noqa: SLF001  # has no public name
