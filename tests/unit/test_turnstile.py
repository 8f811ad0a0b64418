"""Pages are let in one at each turn of the loop; programs pass them by."""

import asyncio
from collections.abc import Awaitable, Callable

import httpx2
import pytest
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.types import Receive, Scope, Send

from citizen_account.web.shortcut import Busiest, Entrance
from citizen_account.web.turnstile import Turnstile

CROWD = 20


@pytest.fixture
def seen() -> list[str]:
    return []


@pytest.fixture
def enter(seen: list[str]) -> Callable[[Turnstile, str], Awaitable[None]]:
    async def enter_as(turnstile: Turnstile, name: str) -> None:
        await turnstile.enter()
        seen.append(name)

    return enter_as


async def test_one_is_let_in_at_each_turn(
    seen: list[str], enter: Callable[[Turnstile, str], asyncio.Future[None]]
) -> None:
    turnstile = Turnstile()
    crowd = [asyncio.ensure_future(enter(turnstile, str(number))) for number in range(CROWD)]
    counts = []
    while len(seen) < CROWD:
        before = len(seen)
        await asyncio.sleep(0)
        counts.append(len(seen) - before)
    await asyncio.gather(*crowd)
    assert set(counts) <= {0, 1}
    assert seen == [str(number) for number in range(CROWD)]


async def test_who_comes_alone_does_not_wait(
    seen: list[str], enter: Callable[[Turnstile, str], Awaitable[None]]
) -> None:
    turnstile = Turnstile()
    for name in ("first", "second"):
        # Not one turn of the loop passes inside.
        async with asyncio.timeout(0):
            await enter(turnstile, name)
        await asyncio.sleep(0)
        await asyncio.sleep(0)
    assert seen == ["first", "second"]


async def test_who_goes_away_takes_nobody_s_turn(
    seen: list[str], enter: Callable[[Turnstile, str], asyncio.Future[None]]
) -> None:
    turnstile = Turnstile()
    crowd = [asyncio.ensure_future(enter(turnstile, str(number))) for number in range(CROWD)]
    await asyncio.sleep(0)
    for task in crowd[3:10]:
        task.cancel()
    await asyncio.gather(*crowd, return_exceptions=True)
    assert seen == [str(number) for number in range(CROWD) if number not in range(3, 10)]
    await enter(turnstile, "later")
    assert seen[-1] == "later"


async def test_a_program_passes_a_crowd_by(seen: list[str]) -> None:
    async def page(scope: Scope, receive: Receive, send: Send) -> None:
        seen.append("page")
        await PlainTextResponse("page")(scope, receive, send)

    async def token(_: Request) -> Response:
        seen.append("token")
        return PlainTextResponse("token")

    entrance, busiest = Entrance(page), Busiest({("POST", "/token"): token})

    async def door(scope: Scope, receive: Receive, send: Send) -> None:
        await (busiest if busiest.knows(scope) else entrance)(scope, receive, send)

    transport = httpx2.ASGITransport(door)
    async with httpx2.AsyncClient(transport=transport, base_url="http://city.example") as http:
        crowd = [asyncio.create_task(http.get("/en/sign-in")) for _ in range(CROWD)]
        # They stand before it by now.
        await asyncio.sleep(0)
        answer = await http.post("/token")
        assert answer.text == "token"
        assert {answer.text for answer in await asyncio.gather(*crowd)} == {"page"}
    assert len(seen) == CROWD + 1
    assert seen.index("token") < CROWD // 2
