"""A code is guessed five times at most and used once, however many come at once."""

import asyncio

from citizen_account.domain.challenges import (
    CODE_LIFETIME,
    MAX_TRIES,
    STEP_LIFETIME,
    ChallengeId,
    ChallengePurpose,
    Onward,
)
from citizen_account.domain.emails import EmailAddress
from citizen_account.security.tokens import new_id
from citizen_account.storage.challenges import NewChallenge
from citizen_account.storage.unit_of_work import Database
from tests.factories import START

CODE = "123456"


async def begin(database: Database) -> ChallengeId:
    challenge = NewChallenge(
        id=ChallengeId(new_id()),
        purpose=ChallengePurpose.REGISTER,
        browser_digest=b"browser",
        account_id=None,
        email=EmailAddress("jana@example.sk"),
        onward=Onward(interaction="i", place="/sk/profile"),
        is_decoy=False,
    )
    async with database.begin() as uow:
        await uow.challenges.add(challenge, CODE, uow.now, uow.now + CODE_LIFETIME)
    return challenge.id


async def test_challenge_comes_back_as_it_was(database: Database) -> None:
    challenge_id = await begin(database)
    async with database.read() as uow:
        found = await uow.challenges.find(challenge_id)
    assert found is not None
    assert found.email.text == "jana@example.sk"
    assert found.onward == Onward(interaction="i", place="/sk/profile")
    assert found.code_expires_at == START + CODE_LIFETIME


async def test_sixteen_guesses_at_once_use_five_tries(database: Database) -> None:
    challenge_id = await begin(database)

    async def guess() -> bool:
        async with database.begin() as uow:
            return await uow.challenges.use_try(challenge_id, uow.now)

    answers = await asyncio.gather(*(guess() for _ in range(16)))
    assert sum(answers) == MAX_TRIES


async def test_sixteen_at_once_verify_and_use_it_once(database: Database) -> None:
    challenge_id = await begin(database)

    async def verify() -> bool:
        async with database.begin() as uow:
            return await uow.challenges.verify(challenge_id, uow.now, uow.now + STEP_LIFETIME)

    async def use() -> bool:
        async with database.begin() as uow:
            return await uow.challenges.use(challenge_id, uow.now)

    assert not any(await asyncio.gather(*(use() for _ in range(3))))
    assert sum(await asyncio.gather(*(verify() for _ in range(16)))) == 1
    assert sum(await asyncio.gather(*(use() for _ in range(16)))) == 1


async def test_every_code_that_was_sent_fits(database: Database) -> None:
    challenge_id = await begin(database)
    async with database.begin() as uow:
        assert await uow.challenges.add_code(challenge_id, "654321", uow.now + CODE_LIFETIME)
        assert await uow.challenges.add_code(challenge_id, CODE, uow.now + CODE_LIFETIME)
        assert await uow.challenges.add_code(challenge_id, "111111", uow.now + CODE_LIFETIME)
        assert not await uow.challenges.add_code(challenge_id, "222222", uow.now + CODE_LIFETIME)
        for code in (CODE, "654321", "111111"):
            assert await uow.challenges.fits(challenge_id, code, uow.now)
        for code in ("222222", "", "12345"):
            assert not await uow.challenges.fits(challenge_id, code, uow.now)
        assert not await uow.challenges.fits(challenge_id, CODE, uow.now + CODE_LIFETIME)
