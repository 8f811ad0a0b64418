"""How much a request asks of the database: the figure that throughput hangs on."""

import httpx2
import pytest

from citizen_account.bootstrap import Runtime
from citizen_account.domain.grants import GrantEnd
from citizen_account.storage.direct import ReadingOnlyError
from citizen_account.storage.unit_of_work import Database
from tests.factories import PASSWORD
from tests.journeys.steps import JANA
from tests.pages import Visitor
from tests.relying_party import Party
from tests.resource_servers import PARKING, SCOPE, register_api
from tests.services import GRANT, SECRET, authorize, open_account, register
from tests.statements import statements

GRANT_TYPES = ["authorization_code", "refresh_token", "client_credentials"]


@pytest.fixture
async def library(runtime: Runtime, http: httpx2.AsyncClient) -> Party:
    assert GRANT.account_id is not None
    await open_account(runtime, GRANT.account_id)
    await register(runtime, grant_types=GRANT_TYPES, scope="openid profile email cases.read")
    await runtime.keys.load()
    return Party(http, "library", SECRET)


def inserts(database: Database, count: int) -> list[str]:
    """Return how they go: on PostgreSQL together, as each would cost a round trip."""
    is_postgres = database.engines.writer.dialect.name == "postgresql"
    return ["WITH"] if is_postgres else ["INSERT"] * count


def use_and_insert(database: Database, count: int) -> list[str]:
    is_postgres = database.engines.writer.dialect.name == "postgresql"
    return ["WITH"] if is_postgres else ["UPDATE", *["INSERT"] * count]


async def test_redemption(runtime: Runtime, database: Database, library: Party) -> None:
    code = await authorize(runtime)
    with statements(database) as seen:
        assert (await library.redeem(code)).status_code == 200
    # The client, the code and its grant; the code used, two tokens, access log and audit row.
    assert seen == ["SELECT", *use_and_insert(database, 4)]


async def test_refresh(runtime: Runtime, database: Database, library: Party) -> None:
    issued = (await library.redeem(await authorize(runtime))).json()
    with statements(database) as seen:
        assert (await library.refresh(issued["refresh_token"])).status_code == 200
    assert seen == ["SELECT", *use_and_insert(database, 4)]


async def test_client_credentials(database: Database, library: Party) -> None:
    with statements(database) as seen:
        assert (await library.ask_for_itself()).status_code == 200
    # The client; the grant, the token, the audit row.
    assert seen == ["SELECT", *inserts(database, 3)]


async def test_client_s_own_jwt_is_written_nowhere_but_in_the_trail(
    runtime: Runtime, database: Database, library: Party
) -> None:
    await register(runtime, grant_types=GRANT_TYPES, scope=SCOPE)
    await register_api(runtime, access_token_format="jwt")
    with statements(database) as seen:
        answer = await library.ask_for_itself({"scope": "parking.read", "resource": PARKING})
    # The client with the resource server; the audit row.
    assert seen == ["SELECT", "INSERT"]
    with statements(database) as seen:
        assert (await library.introspect(answer.json()["access_token"])).json()["active"] is True
    assert seen == ["SELECT"]  # the client, and no token


async def test_sign_in(runtime: Runtime, database: Database, http: httpx2.AsyncClient) -> None:
    assert GRANT.account_id is not None
    await open_account(runtime, GRANT.account_id)
    stored = await runtime.hasher.hash(PASSWORD)
    async with database.begin() as uow:
        await uow.credentials.save_password(GRANT.account_id, stored, uow.now)
    visitor = await Visitor(http).open("/en/sign-in")
    form = {"form_token": visitor.value("form_token"), "email": JANA, "password": PASSWORD}
    with statements(database) as seen:
        assert (await http.post("/en/sign-in", data=form)).status_code == 303
    # The tries; the account with her password and whether the device is known; what a success
    # takes back, the session, the audit row.
    assert seen[:2] == ["INSERT", "SELECT"]
    assert "SELECT" not in seen[2:]
    assert len(seen[2:]) == len(inserts(database, 4))


async def test_userinfo_and_introspection_only_read(
    runtime: Runtime, database: Database, library: Party
) -> None:
    issued = (await library.redeem(await authorize(runtime))).json()
    with statements(database) as seen:
        assert (await library.userinfo(issued["access_token"])).status_code == 200
    assert seen == ["SELECT"]  # the token with its grant, client and account
    with statements(database) as seen:
        assert (await library.introspect(issued["access_token"])).status_code == 200
    assert seen == ["SELECT"]  # the client, the token with its grant


async def test_hot_transaction_that_fails_leaves_nothing(
    runtime: Runtime, database: Database
) -> None:
    assert GRANT.account_id is not None
    await open_account(runtime, GRANT.account_id)
    await register(runtime)

    async def fail() -> None:
        async with database.begin_hot() as uow:
            await uow.grants.add(GRANT)
            # Whoever asks sees what was written before.
            assert await uow.grants.end(GRANT.id, GrantEnd.REVOKED, uow.now)
            raise LookupError

    with pytest.raises(LookupError):
        await fail()
    async with database.begin_hot() as uow:
        assert not await uow.grants.end(GRANT.id, GrantEnd.REVOKED, uow.now)
        # Kept by the end of the block, as one statement.
        await uow.grants.add(GRANT)
    async with database.begin_hot() as uow:
        assert await uow.grants.end(GRANT.id, GrantEnd.REVOKED, uow.now)


async def test_reader_cannot_write(database: Database) -> None:
    async with database.read() as uow:
        with pytest.raises(ReadingOnlyError):
            await uow.grants.end(GRANT.id, GrantEnd.REVOKED, uow.now)


async def test_discovery_and_keys_ask_nothing(database: Database, library: Party) -> None:
    with statements(database) as seen:
        for path in ("/.well-known/openid-configuration", "/jwks"):
            assert (await library.http.get(path)).status_code == 200
    assert seen == []
