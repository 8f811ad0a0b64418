"""With the database gone, what needs none still answers; all else says when to come back."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from http import HTTPStatus
from pathlib import Path
from urllib.parse import urlsplit

import httpx2
import pytest

from citizen_account.app import create_app
from citizen_account.bootstrap import Runtime, build_runtime
from citizen_account.domain.keys import LAST_KNOWN
from citizen_account.storage.unit_of_work import Database
from tests.conftest import client_of
from tests.factories import Clock, settings_for
from tests.journeys.steps import register
from tests.pages import Visitor
from tests.services import SECRET

Switch = Callable[[], Awaitable[None]]


@dataclass
class Cable:
    """A TCP proxy in front of PostgreSQL that can be cut and mended."""

    host: str
    port: int
    own_port: int = 0
    _server: asyncio.Server | None = None
    _open: set[asyncio.StreamWriter] = field(default_factory=set)

    async def mend(self) -> None:
        self._server = await asyncio.start_server(self._join, "127.0.0.1", self.own_port)
        self.own_port = self._server.sockets[0].getsockname()[1]

    async def cut(self) -> None:
        assert self._server is not None
        self._server.close()
        for writer in self._open:
            writer.transport.abort()
        await asyncio.sleep(0)

    async def _join(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection(self.host, self.port)
        self._open |= {writer, back}
        await asyncio.gather(_pass(reader, back), _pass(there, writer))


async def _pass(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while read := await source.read(65536):
            target.write(read)
            await target.drain()
    target.close()


@dataclass(frozen=True)
class Place:
    """A city whose database goes away and comes back."""

    runtime: Runtime
    http: httpx2.AsyncClient
    clock: Clock
    cut: Switch
    mend: Switch


@asynccontextmanager
async def reachable(
    url: str,
) -> AsyncIterator[tuple[str, Callable[[Database], tuple[Switch, Switch]]]]:
    """Yield the address to use, and what cuts and mends the way to it."""
    parts = urlsplit(url)
    if parts.scheme == "sqlite":
        file = Path(parts.path[1:]) if parts.path.startswith("//") else Path(parts.path)
        yield url, lambda database: _file_switches(file, database)
        return
    cable = Cable(str(parts.hostname), int(parts.port or 5432))
    await cable.mend()
    yield url.replace(f":{parts.port}/", f":{cable.own_port}/"), lambda _: (cable.cut, cable.mend)
    await cable.cut()


def _file_switches(file: Path, database: Database) -> tuple[Switch, Switch]:
    away = file.with_suffix(".away")

    def hide() -> None:
        file.rename(away)
        file.mkdir()

    def show() -> None:
        file.rmdir()
        away.rename(file)

    async def cut() -> None:
        # Who has the file open goes on with it: let go of it first.
        await database.close()
        await asyncio.to_thread(hide)

    async def mend() -> None:
        await asyncio.to_thread(show)

    return cut, mend


@pytest.fixture
async def place(database_url: str, clock: Clock) -> AsyncIterator[Place]:
    async with reachable(database_url) as (url, switches_for):
        runtime = build_runtime(settings_for(url), clock)
        cut, mend = switches_for(runtime.database)
        async with client_of(create_app(runtime)) as http:
            yield Place(runtime, http, clock, cut, mend)
        await runtime.database.close()


async def test_what_needs_no_database_answers_and_all_comes_back(place: Place) -> None:
    http, visitor = place.http, Visitor(place.http)
    await register(visitor, place.runtime)
    keys = (await http.get("/jwks")).json()
    static = visitor.page.find("link")[0].attributes["href"]
    await place.cut()
    place.clock.now += timedelta(minutes=2)

    for path in ("/.well-known/openid-configuration", "/health/live", static):
        assert (await http.get(path)).status_code == HTTPStatus.OK, path
    assert (await http.get("/jwks")).json() == keys
    ready = await http.get("/health/ready")
    assert (ready.status_code, ready.headers["retry-after"]) == (503, "5")
    await look_at_pages(http)
    await look_at_machines(http)

    await place.mend()
    place.clock.now += timedelta(seconds=10)
    assert (await http.get("/health/ready")).status_code == HTTPStatus.OK
    await visitor.open("/en/dashboard")
    assert visitor.path == "/en/dashboard", "the resident is still signed in"


async def look_at_pages(http: httpx2.AsyncClient) -> None:
    for path, words in (
        ("/sk/dashboard", "Účet je na chvíľu nedostupný"),
        ("/en/privacy", "The account is away for a moment"),
        ("/authorize?client_id=library", "The account is away for a moment"),
    ):
        answer = await http.get(path, headers={"Accept-Language": "en"})
        assert answer.status_code == HTTPStatus.SERVICE_UNAVAILABLE, path
        assert answer.headers["retry-after"] == "30"
        assert words in answer.text
        assert "temporarily_unavailable" in answer.text


async def look_at_machines(http: httpx2.AsyncClient) -> None:
    """RFC 6749 section 5.2, RFC 9457 section 3."""
    form = {"grant_type": "client_credentials"}
    for path in ("/token", "/introspect", "/revoke", "/par"):
        answer = await http.post(path, data={**form, "token": "x"}, auth=("library", SECRET))
        assert answer.status_code == HTTPStatus.SERVICE_UNAVAILABLE, path
        assert answer.json()["error"] == "temporarily_unavailable"
        assert answer.headers["retry-after"] == "30"
    problem = await http.get("/api/v1/services")
    assert problem.status_code == HTTPStatus.SERVICE_UNAVAILABLE
    assert problem.headers["content-type"] == "application/problem+json"
    assert problem.json()["type"].endswith(":temporarily_unavailable")


async def test_keys_are_not_published_for_ever(place: Place) -> None:
    assert (await place.http.get("/jwks")).status_code == HTTPStatus.OK
    await place.cut()
    place.clock.now += LAST_KNOWN + timedelta(seconds=1)
    answer = await place.http.get("/jwks")
    assert answer.status_code == HTTPStatus.SERVICE_UNAVAILABLE
    await place.mend()


async def test_account_that_never_saw_its_database_says_so(place: Place) -> None:
    await place.cut()
    assert (await place.http.get("/jwks")).status_code == HTTPStatus.SERVICE_UNAVAILABLE
    assert (await place.http.get("/health/live")).status_code == HTTPStatus.OK
    await place.mend()
    assert (await place.http.get("/jwks")).status_code == HTTPStatus.OK
