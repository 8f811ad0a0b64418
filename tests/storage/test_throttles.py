"""Tries are counted in the database, exactly and by everybody."""

import asyncio
from datetime import timedelta

from sqlalchemy import text

from citizen_account.domain.throttling import Counter, Rule
from citizen_account.storage.unit_of_work import Database
from tests.factories import Clock

MINUTE = timedelta(minutes=1)


async def hit(database: Database, key: str = "jana") -> bool:
    async with database.begin() as uow:
        return await uow.throttles.hit(key, 3, MINUTE)


async def test_so_many_and_no_more(database: Database) -> None:
    assert [await hit(database) for _ in range(5)] == [True, True, True, False, False]
    assert await hit(database, "peter")


async def test_window_ends_and_begins_anew(database: Database, clock: Clock) -> None:
    for _ in range(4):
        await hit(database)
    clock.now += MINUTE
    assert [await hit(database) for _ in range(4)] == [True, True, True, False]


async def test_many_at_once_are_counted_one_by_one(database: Database) -> None:
    answers = await asyncio.gather(*(hit(database) for _ in range(12)))
    assert sorted(answers) == [False] * 9 + [True] * 3


async def test_refusal_says_when_it_ends(database: Database, clock: Clock) -> None:
    counters = [
        Counter(Rule("short", 1, MINUTE), "jana"),
        Counter(Rule("long", 1, 2 * MINUTE), "jana"),
        Counter(Rule("open", 9, 9 * MINUTE), "jana"),
    ]
    async with database.begin() as uow:
        assert await uow.throttles.hit_all(counters) is None
    async with database.begin() as uow:
        throttled = await uow.throttles.hit_all(counters)
    assert throttled is not None
    assert throttled.until == clock.now + 2 * MINUTE


async def test_what_is_given_back_can_be_used_again(database: Database) -> None:
    counters = [Counter(Rule("sign-in", 1, MINUTE), "jana")]
    for _ in range(3):
        async with database.begin() as uow:
            assert await uow.throttles.hit_all(counters) is None
            await uow.throttles.give_back(counters)


async def test_nobody_is_named(database: Database) -> None:
    await hit(database, "jana@example.sk 198.51.100.1")
    async with database.engines.reader.connect() as connection:
        [row] = (await connection.execute(text("SELECT * FROM throttles"))).all()
    assert b"jana" not in bytes(row[0])
    assert len(row[0]) == 32


async def test_old_counters_are_forgotten(database: Database, clock: Clock) -> None:
    await hit(database)
    clock.now += 2 * MINUTE
    async with database.begin() as uow:
        await uow.throttles.forget_old(uow.now)
    async with database.engines.reader.connect() as connection:
        assert not (await connection.execute(text("SELECT * FROM throttles"))).all()
