"""What is asked for at once goes as one, and nobody pays for another's mistake."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from itertools import count
from uuid import UUID

import httpx2
import pytest

from citizen_account.bootstrap import Runtime
from citizen_account.domain.clients import ClientId
from citizen_account.domain.grants import GrantEnd, GrantId
from citizen_account.domain.transactions import LostRaceError
from citizen_account.security.tokens import digest
from citizen_account.storage.gathering import MOST, PATIENCE_SECONDS, Gathering
from citizen_account.storage.unit_of_work import Database
from tests.relying_party import Party
from tests.services import GRANT, SECRET, authorize, open_account, register
from tests.statements import statements

MANY = 12


class Doubling:
    """Doubles numbers, together; of what is negative it wants nothing to do with all."""

    def __init__(self) -> None:
        self.batches: list[Sequence[int]] = []
        self.may_go_on = asyncio.Event()
        self.may_go_on.set()

    async def __call__(self, _: str, numbers: Sequence[int]) -> Sequence[int | Exception]:
        self.batches.append(numbers)
        await asyncio.sleep(0)
        if 0 in numbers:
            raise ConnectionError
        if min(numbers) < 0:
            raise ValueError
        await self.may_go_on.wait()
        return [LookupError() if number == 13 else 2 * number for number in numbers]


@pytest.fixture
def doubling() -> Doubling:
    return Doubling()


@pytest.fixture
def gathering(doubling: Doubling) -> Gathering[str, int, int]:
    return Gathering[str, int, int](doubling, lambda error: isinstance(error, OSError))


async def ask(gathering: Gathering[str, int, int], *numbers: int) -> list[int | BaseException]:
    asked = (gathering.ask("double", number) for number in numbers)
    return await asyncio.gather(*asked, return_exceptions=True)


async def test_what_comes_in_while_the_first_is_under_way_is_a_batch(
    doubling: Doubling, gathering: Gathering[str, int, int]
) -> None:
    assert await ask(gathering, 1, 2, 3) == [2, 4, 6]
    assert doubling.batches == [[1], [2, 3]]


async def test_among_many_one_turn_is_one_batch(
    doubling: Doubling, gathering: Gathering[str, int, int]
) -> None:
    await ask(gathering, 1, 2, 3)
    assert await ask(gathering, 4, 5) == [8, 10]
    assert doubling.batches[2:] == [[4, 5]]
    # Who is the only one then ends that, and the next goes at once again.
    await ask(gathering, 6)
    await ask(gathering, 7, 8)
    assert doubling.batches[3:] == [[6], [7], [8]]


async def test_batches_follow_each_other(
    doubling: Doubling, gathering: Gathering[str, int, int]
) -> None:
    doubling.may_go_on.clear()
    asking = [asyncio.create_task(ask(gathering, number)) for number in (1, 2)]
    await asyncio.sleep(0.01)
    asking += [asyncio.create_task(ask(gathering, number)) for number in (3, 4)]
    await asyncio.sleep(0.01)
    assert doubling.batches == [[1]]
    doubling.may_go_on.set()
    assert [await each for each in asking] == [[2], [4], [6], [8]]
    assert doubling.batches == [[1], [2, 3, 4]]


async def test_who_waits_long_holds_up_nobody(
    doubling: Doubling, gathering: Gathering[str, int, int]
) -> None:
    doubling.may_go_on.clear()
    stuck = asyncio.create_task(ask(gathering, 1))
    await asyncio.sleep(2 * PATIENCE_SECONDS)
    later = asyncio.create_task(ask(gathering, 2))
    await asyncio.sleep(0.01)
    assert doubling.batches == [[1], [2]]
    doubling.may_go_on.set()
    assert (await stuck, await later) == ([2], [4])
    # All is as before: one at a time.
    assert await ask(gathering, 4, 5) == [8, 10]
    assert doubling.batches[2:] == [[4], [5]]


async def test_mistake_harms_nobody_else(
    doubling: Doubling, gathering: Gathering[str, int, int]
) -> None:
    _, two, wrong, six = await ask(gathering, 7, 1, -1, 3)
    assert (two, six) == (2, 6)
    assert isinstance(wrong, ValueError)
    assert doubling.batches == [[7], [1, -1, 3], [1], [-1], [3]]


async def test_own_outcome_may_be_a_refusal(gathering: Gathering[str, int, int]) -> None:
    first, refused, six = await ask(gathering, 13, 13, 3)
    assert isinstance(first, LookupError)
    assert isinstance(refused, LookupError)
    assert six == 6


async def test_what_meets_all_is_tried_once(
    doubling: Doubling, gathering: Gathering[str, int, int]
) -> None:
    _, *outcomes = await ask(gathering, 7, 1, 0, 3)
    assert {type(outcome) for outcome in outcomes} == {ConnectionError}
    assert doubling.batches == [[7], [1, 0, 3]]


async def test_who_leaves_takes_nobody_along(
    doubling: Doubling, gathering: Gathering[str, int, int]
) -> None:
    doubling.may_go_on.clear()
    asking = [asyncio.create_task(ask(gathering, number)) for number in (1, 2, 3)]
    await asyncio.sleep(0.01)
    for leaving in asking[:2]:
        leaving.cancel()
    await asyncio.sleep(0.01)
    doubling.may_go_on.set()
    assert await asking[2] == [6]
    assert doubling.batches == [[1], [2, 3]]


async def test_batch_has_a_limit(doubling: Doubling, gathering: Gathering[str, int, int]) -> None:
    numbers = range(20, 20 + MOST + 5)
    assert await ask(gathering, *numbers) == [2 * number for number in numbers]
    assert [len(batch) for batch in doubling.batches] == [1, MOST, 4]


@pytest.fixture
async def library(runtime: Runtime, http: httpx2.AsyncClient) -> Party:
    assert GRANT.account_id is not None
    await open_account(runtime, GRANT.account_id)
    types = ["authorization_code", "refresh_token", "client_credentials"]
    await register(runtime, grant_types=types, scope="openid profile email cases.read")
    await runtime.keys.load()
    return Party(http, "library", SECRET)


async def test_many_requests_cost_a_few_questions_and_transactions(
    database: Database, library: Party
) -> None:
    with statements(database) as seen:
        answers = await asyncio.gather(*(library.ask_for_itself() for _ in range(MANY)))
    assert [answer.status_code for answer in answers] == [200] * MANY
    tokens = {answer.json()["access_token"] for answer in answers}
    assert len(tokens) == MANY
    if database.engines.writer.dialect.name == "postgresql":
        # The first one's, those who came meanwhile; and perhaps once more.
        assert seen.count("SELECT") <= 3
        assert seen.count("WITH") <= 3
        assert len(seen) == seen.count("SELECT") + seen.count("WITH")
    else:
        # SQLite answers from memory: a question has nothing to wait for.
        assert (seen.count("SELECT"), seen.count("INSERT")) == (MANY, 3 * MANY)
    for token in tokens:
        assert (await library.introspect(token)).json()["active"]


async def test_each_is_told_of_its_own(runtime: Runtime, library: Party) -> None:
    issued = [(await library.redeem(await authorize(runtime))).json() for _ in range(3)]
    tokens = [each["access_token"] for each in issued] + ["none of ours"]
    await library.revoke(tokens[1])
    answers = await asyncio.gather(*(library.introspect(token) for token in tokens))
    assert [answer.json()["active"] for answer in answers] == [True, False, True, False]


numbers = count(100)


async def keep(database: Database, *facts: tuple[GrantId, str]) -> list[BaseException | None]:
    async def add(grant_id: GrantId, client_id: str) -> None:
        async with database.begin_hot() as uow:
            await uow.grants.add(replace(GRANT, id=grant_id, client_id=ClientId(client_id)))

    return await asyncio.gather(*(add(*fact) for fact in facts), return_exceptions=True)


async def test_row_that_cannot_be_keeps_no_other_out(database: Database, library: Party) -> None:
    assert library
    ids = [GrantId(UUID(int=next(numbers))) for _ in range(MANY)]
    # One for a client that does not exist, one with half a character.
    names = ["library"] * (MANY - 2) + ["nobody", "\ud800"]
    outcomes = await keep(database, *zip(ids, names, strict=True))
    assert outcomes[:-2] == [None] * (MANY - 2)
    assert all(isinstance(outcome, Exception) for outcome in outcomes[-2:])
    for grant_id, outcome in zip(ids, outcomes, strict=True):
        async with database.begin() as uow:
            found = await uow.grants.end(grant_id, GrantEnd.REVOKED, uow.now)
        assert found is (outcome is None)


async def test_one_of_a_batch_wins(runtime: Runtime, database: Database, library: Party) -> None:
    assert library
    code, other = await authorize(runtime), await authorize(runtime)

    async def win(secret: str) -> bool:
        try:
            async with database.begin_hot() as uow:
                await uow.grants.win_code(digest(secret), uow.now)
        except LostRaceError:
            return False
        return True

    won = await asyncio.gather(*(win(secret) for secret in [code, other] * MANY))
    assert (won[::2].count(True), won[1::2].count(True)) == (1, 1)
    async with database.read() as uow:
        found = await uow.grants.find_code(digest(code))
    assert found is not None
    assert found.used_at is not None
