"""oidcc-3rdparty-init-login: the address at which a client lets others begin a sign-in."""

from collections.abc import AsyncIterator

import httpx2
import pytest

from citizen_account.app import create_app
from citizen_account.bootstrap import Runtime, build_runtime
from tests.conftest import client_of
from tests.factories import Clock, settings_for

ADDRESS = "https://suite.example/test/a/citizen/initiate_login"
METADATA = {"redirect_uris": ["https://suite.example/test/a/citizen/callback"]}


@pytest.fixture
async def runtime(sqlite_url: str, clock: Clock) -> AsyncIterator[Runtime]:
    """Yield a city where anybody may register a client, as the dynamic plans need it."""
    built = build_runtime(settings_for(sqlite_url, registration="open"), clock)
    yield built
    await built.database.close()


@pytest.fixture
async def open_http(runtime: Runtime) -> AsyncIterator[httpx2.AsyncClient]:
    async with client_of(create_app(runtime)) as client:
        yield client


async def test_https_address_is_kept_and_shown(open_http: httpx2.AsyncClient) -> None:
    asked = {**METADATA, "initiate_login_uri": ADDRESS}
    answer = await open_http.post("/register", json=asked)
    assert answer.status_code == 201, answer.text
    registered = answer.json()
    assert registered["initiate_login_uri"] == ADDRESS
    # RFC 7592 section 2.1.
    headers = {"Authorization": f"Bearer {registered['registration_access_token']}"}
    shown = await open_http.get(registered["registration_client_uri"], headers=headers)
    assert shown.json()["initiate_login_uri"] == ADDRESS


async def test_http_address_is_refused(open_http: httpx2.AsyncClient) -> None:
    asked = {**METADATA, "initiate_login_uri": ADDRESS.replace("https", "http")}
    answer = await open_http.post("/register", json=asked)
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_client_metadata")
