"""The shorter way to the tables waits for nobody's lock but its own, and survives a restart."""

import asyncio
import logging
import sqlite3
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from dataclasses import replace
from typing import cast
from uuid import UUID

import asyncpg
import pytest
from sqlalchemy import bindparam, make_url, select, text, update

from citizen_account.bootstrap import Runtime, build_runtime, utc_now
from citizen_account.domain.clients import ClientId
from citizen_account.domain.errors import DomainError, ErrorCode
from citizen_account.domain.grants import GrantEnd, GrantId
from citizen_account.storage import direct, direct_sqlite
from citizen_account.storage.absence import is_absence
from citizen_account.storage.base import async_url
from citizen_account.storage.clients import ClientRow
from citizen_account.storage.direct import DirectConnection, ReadingOnlyError
from citizen_account.storage.direct_postgres import PostgresPool
from citizen_account.storage.unit_of_work import Database
from tests.factories import settings_for
from tests.services import GRANT, LIBRARY_ID, open_account, register

OTHER_ID = ClientId("other")
END_OTHERS = text(
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
    " WHERE pid <> pg_backend_pid() AND datname = current_database()"
)


@pytest.fixture
async def library(runtime: Runtime) -> None:
    assert GRANT.account_id is not None
    await open_account(runtime, GRANT.account_id)
    await register(runtime)
    await register(runtime, client_id=OTHER_ID)


@pytest.fixture
async def on_postgres(postgres_url: str) -> AsyncIterator[Runtime]:
    runtime = build_runtime(settings_for(postgres_url), utc_now)
    assert GRANT.account_id is not None
    await open_account(runtime, GRANT.account_id)
    await register(runtime)
    await register(runtime, client_id=OTHER_ID)
    yield runtime
    await runtime.database.close()


async def add(database: Database, number: int, client_id: ClientId) -> None:
    async with database.begin_hot() as uow:
        await uow.grants.add(replace(GRANT, id=GrantId(UUID(int=number)), client_id=client_id))


@asynccontextmanager
async def locking(database: Database, client_id: ClientId) -> AsyncIterator[None]:
    """Hold a client's row as one does who deletes it, and let it live in the end."""
    async with database.engines.writer.connect() as connection:
        held = select(ClientRow.id).where(ClientRow.id == client_id).with_for_update()
        await connection.execute(held)
        yield
        await connection.rollback()


async def test_who_waits_for_a_lock_holds_up_nobody(on_postgres: Runtime) -> None:
    database = on_postgres.database
    async with locking(database, OTHER_ID):
        # One message: a grant of the client that is held, and five of another one.
        waiting = asyncio.create_task(add(database, 100, OTHER_ID))
        others = [add(database, number, LIBRARY_ID) for number in range(101, 106)]
        async with asyncio.timeout(5):
            await asyncio.gather(*others)
        assert not waiting.done()
        # Who comes alone and has to wait does so, too.
        alone = asyncio.create_task(add(database, 106, OTHER_ID))
        await asyncio.sleep(0.5)
        assert not alone.done()
    await asyncio.gather(waiting, alone)
    async with database.begin() as uow:
        for number in range(100, 107):
            assert await uow.grants.end(GrantId(UUID(int=number)), GrantEnd.REVOKED, uow.now)


async def test_readers_find_a_connection_while_all_writers_wait(postgres_url: str) -> None:
    runtime = build_runtime(settings_for(postgres_url, database_connections="8"), utc_now)
    database = runtime.database
    assert GRANT.account_id is not None
    await open_account(runtime, GRANT.account_id)
    await register(runtime)
    async with locking(database, LIBRARY_ID):
        waiting = []
        for number in range(200, 210):
            waiting.append(asyncio.create_task(add(database, number, LIBRARY_ID)))
            await asyncio.sleep(0.06)
        async with asyncio.timeout(2), database.read() as uow:
            assert await uow.accounts.find(GRANT.account_id) is not None
    await asyncio.gather(*waiting)
    await database.close()


async def test_restart_of_the_server_is_not_noticed_by_who_reads(on_postgres: Runtime) -> None:
    database = on_postgres.database
    async with database.read() as uow:
        assert await uow.clients.find(LIBRARY_ID) is not None
    async with database.engines.writer.connect() as connection:
        await connection.execution_options(isolation_level="AUTOCOMMIT")
        await connection.execute(END_OTHERS)
        async with database.read() as uow:
            assert await uow.clients.find(LIBRARY_ID) is not None


