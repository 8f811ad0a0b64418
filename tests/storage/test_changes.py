"""What the hot way does at the end, or at once: each with the rest, or without it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import timedelta

import pytest

from citizen_account.bootstrap import Runtime
from citizen_account.domain.accounts import AccountId
from citizen_account.domain.throttling import Counter, Rule
from citizen_account.storage.direct import ReadingOnlyError
from citizen_account.storage.unit_of_work import Database, UnitOfWork
from tests.services import GRANT, open_account, register
from tests.statements import statements

RULE = Rule("tries", 3, timedelta(minutes=5))
COUNTERS = tuple(Counter(RULE, subject) for subject in ("one", "two"))


@pytest.fixture
async def resident(runtime: Runtime) -> AccountId:
    assert GRANT.account_id is not None
    await open_account(runtime, GRANT.account_id)
    async with runtime.database.begin() as uow:
        await uow.credentials.save_password(GRANT.account_id, "a hash", uow.now)
        await uow.credentials.count_failure(GRANT.account_id)
    return GRANT.account_id


async def failures(database: Database, resident: AccountId) -> int:
    async with database.read() as uow:
        found = await uow.credentials.find_password(resident)
        assert found is not None
        return found.failures


class MistakeError(Exception):
    """Ends a transaction."""


@asynccontextmanager
async def undone(database: Database) -> AsyncIterator[UnitOfWork]:
    """Yield what ends in a mistake."""
    with suppress(MistakeError):
        async with database.begin_hot() as uow:
            yield uow
            raise MistakeError


async def test_change_at_the_end_goes_with_what_is_written(
    runtime: Runtime, database: Database, resident: AccountId
) -> None:
    await register(runtime)
    with statements(database) as seen:
        async with database.begin_hot() as uow:
            await uow.credentials.clear_failures(resident)
            # A question in between does not bring it forward.
            assert await uow.clients.find(GRANT.client_id) is not None
            await uow.grants.add(GRANT)
    is_postgres = database.engines.writer.dialect.name == "postgresql"
    assert seen == ["SELECT", *(["WITH"] if is_postgres else ["INSERT", "UPDATE"])]
    assert await failures(database, resident) == 0


async def test_change_at_the_end_falls_with_the_rest(
    database: Database, resident: AccountId
) -> None:
    async with undone(database) as uow:
        await uow.credentials.clear_failures(resident)
    assert await failures(database, resident) == 1


async def test_tries_are_counted_whatever_becomes_of_the_rest(database: Database) -> None:
    with statements(database) as seen:
        for _ in range(3):
            async with undone(database) as uow:
                assert await uow.throttles.hit_all(COUNTERS) is None
    assert seen == ["INSERT"] * 3
    async with database.begin_hot() as uow:
        throttled = await uow.throttles.hit_all(COUNTERS)
    assert throttled is not None


async def test_counting_joins_a_transaction_that_has_begun(
    database: Database, resident: AccountId
) -> None:
    for _ in range(5):
        async with undone(database) as uow:
            await uow.credentials.count_failure(resident)
            assert await uow.throttles.hit_all(COUNTERS) is None
    async with database.begin_hot() as uow:
        assert await uow.throttles.hit_all(COUNTERS) is None


async def test_who_counted_reads_what_is_kept(database: Database, resident: AccountId) -> None:
    """On SQLite one connection writes for all: between two transactions nobody reads on it."""
    async with database.begin_hot() as uow:
        assert await uow.throttles.hit_all(COUNTERS) is None
        async with database.begin_hot() as another:
            await another.credentials.count_failure(resident)
            # Kept by nobody yet.
            found = await uow.credentials.find_password(resident)
            assert found is not None
            assert found.failures == 1


async def test_who_only_reads_changes_nothing(database: Database, resident: AccountId) -> None:
    async with database.read() as uow:
        with pytest.raises(ReadingOnlyError):
            await uow.throttles.hit_all(COUNTERS)
        with pytest.raises(ReadingOnlyError):
            await uow.credentials.clear_failures(resident)
