"""Map our types to columns, and open either database with the same promises."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import Enum
from typing import ClassVar
from uuid import UUID

from sqlalchemy import (
    JSON,
    URL,
    BigInteger,
    Connection,
    DateTime,
    Dialect,
    Integer,
    MetaData,
    String,
    Uuid,
    event,
    make_url,
)
from sqlalchemy import Enum as Choice
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.orm import DeclarativeBase
from sqlalchemy.pool import ConnectionPoolEntry, QueuePool
from sqlalchemy.types import TypeDecorator

from citizen_account.domain.accounts import AccountId, SessionId
from citizen_account.domain.clients import ClientId
from citizen_account.domain.consents import ConsentId
from citizen_account.domain.grants import GrantId
from citizen_account.domain.interactions import InteractionId

ASYNC_DRIVERS = {"sqlite": "sqlite+aiosqlite", "postgresql": "postgresql+asyncpg"}
CONNECTIONS = 16
LOCK_SECONDS = 10
# A database that is away is noticed after so long, and its residents are told.
CONNECT_SECONDS = 5
STATEMENT_SECONDS = 60

# SQLite counts rows by itself only in a column that is exactly INTEGER.
Counter = BigInteger().with_variant(Integer(), "sqlite")


class Instant(TypeDecorator[datetime]):
    """An aware UTC datetime. SQLite forgets the zone, so it is put back on the way out."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, _: Dialect) -> datetime | None:
        if value is None or value.tzinfo is UTC:
            return value
        # Parsers have tzinfo objects of their own: the offset decides.
        if value.utcoffset() != timedelta(0):
            raise ValueError("an instant must be in UTC")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, _: Dialect) -> datetime | None:
        return None if value is None else value.replace(tzinfo=UTC)


def _values(choice: type[Enum]) -> Sequence[str]:
    return [member.value for member in choice]


class Base(DeclarativeBase):
    # Constraints have names, so that a migration can find them on either database.
    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    # A column with a foreign key is left untyped until all tables are known, too late for the
    # statements built beside it: such a column names its type itself.
    type_annotation_map: ClassVar = {
        AccountId: Uuid(),
        SessionId: Uuid(),
        ConsentId: Uuid(),
        GrantId: Uuid(),
        InteractionId: Uuid(),
        UUID: Uuid(),
        ClientId: String(255),
        datetime: Instant(),
        list[str]: JSON(),
        dict[str, str]: JSON(),
        Mapping[str, str]: JSON(),
        Mapping[str, object]: JSON(),
        # Stored by value, so that renaming a member in Python changes no row.
        Enum: Choice(
            Enum,
            native_enum=False,
            create_constraint=False,
            length=32,
            values_callable=_values,
        ),
    }


@dataclass(frozen=True, slots=True)
class Engines:
    """Two ways to one database: readers never wait for the writer, and cannot write."""

    writer: AsyncEngine
    reader: AsyncEngine


def async_url(url: str) -> URL:
    """Return the address with our driver. Raises: ValueError for another database."""
    address = make_url(url)
    driver = ASYNC_DRIVERS.get(address.get_backend_name())
    if driver is None:
        raise ValueError("CITIZEN_DATABASE_URL must begin with sqlite:/// or postgresql://")
    return address.set(drivername=driver)


def open_engines(url: str, connections: int = CONNECTIONS) -> Engines:
    """Open `sqlite:///…` or `postgresql://…`."""
    address = async_url(url)
    if address.get_backend_name() == "postgresql":
        engine = create_async_engine(
            address,
            pool_size=connections,
            max_overflow=0,
            pool_pre_ping=True,
            pool_timeout=LOCK_SECONDS,
            # What a statement was given may be personal: it belongs in no message of an error.
            hide_parameters=True,
            connect_args={"timeout": CONNECT_SECONDS, "command_timeout": STATEMENT_SECONDS},
        )
        return Engines(engine, engine.execution_options(postgresql_readonly=True))
    return Engines(
        # One connection: writers queue for it here, not in SQLite, which polls for its lock.
        writer=_open_sqlite(address, 1, "BEGIN IMMEDIATE", "foreign_keys = ON"),
        reader=_open_sqlite(address, connections, "BEGIN", "query_only = ON"),
    )


def connections_in_use(engines: Engines) -> Mapping[str, int]:
    """Count them by pool; on PostgreSQL readers and writers share one."""
    pools = {"writer": engines.writer.pool, "reader": engines.reader.pool}
    if engines.reader.pool is engines.writer.pool:
        del pools["reader"]
    return {name: pool.checkedout() for name, pool in pools.items() if isinstance(pool, QueuePool)}


def _open_sqlite(address: URL, connections: int, begin: str, pragma: str) -> AsyncEngine:
    engine = create_async_engine(
        address,
        pool_size=connections,
        max_overflow=0,
        hide_parameters=True,
        connect_args={"timeout": LOCK_SECONDS},
    )

    @event.listens_for(engine.sync_engine, "connect")
    def prepare(connection: DBAPIConnection, _: ConnectionPoolEntry) -> None:
        # The driver would begin by itself, and without the lock: `start` does it instead.
        connection.isolation_level = None
        cursor = connection.cursor()
        cursor.execute("PRAGMA journal_mode = WAL")
        cursor.execute("PRAGMA synchronous = FULL")
        cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @event.listens_for(engine.sync_engine, "begin")
    def start(connection: Connection) -> None:
        connection.exec_driver_sql(begin)

    return engine
