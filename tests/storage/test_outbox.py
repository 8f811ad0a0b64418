"""Errands: claimed by one, tried again by the schedule, parked for a person, sealed meanwhile."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import pytest
from sqlalchemy import select

from citizen_account.bootstrap import Runtime
from citizen_account.domain.errands import MAIL, Delivery, Errand, Mail, next_try
from citizen_account.jobs.worker import Worker
from citizen_account.storage.outbox import CLAIM_LIFETIME, OutboxRow, read_mail
from tests.factories import START, Clock

LETTER = Mail("jana@example.sk", "sk", "closed", {})


async def add_job(runtime: Runtime, kind: str = "unknown") -> None:
    async with runtime.database.begin() as uow:
        await uow.outbox.add(kind, {"connector": "permits"}, uow.now)


async def claim(runtime: Runtime) -> list[Errand]:
    async with runtime.database.begin() as uow:
        return list(await uow.outbox.claim(uow.now, 100))


async def test_each_errand_is_claimed_by_one_of_many(runtime: Runtime) -> None:
    for _ in range(10):
        await add_job(runtime)
    claimed = await asyncio.gather(*(claim(runtime) for _ in range(5)))
    ids = [errand.id for batch in claimed for errand in batch]
    assert len(ids) == len(set(ids)) == 10


async def test_errand_of_a_dead_worker_is_taken_over(runtime: Runtime, clock: Clock) -> None:
    await add_job(runtime)
    assert len(await claim(runtime)) == 1
    assert not await claim(runtime)
    clock.now += CLAIM_LIFETIME + timedelta(seconds=1)
    assert [errand.attempts for errand in await claim(runtime)] == [2]


async def test_errand_that_nobody_runs_is_parked_with_its_reason(runtime: Runtime) -> None:
    await add_job(runtime)
    assert await Worker(runtime).work_off() == 1
    async with runtime.database.read() as uow:
        [parked] = await uow.outbox.parked(after=None, size=10)
        assert "nobody runs errands of kind unknown" in parked.reason
        assert await uow.outbox.counts() == {Delivery.PARKED: 1}


async def test_released_errand_is_tried_again_once(runtime: Runtime) -> None:
    await add_job(runtime)
    await Worker(runtime).work_off()
    async with runtime.database.read() as uow:
        [parked] = await uow.outbox.parked(after=None, size=10)
    async with runtime.database.begin() as uow:
        assert await uow.outbox.release(parked.id, uow.now)
        assert not await uow.outbox.release(parked.id, uow.now)
    assert len(await claim(runtime)) == 1


async def test_message_is_sealed_until_it_is_sent_and_forgotten_then(runtime: Runtime) -> None:
    async with runtime.database.begin() as uow:
        await uow.send_mail(LETTER)
    async with runtime.database.engines.reader.connect() as connection:
        payload = (await connection.execute(select(OutboxRow.payload))).scalar_one()
    assert payload is not None
    assert b"jana" not in payload
    [errand] = await claim(runtime)
    assert read_mail(runtime.sealer, errand) == LETTER
    async with runtime.database.begin() as uow:
        await uow.outbox.finish(errand.id)
    async with runtime.database.engines.reader.connect() as connection:
        assert (await connection.execute(select(OutboxRow.payload))).scalar_one() is None


async def test_done_errands_are_forgotten_after_a_month(runtime: Runtime, clock: Clock) -> None:
    await add_job(runtime)
    [errand] = await claim(runtime)
    async with runtime.database.begin() as uow:
        await uow.outbox.finish(errand.id)
    clock.now += timedelta(days=31)
    async with runtime.database.begin() as uow:
        await uow.outbox.forget_done(uow.now)
        assert await uow.outbox.counts() == {}


ERRAND = Errand(uuid4(), "job", {}, None, 1, START)


@pytest.mark.parametrize(
    ("attempts", "seconds"), [(1, 5), (2, 30), (3, 120), (4, 600), (5, 3600), (6, 14_400)]
)
def test_schedule_of_tries(attempts: int, seconds: int) -> None:
    tried = replace(ERRAND, attempts=attempts)
    assert next_try(tried, START) == START + timedelta(seconds=seconds)


def test_errand_is_parked_after_three_days_and_mail_after_one() -> None:
    tried = replace(ERRAND, attempts=9)
    assert next_try(tried, START + timedelta(hours=60)) is not None
    assert next_try(tried, START + timedelta(hours=64)) is None
    assert next_try(replace(tried, kind=MAIL), START + timedelta(hours=13)) is None
