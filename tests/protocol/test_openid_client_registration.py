"""RFC 7591 with npm's openid-client: a library that nobody here wrote registers itself."""

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from citizen_account.bootstrap import build_runtime, utc_now
from tests.factories import settings_for
from tests.javascript import find_node, run_node
from tests.registering import initial_token
from tests.servers import Server, serve

REDIRECT_URI = "https://library.example/callback"


@pytest.fixture
async def server(database_url: str) -> AsyncIterator[Server]:
    find_node()
    with serve(database_url, registration="token") as [running]:
        yield running


async def test_library_registers_itself_once_by_its_token(
    server: Server, database_url: str
) -> None:
    city = build_runtime(settings_for(database_url, issuer=server.issuer), utc_now)
    token = await initial_token(city)
    await city.database.close()
    done: dict[str, Any] = run_node(
        "registration_client.mjs",
        ISSUER=server.issuer,
        INITIAL_TOKEN=token,
        REDIRECT_URI=REDIRECT_URI,
    )
    known = done["known"]
    assert known["redirect_uris"] == [REDIRECT_URI]
    assert known["registration_client_uri"] == f"{server.issuer}/register/{known['client_id']}"
    assert known["registration_access_token"]
    assert known["client_secret"] not in json.dumps(done["described"])
    assert done["described"] == {"active": False}
    assert done["refused"] == "invalid_token"
