"""Which passwords are taken, and how they are hashed."""

import asyncio

import pytest

from citizen_account.domain.errors import DomainError, ErrorCode
from citizen_account.domain.passwords import (
    MAX_BYTES,
    PasswordProblem,
    find_password_problem,
    is_hashable,
)
from citizen_account.security.passwords import (
    QUEUE,
    HashParameters,
    PasswordHasher,
    is_bounded,
)
from tests.hashing import verify

WEAK = HashParameters(memory_kib=8, time_cost=1, parallelism=1)
GOOD = "kolobezka mraky 47 lipa"
CONTEXT = ("Dunajské Mesto", "jana.kovacova", "Jana Kováčová")


@pytest.fixture
def hasher() -> PasswordHasher:
    return PasswordHasher(WEAK)


def test_fifteen_characters_are_enough_and_fourteen_are_not() -> None:
    assert find_password_problem("lipa mraky x 47") is None
    assert find_password_problem("lipa mraky x 4") is PasswordProblem.TOO_SHORT


def test_256_characters_are_taken_and_more_are_not() -> None:
    long = "lipa mraky 47 " * 20
    assert find_password_problem(long[:255] + "x") is None
    assert find_password_problem(long[:256] + "x") is PasswordProblem.TOO_LONG


def test_no_kind_of_character_is_asked_for() -> None:
    assert find_password_problem("samemalepismena") is None
    assert find_password_problem("ďateľ ťuká šestkrát") is None
    assert find_password_problem("我喜歡在多瑙河邊散步看書喝咖啡") is None


@pytest.mark.parametrize("password", ["lipa\0mraky 47 lipa", "lipa \ud800 mraky 47 lipa"])
def test_what_no_keyboard_makes_is_refused(password: str) -> None:
    assert find_password_problem(password) is PasswordProblem.UNREADABLE
    assert not is_hashable(password)


def test_a_megabyte_is_refused_unread() -> None:
    assert find_password_problem("x" * 1_000_000) is PasswordProblem.TOO_LONG
    assert not is_hashable("ž" * MAX_BYTES)


@pytest.mark.parametrize(
    "password",
    [
        "passwordpassword",
        "PasswordPassword",
        "Toto je moje heslo",
        "aaaaaaaaaaaaaaaa",
        "abcabcabcabcabcabc",
        "qwertzuiopasdfgh",
        "1234567890abcdefgh",
        "zyxwvutsrqponmlk",
    ],
)
def test_what_everyone_tries_first_is_refused(password: str) -> None:
    assert find_password_problem(password) is PasswordProblem.TOO_COMMON


@pytest.mark.parametrize(
    "password", ["jana.kovacova.1985", "KováčováJana-2026", "Dunajské Mesto 2026"]
)
def test_the_own_name_and_the_city_are_refused(password: str) -> None:
    problem = find_password_problem(password, context=CONTEXT)
    assert problem is PasswordProblem.NAMES_ITS_OWNER


def test_a_name_among_other_words_is_taken() -> None:
    assert find_password_problem("jana ma rada kolobezky", context=CONTEXT) is None


async def test_both_spellings_of_an_accent_are_one_password(hasher: PasswordHasher) -> None:
    stored = await hasher.hash("de\u030ckujeme pekne moc")
    assert (await verify(hasher, "d\u011bkujeme pekne moc", stored)).is_right


async def test_nothing_is_cut_off(hasher: PasswordHasher) -> None:
    stored = await hasher.hash("lipa mraky " * 10 + "a")
    assert not (await verify(hasher, "lipa mraky " * 10 + "b", stored)).is_right


async def test_unknown_account_takes_a_hash_and_fails(hasher: PasswordHasher) -> None:
    assert not (await verify(hasher, GOOD, None)).is_right


async def test_stronger_parameters_make_a_hash_outdated(hasher: PasswordHasher) -> None:
    stored = await hasher.hash(GOOD)
    stronger = PasswordHasher(HashParameters(memory_kib=16, time_cost=2, parallelism=1))
    assert not (await verify(hasher, GOOD, stored)).is_outdated
    verdict = await verify(stronger, GOOD, stored)
    assert verdict.is_right
    assert verdict.is_outdated


@pytest.mark.parametrize("asked", ["m=4194304,t=2,p=1", "m=19456,t=4000,p=1", "m=19456,t=2,p=200"])
async def test_a_hash_that_asks_for_too_much_is_refused(hasher: PasswordHasher, asked: str) -> None:
    stored = (await hasher.hash(GOOD)).replace("m=8,t=1,p=1", asked)
    assert asked in stored
    assert not is_bounded(stored)
    assert not (await verify(hasher, GOOD, stored)).is_right


@pytest.mark.parametrize(
    "stored", ["", "plain", "$2b$12$" + "x" * 53, "$argon2i$v=19$m=8,t=1,p=1$"]
)
def test_another_kind_of_hash_is_refused(stored: str) -> None:
    assert not is_bounded(stored)


async def test_a_full_queue_sends_away_and_recovers() -> None:
    hasher = PasswordHasher(HashParameters(memory_kib=4096, time_cost=2, parallelism=1), at_once=1)
    answers = await asyncio.gather(
        *(verify(hasher, GOOD, None) for _ in range(QUEUE + 11)), return_exceptions=True
    )
    refused = [answer for answer in answers if isinstance(answer, DomainError)]
    assert len(refused) == 10
    assert {answer.code for answer in refused} == {ErrorCode.TOO_BUSY}
    assert all("retry_after" in answer.facts for answer in refused)
    assert not (await verify(hasher, GOOD, None)).is_right


async def test_a_visitor_who_leaves_frees_no_place_before_the_thread_does() -> None:
    hasher = PasswordHasher(HashParameters(memory_kib=8192, time_cost=8, parallelism=1), at_once=1)
    waiting = [asyncio.create_task(verify(hasher, GOOD, None)) for _ in range(QUEUE + 1)]
    await asyncio.sleep(0)
    for task in waiting:
        task.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)
    with pytest.raises(DomainError):
        await verify(hasher, GOOD, None)


async def test_who_has_a_place_is_not_sent_away() -> None:
    hasher = PasswordHasher(HashParameters(memory_kib=4096, time_cost=2, parallelism=1), at_once=1)
    with hasher.place() as place:
        others = [asyncio.create_task(verify(hasher, GOOD, None)) for _ in range(QUEUE)]
        await asyncio.sleep(0)
        with pytest.raises(DomainError), hasher.place():
            pass
        stored = await place.hash(GOOD)
        assert (await place.verify(GOOD, stored)).is_right
    await asyncio.gather(*others)
    assert hasher.under_way == 0


async def test_a_place_that_nobody_used_is_free_again(hasher: PasswordHasher) -> None:
    with pytest.raises(RuntimeError), hasher.place():
        raise RuntimeError
    assert hasher.under_way == 0
