"""Front-Channel Logout 1.0 in a real browser: the frame is loaded, and the page goes on."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from uuid import UUID

import pytest

from citizen_account.bootstrap import build_runtime
from citizen_account.domain.accounts import PASSWORD, AccountId
from citizen_account.domain.clients import ClientId
from citizen_account.usecases.sign_in import open_session
from citizen_account.web.cookies import name_of
from tests.browser import new_page, run_browser
from tests.factories import Clock, settings_for
from tests.servers import serve
from tests.services import open_account, register

pytestmark = pytest.mark.slow

RESIDENT = AccountId(UUID(int=1))


@dataclass
class Service:
    """A service's site: remembers which of its pages a browser opened."""

    port: int = 0
    opened: list[str] = field(default_factory=list)

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.opened.append((await reader.readuntil(b"\r\n\r\n")).decode().split()[1])
        body = b"<!DOCTYPE html><title>Library</title><h1>Bye</h1>"
        head = f"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: {len(body)}\r\n\r\n"
        writer.write(head.encode() + body)
        await writer.drain()
        writer.close()


@asynccontextmanager
async def listening() -> AsyncIterator[Service]:
    service = Service()
    server = await asyncio.start_server(service.answer, "127.0.0.1", 0)
    service.port = server.sockets[0].getsockname()[1]
    async with server:
        yield service


async def test_browser_without_javascript_tells_the_service_and_goes_on(sqlite_url: str) -> None:
    async with listening() as service, run_browser() as browser:
        with serve(sqlite_url) as [server]:
            runtime = build_runtime(
                settings_for(sqlite_url, issuer=server.issuer), Clock(datetime.now(UTC))
            )
            site = f"http://localhost:{service.port}"
            await open_account(runtime, RESIDENT)
            await register(
                runtime,
                redirect_uris=[f"{site}/callback"],
                frontchannel_logout_uri=f"{site}/logout",
            )
            async with runtime.database.begin() as uow:
                opened = await open_session(
                    uow,
                    RESIDENT,
                    PASSWORD,
                    user_agent="",
                    old_session_secret=None,
                    limits=runtime.session_limits,
                )
                session = opened.session
                library = ClientId("library")
                await uow.client_sessions.record(session.id, library, RESIDENT, uow.now)
            name = name_of(runtime, "session")
            await runtime.database.close()
            async with new_page(browser, has_scripts=False) as page:
                cookie = {"name": name, "value": opened.secret, "url": server.issuer}
                await page.context.add_cookies([cookie])  # type: ignore[list-item]  # a TypedDict
                await page.goto(f"{server.issuer}/en/security")
                await page.click("#sign-out")
                await page.wait_for_url("**/en/signed-out")
            [told] = [path for path in service.opened if path.startswith("/logout")]
            assert "iss=" in told
            assert "sid=" in told
