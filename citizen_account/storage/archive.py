"""Read every table as plain values, and fill empty tables from them, on either database."""

from base64 import b64decode, b64encode
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from datetime import datetime
from enum import Enum
from uuid import UUID

from sqlalchemy import (
    Column,
    LargeBinary,
    Uuid,
    bindparam,
    exists,
    func,
    insert,
    inspect,
    select,
    text,
    update,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from citizen_account.domain.accounts import AccountId, SessionId
from citizen_account.domain.errands import MAIL, Delivery
from citizen_account.storage.base import Instant
from citizen_account.storage.clients import ClientRow
from citizen_account.storage.outbox import OutboxRow
from citizen_account.storage.sessions import SessionRow
from citizen_account.storage.tables import METADATA

ROWS_AT_ONCE = 500
REVISION_TABLE = "alembic_version"
FORGOTTEN = frozenset(
    {
        "authorization_codes",
        "challenge_codes",
        "challenges",
        "grants",
        "initial_tokens",
        "interactions",
        "mailbox",
        "public_snapshots",
        "pushed_requests",
        "saved_forms",
        "schedule",
        "throttles",
        "tokens",
        "upstream_arrivals",
        "upstream_logins",
    }
)
"""Never in a backup: what opens something once, what counts tries, what is fetched anew."""
# A new database has them as well: they are made by its first upgrade.
_MADE_BY_UPGRADE = frozenset({"signing_keys"})
END_SESSIONS = (
    update(SessionRow)
    .where(SessionRow.ended_at.is_(None))
    .values(ended_at=bindparam("now"))
    .returning(SessionRow.id, SessionRow.account_id, SessionRow.expires_at)
)
END_GRANTS = update(ClientRow).values(grants_ended_at=bindparam("now"))
SET_MAIL_ASIDE = (
    update(OutboxRow)
    .where(
        OutboxRow.kind == MAIL,
        OutboxRow.state.in_([Delivery.PENDING, Delivery.SENDING]),
    )
    .values(state=Delivery.SUPERSEDED, payload=None)
    .returning(OutboxRow.id)
)
Values = Sequence[object]


def kept_tables() -> Mapping[str, tuple[str, ...]]:
    """Return the columns of each table in a backup, in an order in which they can be filled."""
    tables = [table for table in METADATA.sorted_tables if table.name not in FORGOTTEN]
    return {table.name: tuple(column.name for column in table.columns) for table in tables}


def misfit(name: str, columns: Sequence[str]) -> str | None:
    """Say why rows of these columns cannot be added to today's table; None when they can."""
    if name not in kept_tables():
        return f"there is no table {name}"
    known = METADATA.tables[name].columns
    strange = sorted(set(columns) - set(known.keys()))
    if strange:
        return f"{name} has no column {strange[0]}"
    missing = [each.name for each in known if not each.nullable and each.name not in columns]
    return f"{name}.{missing[0]} is needed" if missing else None


class Archive:
    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def revision(self) -> str:
        """Return the step of the migrations that the tables are at; empty without tables."""
        has_table = await self._connection.run_sync(
            lambda connection: inspect(connection).has_table(REVISION_TABLE)
        )
        if not has_table:
            return ""
        # The table is Alembic's own, and not among ours.
        found = await self._connection.execute(text("SELECT version_num FROM alembic_version"))
        return str(found.scalar() or "")

    async def is_empty(self) -> bool:
        """Say whether the tables hold nothing but what a first upgrade made."""
        for name in kept_tables().keys() - _MADE_BY_UPGRADE:
            table = METADATA.tables[name]
            if (await self._connection.execute(select(exists(select(table))))).scalar_one():
                return False
        return True

    async def rows(self, name: str) -> AsyncIterator[list[Values]]:
        """Yield a table's rows as values of JSON, some hundred at a time."""
        found = await self._connection.stream(select(METADATA.tables[name]))
        async for part in found.partitions(ROWS_AT_ONCE):
            yield [[_plain(value) for value in row] for row in part]

    async def add(self, name: str, columns: Sequence[str], rows: Sequence[Values]) -> None:
        """Add rows as `rows` gave them."""
        table = METADATA.tables[name]
        readers = [(column, _reader(table.columns[column])) for column in columns]
        filled = [
            {
                column: None if value is None else read(value)
                for (column, read), value in zip(readers, row, strict=True)
            }
            for row in rows
        ]
        if filled:
            await self._connection.execute(insert(table), filled)

    async def clear(self) -> None:
        """Empty every table of ours. On PostgreSQL all other users wait until this is kept."""
        tables = METADATA.sorted_tables
        if self._connection.dialect.name == "postgresql":
            names = ", ".join(f'"{table.name}"' for table in tables)
            await self._connection.execute(text(f"TRUNCATE {names}"))
            return
        for table in reversed(tables):
            await self._connection.execute(table.delete())

    async def set_counters(self) -> None:
        """Let numbered rows go on after the highest number; SQLite does so by itself."""
        if self._connection.dialect.name != "postgresql":
            return
        for table in METADATA.sorted_tables:
            column = table.autoincrement_column
            if column is None:
                continue
            sequence = func.pg_get_serial_sequence(table.name, column.name)
            highest = select(func.coalesce(func.max(column), 1)).scalar_subquery()
            await self._connection.execute(select(func.setval(sequence, highest)))

    async def end_sessions(self, now: datetime) -> Sequence[tuple[AccountId, SessionId]]:
        """End every session; return those that had not run out by themselves."""
        ended = await self._connection.execute(END_SESSIONS, {"now": now})
        return [(row.account_id, row.id) for row in ended if row.expires_at > now]

    async def end_grants(self, now: datetime) -> None:
        """End the tokens that have no row too, as those with a row are not in a backup."""
        await self._connection.execute(END_GRANTS, {"now": now})

    async def set_mail_aside(self) -> int:
        """Let no message of the backup leave again; return how many waited."""
        return len((await self._connection.execute(SET_MAIL_ASIDE)).all())


def _plain(value: object) -> object:
    match value:
        case Enum():
            return value.value
        case bytes():
            return b64encode(value).decode()
        case datetime():
            return value.isoformat()
        case UUID():
            return str(value)
        case _:
            return value


def _reader(column: Column[object]) -> Callable[[object], object]:
    match column.type:
        case LargeBinary():
            return lambda value: b64decode(str(value))
        case Instant():
            return lambda value: datetime.fromisoformat(str(value))
        case Uuid():
            return lambda value: UUID(str(value))
        case _:
            return lambda value: value
