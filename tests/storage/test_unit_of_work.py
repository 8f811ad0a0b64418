"""What the database promises the use cases, on each database."""

from contextlib import suppress

import pytest
from sqlalchemy import func, select

from citizen_account.bootstrap import Runtime
from citizen_account.domain.accounts import AccountId, SessionId
from citizen_account.domain.errands import Mail
from citizen_account.domain.events import SignedOut, TokensIssued
from citizen_account.domain.grants import GrantEnd, GrantId
from citizen_account.domain.transactions import NetworkInTransactionError, require_no_transaction
from citizen_account.security.tokens import digest
from citizen_account.storage.audit import AuditRow
from citizen_account.storage.outbox import OutboxRow
from citizen_account.storage.unit_of_work import Database
from tests.factories import START
from tests.services import GRANT, LIBRARY_ID, authorize, open_account, register

Table = type[AuditRow | OutboxRow]


@pytest.fixture
async def account_id(runtime: Runtime) -> AccountId:
    """Return the resident that `authorize` speaks of, with the service that it is for."""
    assert GRANT.account_id is not None
    await open_account(runtime, GRANT.account_id)
    await register(runtime)
    return GRANT.account_id


async def count(database: Database, table: Table) -> int:
    async with database.engines.reader.connect() as connection:
        counted = await connection.execute(select(func.count()).select_from(table))
        return counted.scalar_one()


async def counts(database: Database) -> tuple[int, int]:
    return await count(database, AuditRow), await count(database, OutboxRow)


def issued(account_id: AccountId) -> TokensIssued:
    return TokensIssued(account_id, LIBRARY_ID, GrantId(GRANT.id))


async def test_leaving_the_block_commits_change_audit_and_outbox(
    runtime: Runtime, database: Database, account_id: AccountId
) -> None:
    code, before = await authorize(runtime), await counts(database)
    async with database.begin() as uow:
        found = await uow.grants.find_code(digest(code))
        assert found is not None
        assert await uow.grants.end(found.grant.id, GrantEnd.REVOKED, uow.now)
        uow.record(SignedOut(account_id, SessionId(GRANT.id)))
    async with database.read() as uow:
        found = await uow.grants.find_code(digest(code))
    assert found is not None
    assert (found.grant.ended_at, found.grant.ended_by) == (START, GrantEnd.REVOKED)
    assert await counts(database) == (before[0] + 1, before[1] + 1)


async def test_event_without_follow_up_stays_out_of_the_outbox(
    database: Database, account_id: AccountId
) -> None:
    before = await counts(database)
    async with database.begin() as uow:
        uow.record(issued(account_id))
    assert await counts(database) == (before[0] + 1, before[1])


async def test_exception_rolls_everything_back(
    runtime: Runtime, database: Database, account_id: AccountId
) -> None:
    code, before = await authorize(runtime), await counts(database)
    with suppress(LookupError):
        async with database.begin() as uow:
            assert await uow.grants.use_code(digest(code), uow.now)
            await uow.send_mail(Mail("jana@example.sk", "sk", "closing", {}))
            uow.record(issued(account_id))
            raise LookupError
    async with database.begin() as uow:
        assert await uow.grants.use_code(digest(code), uow.now)
    assert await counts(database) == before


async def test_code_is_used_once(
    runtime: Runtime, database: Database, account_id: AccountId
) -> None:
    assert account_id
    code = await authorize(runtime)
    async with database.begin() as uow:
        uses = [await uow.grants.use_code(digest(code), uow.now) for _ in range(3)]
    assert uses == [True, False, False]


async def test_reader_does_not_wait_for_a_writer_and_sees_nothing_of_it(
    runtime: Runtime, database: Database, account_id: AccountId
) -> None:
    assert account_id
    code = await authorize(runtime)
    async with database.begin() as writer:
        await writer.grants.use_code(digest(code), writer.now)
        async with database.read() as reader:
            seen = await reader.grants.find_code(digest(code))
    assert seen is not None
    assert seen.used_at is None


async def test_network_waits_until_the_transaction_is_over(database: Database) -> None:
    async with database.begin():
        with pytest.raises(NetworkInTransactionError):
            require_no_transaction()
    require_no_transaction()