async def test_nothing_is_recalled_from_before_a_restart(
    on_postgres: Runtime, caplog: pytest.LogCaptureFixture
) -> None:
    """Another server may answer from then on, which counts its versions anew."""
    database = on_postgres.database
    caplog.set_level(logging.DEBUG, direct.log.name)

    async def reads_anew() -> bool:
        caplog.clear()
        async with database.begin_hot() as uow:
            assert await uow.recalled.client(LIBRARY_ID, None) is not None
        return "clients.secret_digest" in caplog.text

    assert [await reads_anew() for _ in range(2)] == [True, False]
    async with database.engines.writer.connect() as connection:
        await connection.execution_options(isolation_level="AUTOCOMMIT")
        await connection.execute(END_OTHERS)
    await asyncio.sleep(0.1)
    # The first to come opens a connection: with it, all from before is forgotten.
    assert [await reads_anew() for _ in range(3)] == [False, True, False]


async def test_connection_lost_within_a_transaction_is_an_absence(on_postgres: Runtime) -> None:
    database = on_postgres.database

    async def write() -> None:
        async with database.begin_hot() as uow:
            assert not await uow.grants.end(GRANT.id, GrantEnd.REVOKED, uow.now)
            async with database.engines.writer.connect() as connection:
                await connection.execution_options(isolation_level="AUTOCOMMIT")
                await connection.execute(END_OTHERS)
            await asyncio.sleep(0.1)
            await uow.grants.end(GRANT.id, GrantEnd.REVOKED, uow.now)

    with pytest.raises(DomainError) as refused:
        await write()
    assert refused.value.code is ErrorCode.TEMPORARILY_UNAVAILABLE
    assert not is_absence(asyncpg.InterfaceError("another operation is in progress"))


async def test_row_is_locked_within_a_transaction(postgres_url: str, on_postgres: Runtime) -> None:
    assert on_postgres
    pool = PostgresPool(async_url(postgres_url), 3)
    held = select(ClientRow.id).where(ClientRow.id == LIBRARY_ID).with_for_update()
    connection = pool.connect(is_reading=False)
    assert (await connection.execute(held)).first() is not None
    assert connection.has_begun
    await connection.roll_back()
    with pytest.raises(ReadingOnlyError):
        await pool.connect(is_reading=True).execute(held)
    await pool.close()


@pytest.mark.usefixtures("library")
async def test_close_waits_for_what_is_under_way(database: Database) -> None:
    first, leaving = [
        asyncio.create_task(add(database, number, LIBRARY_ID)) for number in (300, 301)
    ]
    await asyncio.sleep(0)
    leaving.cancel()
    await database.close()
    await first
    async with database.begin() as uow:
        for number in (300, 301):
            assert await uow.grants.end(GrantId(UUID(int=number)), GrantEnd.REVOKED, uow.now)


async def test_waiting_in_vain_for_another_process_stops_nobody_later(
    sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(direct_sqlite, "LOCK_SECONDS", 1)
    runtime = build_runtime(settings_for(sqlite_url), utc_now)
    assert GRANT.account_id is not None
    await open_account(runtime, GRANT.account_id)
    await register(runtime)
    path = make_url(sqlite_url).database or ""
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        for number in (400, 401):
            trying = asyncio.create_task(add(runtime.database, number, LIBRARY_ID))
            assert await longest_pause(trying) < 0.5
            with pytest.raises(DomainError):
                await trying
        other.execute("ROLLBACK")
    await add(runtime.database, 402, LIBRARY_ID)
    await runtime.database.close()


async def longest_pause(during: asyncio.Task[None]) -> float:
    """Return for how many seconds the loop stood still at most."""
    longest, before = 0.0, time.monotonic()
    while not during.done():
        await asyncio.sleep(0.01)
        now = time.monotonic()
        longest, before = max(longest, now - before), now
    return longest


async def test_change_that_may_wait_goes_before_what_must_be_won(runtime: Runtime) -> None:
    """Only what is inserted afterwards hangs on it."""
    await register(runtime)
    async with runtime.database.begin_hot() as uow:
        connection = cast("DirectConnection", uow.connection)
        later = update(ClientRow).where(ClientRow.id == bindparam("client"))
        changed = {"client": LIBRARY_ID, "called": {"en": "New"}}
        await connection.change_later(later.values(name=bindparam("called")), changed)
        here = select(ClientRow.id).where(ClientRow.id == bindparam("client"))
        await connection.win(here, {"client": LIBRARY_ID})
    async with runtime.database.read() as uow:
        found = await uow.clients.find(LIBRARY_ID)
    assert found is not None
    assert found.name == {"en": "New"}
