"""How much a request asks of the database: the figure that throughput hangs on."""

from collections.abc import Iterator
from contextlib import contextmanager

import httpx2
import pytest
from sqlalchemy import event

from citizen_account.bootstrap import Runtime
from citizen_account.storage.unit_of_work import Database
from tests.relying_party import Party
from tests.services import GRANT, SECRET, authorize, open_account, register

GRANT_TYPES = ["authorization_code", "refresh_token", "client_credentials"]


@pytest.fixture
async def library(runtime: Runtime, http: httpx2.AsyncClient) -> Party:
    assert GRANT.account_id is not None
    await open_account(runtime, GRANT.account_id)
    await register(runtime, grant_types=GRANT_TYPES, scope="openid profile email cases.read")
    await runtime.keys.load()
    return Party(http, "library", SECRET)


@contextmanager
def statements(database: Database) -> Iterator[list[str]]:
    """Yield the verbs that are sent inside the block."""
    seen: list[str] = []

    def note(*sent: object) -> None:
        verb = str(sent[2]).split()[0]
        if verb != "BEGIN":
            seen.append(verb)

    writer, reader = database.engines.writer.sync_engine, database.engines.reader.sync_engine
    # On PostgreSQL the reader is the writer with other options, and shares its events.
    watched = [writer] if reader.pool is writer.pool else [writer, reader]
    for engine in watched:
        event.listen(engine, "before_cursor_execute", note)
    yield seen
    for engine in watched:
        event.remove(engine, "before_cursor_execute", note)


async def test_redemption(runtime: Runtime, database: Database, library: Party) -> None:
    code = await authorize(runtime)
    with statements(database) as seen:
        assert (await library.redeem(code)).status_code == 200
    assert seen == [
        *("SELECT", "SELECT"),  # the client, the code with its grant
        *("UPDATE", "INSERT"),  # the code used, the tokens
        *("INSERT", "INSERT"),  # the access log, the audit row
    ]


async def test_refresh(runtime: Runtime, database: Database, library: Party) -> None:
    issued = (await library.redeem(await authorize(runtime))).json()
    with statements(database) as seen:
        assert (await library.refresh(issued["refresh_token"])).status_code == 200
    assert seen == ["SELECT", "SELECT", "UPDATE", "INSERT", "INSERT", "INSERT"]


async def test_client_credentials(database: Database, library: Party) -> None:
    with statements(database) as seen:
        assert (await library.ask_for_itself()).status_code == 200
    assert seen == [
        "SELECT",  # the client
        *("INSERT", "INSERT", "INSERT"),  # the grant, the token, the audit row
    ]


async def test_userinfo_and_introspection_only_read(
    runtime: Runtime, database: Database, library: Party
) -> None:
    issued = (await library.redeem(await authorize(runtime))).json()
    with statements(database) as seen:
        assert (await library.userinfo(issued["access_token"])).status_code == 200
    assert seen == ["SELECT", "SELECT", "SELECT"]  # the token with its grant, client, account
    with statements(database) as seen:
        assert (await library.introspect(issued["access_token"])).status_code == 200
    assert seen == ["SELECT", "SELECT"]  # the client, the token with its grant


async def test_discovery_and_keys_ask_nothing(database: Database, library: Party) -> None:
    with statements(database) as seen:
        for path in ("/.well-known/openid-configuration", "/jwks"):
            assert (await library.http.get(path)).status_code == 200
    assert seen == []
