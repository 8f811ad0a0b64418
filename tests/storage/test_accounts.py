"""Accounts are sealed at rest, and an address belongs to one."""

import asyncio
from dataclasses import replace

from sqlalchemy import text

from citizen_account.domain.accounts import AccountId, Address, Level, Profile
from citizen_account.domain.emails import EmailAddress
from citizen_account.security.tokens import new_id
from citizen_account.storage.accounts import NewAccount, plain_profile
from citizen_account.storage.unit_of_work import Database
from tests.factories import START

JANA = EmailAddress("jana@example.sk")
MORE = {"nickname": "Janka"}
PROFILE = Profile("Jana", "Kováčová", "+421905123456", Address("Rybárska 7", "811 01"))


def new_account(email: EmailAddress | None = JANA) -> NewAccount:
    return NewAccount(AccountId(new_id()), email, PROFILE, "sk", Level.LOW)


async def add(database: Database, account: NewAccount) -> bool:
    async with database.begin() as uow:
        return await uow.accounts.add(account, uow.now)


async def test_account_comes_back_as_it_was(database: Database) -> None:
    account = new_account()
    assert await add(database, account)
    async with database.read() as uow:
        found = await uow.accounts.find(account.id)
        by_email = await uow.accounts.find_by_email(EmailAddress("Jana@example.sk"))
    assert found is not None
    assert found == by_email
    assert found.profile == PROFILE
    assert found.email == "jana@example.sk"
    assert found.created_at == START


async def test_row_of_the_version_before_is_read_and_one_that_it_reads_is_written(
    database: Database,
) -> None:
    plain, full = new_account(), replace(new_account(None), profile=replace(PROFILE, further=MORE))
    assert await add(database, plain)
    assert await add(database, full)
    async with database.begin() as uow:
        found = await uow.accounts.find(full.id)
        assert found is not None
        assert found.profile.further == MORE
        await uow.accounts.save_profile(found, PROFILE, "sk", uow.now)
    # It stops at a member that it does not know: nothing is written where nothing is held.
    assert "further" not in plain_profile(PROFILE)
    async with database.read() as uow:
        emptied = await uow.accounts.find(full.id)
    assert emptied is not None
    assert emptied.profile == PROFILE


async def test_address_belongs_to_one_account_even_at_once(database: Database) -> None:
    answers = await asyncio.gather(*(add(database, new_account()) for _ in range(8)))
    assert sum(answers) == 1


async def test_accounts_without_an_address_are_many(database: Database) -> None:
    assert await add(database, new_account(None))
    assert await add(database, new_account(None))


async def test_taken_address_is_refused_and_the_transaction_goes_on(database: Database) -> None:
    peter = new_account(EmailAddress("peter@example.sk"))
    await add(database, new_account())
    await add(database, peter)
    async with database.begin() as uow:
        account = await uow.accounts.find(peter.id)
        assert account is not None
        assert not await uow.accounts.save_email(account, JANA, uow.now)
        await uow.accounts.save_profile(account, replace(PROFILE, given_name="P"), "en", uow.now)
    async with database.read() as uow:
        after = await uow.accounts.find(peter.id)
    assert after is not None
    assert (after.email, after.profile.given_name) == ("peter@example.sk", "P")


async def test_nothing_personal_is_readable_at_rest(database: Database) -> None:
    account = new_account()
    await add(database, account)
    async with database.engines.reader.connect() as connection:
        [row] = (await connection.execute(text("SELECT * FROM accounts"))).all()
    stored = b"|".join(
        bytes(each) if isinstance(each, bytes | memoryview) else str(each).encode() for each in row
    )
    for word in ("jana", "Jana", "Kov", "905123456", "Ryb"):
        assert word.encode() not in stored
