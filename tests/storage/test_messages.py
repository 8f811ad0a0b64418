"""An inbox belongs to one resident, is sealed, and remembers what was read."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from citizen_account.bootstrap import Runtime
from citizen_account.domain.accounts import AccountId, Level, Profile
from citizen_account.domain.errors import DomainError
from citizen_account.domain.messages import AccountText, Announcement, ServiceText
from citizen_account.security.tokens import new_id
from citizen_account.storage.accounts import NewAccount
from citizen_account.storage.messages import MessageRow
from citizen_account.usecases.messages import deliver, list_messages, open_message, tell
from tests.factories import Clock

LIBRARY = {"sk": "Mestská knižnica", "en": "City Library"}
LOAN = ServiceText(LIBRARY, {"sk": "Výpožička", "en": "A loan"}, {"sk": "Do piatku.", "en": "."})


async def add_resident(runtime: Runtime) -> AccountId:
    account = NewAccount(AccountId(new_id()), None, Profile("Jana"), "sk", Level.LOW)
    async with runtime.database.begin() as uow:
        await uow.accounts.add(account, uow.now)
    return account.id


async def test_newest_message_comes_first_with_its_words(runtime: Runtime, clock: Clock) -> None:
    resident = await add_resident(runtime)
    facts = {"service": LIBRARY}
    async with runtime.database.begin() as uow:
        await tell(uow, resident, Announcement.SERVICE_LINKED, facts=facts, place="/services")
    clock.now += timedelta(hours=1)
    async with runtime.database.begin() as uow:
        await deliver(uow, resident, LOAN, place="")
    async with runtime.database.read() as uow:
        newest, oldest = await list_messages(uow, resident, before=None)
    assert newest.text == LOAN
    assert newest.sent_at == clock.now
    assert oldest.text == AccountText(Announcement.SERVICE_LINKED, facts)
    assert oldest.place == "/services"


async def test_pages_follow_each_other(runtime: Runtime) -> None:
    resident = await add_resident(runtime)
    async with runtime.database.begin() as uow:
        for _ in range(5):
            await tell(uow, resident, Announcement.WELCOME)
        every = await list_messages(uow, resident, before=None)
        first = await list_messages(uow, resident, before=None, size=3)
        second = await list_messages(uow, resident, before=first[-1].id, size=3)
    assert [*first, *second] == list(every)
    assert len(second) == 2


async def test_opening_a_message_reads_it_once(runtime: Runtime, clock: Clock) -> None:
    resident = await add_resident(runtime)
    async with runtime.database.begin() as uow:
        await tell(uow, resident, Announcement.WELCOME)
        await tell(uow, resident, Announcement.PASSWORD_CHANGED)
        newest, _ = await list_messages(uow, resident, before=None)
        assert await uow.messages.count_unread(resident) == 2
    async with runtime.database.begin() as uow:
        assert (await open_message(uow, resident, newest.id)).is_unread
    opened_at = clock.now
    clock.now += timedelta(days=1)
    async with runtime.database.begin() as uow:
        assert (await open_message(uow, resident, newest.id)).read_at == opened_at
        assert await uow.messages.count_unread(resident) == 1


async def test_anothers_message_looks_absent(runtime: Runtime) -> None:
    resident, stranger = await add_resident(runtime), await add_resident(runtime)
    async with runtime.database.begin() as uow:
        await tell(uow, resident, Announcement.WELCOME)
        [message] = await list_messages(uow, resident, before=None)
        with pytest.raises(DomainError, match="not_found"):
            await open_message(uow, stranger, message.id)
        assert await uow.messages.count_unread(resident) == 1
        assert not await list_messages(uow, stranger, before=None)


async def test_words_are_sealed_in_the_database(runtime: Runtime) -> None:
    resident = await add_resident(runtime)
    async with runtime.database.begin() as uow:
        await deliver(uow, resident, LOAN, place="")
    async with runtime.database.engines.reader.connect() as connection:
        sealed = (await connection.execute(select(MessageRow.text))).scalar_one()
    assert b"loan" not in sealed
    assert b"Library" not in sealed
