"""A client is not read again for each token of its own; what has changed counts all the same."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from importlib import import_module

import httpx2
import pytest
from sqlalchemy import func, select

from citizen_account.bootstrap import Runtime
from citizen_account.domain.transactions import LostRaceError
from citizen_account.storage import recollection
from citizen_account.storage.grants import TokenRow
from citizen_account.storage.recollection import Recollection
from citizen_account.storage.unit_of_work import Database
from citizen_account.usecases.clients import disable_client
from citizen_account.usecases.resources import disable_resource
from tests.authorization_facts import LIBRARY
from tests.factories import Clock
from tests.relying_party import Party
from tests.resource_servers import GRANT_TYPES, PARKING, SCOPE, register_api
from tests.services import register
from tests.statements import statements

ASKED = {"scope": "parking.read"}
NEW_SECRET = "another-invented-secret-of-forty-characters"
Change = Callable[[Runtime], Awaitable[object]]


async def _disable(runtime: Runtime) -> None:
    async with runtime.database.begin() as uow:
        await disable_client(uow, LIBRARY.id)


def _registering(**changes: object) -> Change:
    registered = {"grant_types": GRANT_TYPES, "scope": SCOPE, **changes}
    return lambda runtime: register(runtime, **registered)


async def _count(database: Database) -> int:
    async with database.engines.reader.connect() as connection:
        found: int = (
            await connection.execute(select(func.count()).select_from(TokenRow))
        ).scalar_one()
        return found


@pytest.mark.parametrize(
    ("change", "error"),
    [
        (_disable, "invalid_client"),
        (_registering(client_secret=NEW_SECRET), "invalid_client"),
        (_registering(scope="openid parking.write"), "invalid_scope"),
        (_registering(grant_types=["authorization_code"]), "unauthorized_client"),
    ],
    ids=["disabled", "secret", "scope", "grant type"],
)
async def test_what_was_taken_away_is_gone_at_once(
    runtime: Runtime, library: Party, parking: Party, change: Change, error: str
) -> None:
    assert parking
    for _ in range(2):
        assert (await library.ask_for_itself(ASKED)).status_code == 200
    await change(runtime)
    for _ in range(2):
        assert (await library.ask_for_itself(ASKED)).json()["error"] == error
    assert await _count(runtime.database) == 2


async def test_what_was_given_is_there_at_once(
    runtime: Runtime, http: httpx2.AsyncClient, library: Party, parking: Party
) -> None:
    """A refusal rests on what the client is now as well."""
    assert parking
    new_words = Party(http, LIBRARY.id, NEW_SECRET)
    wider = {"scope": "buses.read"}
    assert (await library.ask_for_itself(ASKED)).status_code == 200
    assert (await new_words.ask_for_itself(ASKED)).json()["error"] == "invalid_client"
    assert (await library.ask_for_itself(wider)).json()["error"] == "invalid_scope"
    await _registering(client_secret=NEW_SECRET, scope=f"{SCOPE} buses.read")(runtime)
    assert (await new_words.ask_for_itself(wider)).status_code == 200


async def test_a_resource_that_was_disabled_is_gone_at_once(
    runtime: Runtime, library: Party, parking: Party
) -> None:
    assert parking
    asked = {**ASKED, "resource": PARKING}
    await register_api(runtime, access_token_format="jwt")
    for _ in range(2):
        assert (await library.ask_for_itself(asked)).json()["access_token"].count(".") == 2
    await register_api(runtime, access_token_format="opaque")
    assert "." not in (await library.ask_for_itself(asked)).json()["access_token"]
    async with runtime.database.begin() as uow:
        await disable_resource(uow, PARKING)
    assert (await library.ask_for_itself(asked)).json()["error"] == "invalid_target"


@pytest.mark.parametrize("access_token_format", ["opaque", "jwt"])
async def test_token_that_was_issued_while_its_client_was_shut_out_is_dead(
    runtime: Runtime, library: Party, parking: Party, clock: Clock, access_token_format: str
) -> None:
    """Who came before it was done may still get one, but it opens nothing."""
    await register_api(runtime, access_token_format=access_token_format)
    asked = {**ASKED, "resource": PARKING}
    assert (await library.ask_for_itself(asked)).status_code == 200
    async with runtime.database.begin() as uow:
        await disable_client(uow, LIBRARY.id)
        asking = asyncio.create_task(library.ask_for_itself(asked))
        await asyncio.sleep(0.3)
    answer = await asking
    clock.now += timedelta(minutes=5)
    if answer.status_code == 200:
        token = answer.json()["access_token"]
        assert (await parking.introspect(token)).json() == {"active": False}


async def test_what_a_stranger_names_drives_nobody_out(
    runtime: Runtime, http: httpx2.AsyncClient, library: Party, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recollection, "MOST", 4)
    await _registering()(runtime)
    assert (await library.ask_for_itself(ASKED)).status_code == 200
    stranger = Party(http, LIBRARY.id, NEW_SECRET)
    for number in range(8):
        asked = {**ASKED, "resource": f"https://api{number}.example"}
        assert (await stranger.ask_for_itself(asked)).status_code == 401
    with statements(runtime.database) as seen:
        assert (await library.ask_for_itself(ASKED)).status_code == 200
    is_postgres = runtime.database.engines.writer.dialect.name == "postgresql"
    assert len(seen) == (1 if is_postgres else 4)


async def test_one_statement_is_all_that_a_second_token_takes(
    runtime: Runtime, library: Party, parking: Party
) -> None:
    assert parking
    assert (await library.ask_for_itself(ASKED)).status_code == 200
    with statements(runtime.database) as seen:
        assert (await library.ask_for_itself(ASKED)).status_code == 200
    is_postgres = runtime.database.engines.writer.dialect.name == "postgresql"
    assert seen == (["WITH"] if is_postgres else ["SELECT", *["INSERT"] * 3])


async def test_who_loses_again_and_again_is_asked_to_come_back(
    library: Party, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def lose(*_: object) -> None:
        raise LostRaceError

    # The package names the endpoint like its module.
    module = import_module("citizen_account.web.oidc.token")
    monkeypatch.setattr(module, "answer_token_request", lose)
    answer = await library.ask_for_itself(ASKED)
    assert (answer.status_code, "retry-after" in answer.headers) == (503, True)


def test_nothing_is_recalled_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    kept = Recollection()
    kept.keep("library", (LIBRARY, None), "7 none")
    found = kept.recall("library")
    assert found is not None
    assert (found.found, found.version) == ((LIBRARY, None), "7 none")
    monkeypatch.setattr(recollection, "MAX_AGE_SECONDS", -1.0)
    kept.keep("library", (LIBRARY, None), "7 none")
    assert kept.recall("library") is None


def test_no_more_is_kept_than_there_is_room_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recollection, "MOST", 2)
    kept = Recollection()
    for name in ("a", "b", "c"):
        kept.keep(name, (LIBRARY, None), "7 none")
    assert [name for name in ("a", "b", "c") if kept.recall(name)] == ["c"]
    kept.forget()
    assert kept.recall("c") is None
