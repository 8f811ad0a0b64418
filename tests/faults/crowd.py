"""Send sixteen browsers by one request URI, each with a resident of its own: RFC 9126 section 7.3.

Whoever pushed the request hoped for one sign-in; its address was passed on, or sixteen were lured.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from contextlib import AsyncExitStack

import httpx2

from citizen_account.bootstrap import Runtime
from citizen_account.domain.accounts import AccountId, Level, Profile
from citizen_account.domain.emails import EmailAddress
from citizen_account.security.tokens import new_id
from citizen_account.storage.accounts import NewAccount
from citizen_account.usecases.accounts import open_account
from tests.authorizing import address
from tests.factories import PASSWORD
from tests.faults.races import Answer, Course, Race, Use, cookies_of, gives_code, press, push
from tests.pages import Visitor

ATTEMPTS = 16
CROWD = tuple(f"resident{number}@example.sk" for number in range(ATTEMPTS))
Browse = Callable[[], httpx2.AsyncClient]


async def move_in(city: Runtime, browser: Browse) -> None:
    """Open the accounts; from then on none of them is asked again about the library."""
    password_hash = await city.hasher.hash(PASSWORD)
    async with city.database.begin() as uow:
        for email in CROWD:
            profile = Profile(given_name="Jana", family_name="Nováková")
            account = NewAccount(AccountId(new_id()), EmailAddress(email), profile, "en", Level.LOW)
            assert await open_account(uow, account, password_hash)
    async with AsyncExitStack() as opened:
        for visitor in await _at_door(opened, browser, address()):
            await visitor.press("#sign-in")
            await visitor.press("#allow")


async def pushed_sign_in(course: Course) -> Race:
    """Race from sixteen sign-in pages: each resident has said before what the library may know."""
    place = await push(course)
    async with AsyncExitStack() as opened:
        at_door = await _at_door(opened, course.browser, place)
        return Race(_each(map(_sign_in, at_door, CROWD)), won=gives_code)


async def pushed_decision(course: Course) -> Race:
    """Race from sixteen consent pages."""
    place = await push(course, {"prompt": "consent"})
    async with AsyncExitStack() as opened:
        at_door = await _at_door(opened, course.browser, place)
        # One by one: so many passwords at once at one process are too many.
        asked = [await visitor.press("#sign-in") for visitor in at_door]
        decision = {"decision": "allow"}
        return Race(
            _each(press(visitor, "#allow", decision).use for visitor in asked), won=gives_code
        )


async def _at_door(opened: AsyncExitStack, browser: Browse, place: str) -> list[Visitor]:
    """Return the browsers on their sign-in pages, filled in."""
    clients = [await opened.enter_async_context(browser()) for _ in CROWD]
    arrived = await asyncio.gather(*(Visitor(http).open(place) for http in clients))
    return [
        visitor.fill({"#email": email, "#password": PASSWORD})
        for visitor, email in zip(arrived, CROWD, strict=True)
    ]


def _sign_in(visitor: Visitor, email: str) -> Use:
    """Sign in and go on, to the library or to where we say why not."""
    submit = press(visitor, "#sign-in", {"email": email, "password": PASSWORD}).use

    async def use(http: httpx2.AsyncClient) -> Answer:
        answer = await submit(http)
        cookies = cookies_of(visitor, answer.cookies)
        while answer.headers.get("location", "").startswith("/"):
            answer = await http.get(answer.headers["location"], headers=cookies)
        return answer

    return use


def _each(uses: Iterable[Use]) -> Use:
    """Give each of those who race a browser of its own."""
    turns = iter(tuple(uses))

    async def use(http: httpx2.AsyncClient) -> Answer:
        return await next(turns)(http)

    return use


CROWD_RACES: Mapping[str, Callable[[Course], Awaitable[Race]]] = {
    each.__name__: each for each in (pushed_sign_in, pushed_decision)
}
