"""RFC 7592: a client reads, changes and ends its own registration."""

import httpx2
import pytest

from citizen_account.bootstrap import Runtime
from citizen_account.domain.clients import Approval, ClientId
from citizen_account.domain.events import ClientChanged, ClientLeft, ClientRegistered
from citizen_account.domain.registrations import PENDING_LIFETIME, RegistrationMode
from citizen_account.usecases.approvals import let_in
from citizen_account.usecases.clients import disable_client
from citizen_account.usecases.registration import forget_old_registrations
from tests.authorizing import allow
from tests.factories import REDIRECT_URI, VERIFIER, Clock
from tests.journeys.steps import register as open_account
from tests.pages import Visitor
from tests.registering import MINIMAL, Registered, opened
from tests.relying_party import Party
from tests.services import GRANT, register

OTHER_URI = "https://library.example/other"


@pytest.fixture
def mode() -> RegistrationMode:
    return RegistrationMode.OPEN


@pytest.fixture
def runtime(runtime: Runtime, mode: RegistrationMode) -> Runtime:
    return opened(runtime, mode)


@pytest.fixture
async def client(http: httpx2.AsyncClient) -> Registered:
    return await Registered.new(http, {**MINIMAL, "client_name": "Library"})


def error_of(answer: httpx2.Response) -> tuple[int, str]:
    assert answer.headers["cache-control"] == "no-store"
    return answer.status_code, answer.json()["error"]


async def test_2_1_client_reads_itself(client: Registered) -> None:
    answer = await client.ask("GET")
    assert answer.status_code == 200
    # OIDC Registration section 4.3: the secret need not be told again; only its digest is kept.
    secrets = {"client_secret", "client_secret_expires_at"}
    told = {name: value for name, value in client.body.items() if name not in secrets}
    assert answer.json() == told


async def test_2_token_opens_its_own_client_alone(
    runtime: Runtime, http: httpx2.AsyncClient, client: Registered
) -> None:
    other = await Registered.new(http)
    for method in ("GET", "PUT", "DELETE"):
        body = {"client_id": client.client_id, **MINIMAL} if method == "PUT" else None
        for token in ("guessed", other.body["registration_access_token"]):
            answer = await client.ask(method, body, token)
            assert error_of(answer) == (401, "invalid_token")
            assert "invalid_token" in answer.headers["www-authenticate"]
    # RFC 6750 section 2.3: a token in the address is never looked at.
    token = client.body["registration_access_token"]
    bare = await http.get(f"/register/{client.client_id}?access_token={token}")
    assert error_of(bare) == (401, "invalid_token")
    # A service of the operator's is not to be had by it, nor one that does not exist.
    await register(runtime)
    for client_id in ("library", "nobody"):
        answer = await http.get(
            f"/register/{client_id}", headers={"Authorization": f"Bearer {token}"}
        )
        assert error_of(answer) == (401, "invalid_token")


async def test_2_2_update_replaces_everything(client: Registered) -> None:
    changed = {"client_id": client.client_id, "redirect_uris": [OTHER_URI]}
    answer = await client.ask("PUT", changed)
    assert answer.status_code == 200
    body = answer.json()
    assert body["redirect_uris"] == [OTHER_URI]
    # What is left out is gone; the token, the id and the secret stay as they are.
    assert body["client_name"] == "library.example"
    assert body["registration_access_token"] == client.body["registration_access_token"]
    assert "client_secret" not in body
    party = Party(client.http, client.client_id, client.body["client_secret"])
    known = await party.introspect("any")
    assert known.status_code == 200
    assert (await client.ask("GET")).json() == body


async def test_2_2_what_was_read_may_be_sent_back(client: Registered) -> None:
    read = (await client.ask("GET")).json()
    answer = await client.ask("PUT", {**read, "client_secret": client.body["client_secret"]})
    assert answer.status_code == 200
    assert answer.json() == read


@pytest.mark.parametrize(
    "wrong",
    [
        {"client_id": None},
        {"client_id": "another"},
        {"client_secret": "chosen-by-the-client-itself-and-long-enough"},
        {"client_secret": 7},
        {"token_endpoint_auth_method": "private_key_jwt"},
    ],
)
async def test_2_2_update_is_refused_and_changes_nothing(
    client: Registered, wrong: dict[str, object]
) -> None:
    before = (await client.ask("GET")).json()
    answer = await client.ask("PUT", {"client_id": client.client_id, **MINIMAL, **wrong})
    assert error_of(answer) == (400, "invalid_client_metadata")
    bad = {"client_id": client.client_id, "redirect_uris": ["http://library.example/"]}
    assert error_of(await client.ask("PUT", bad)) == (400, "invalid_redirect_uri")
    assert (await client.ask("GET")).json() == before


async def test_2_2_client_that_gets_a_method_with_a_secret_is_told_it(
    http: httpx2.AsyncClient,
) -> None:
    public = await Registered.new(http, {**MINIMAL, "token_endpoint_auth_method": "none"})
    assert "client_secret" not in public.body
    changed = {"client_id": public.client_id, **MINIMAL}
    body = (await public.ask("PUT", changed)).json()
    party = Party(http, public.client_id, body["client_secret"])
    assert (await party.introspect("any")).status_code == 200


async def test_2_3_client_that_leaves_is_gone_with_its_tokens(
    runtime: Runtime, http: httpx2.AsyncClient, client: Registered
) -> None:
    visitor = Visitor(http)
    await open_account(visitor, runtime)
    received = await allow(visitor, {"client_id": client.client_id})
    party = Party(http, client.client_id, client.body["client_secret"])
    issued = await party.redeem(received["code"], {"code_verifier": VERIFIER})
    answer = await client.ask("DELETE")
    assert (answer.status_code, answer.content) == (204, b"")
    assert answer.headers["cache-control"] == "no-store"
    assert error_of(await client.ask("GET")) == (401, "invalid_token")
    assert error_of(await client.ask("DELETE")) == (401, "invalid_token")
    assert error_of(await party.introspect("any")) == (401, "invalid_client")
    assert (await party.userinfo(issued.json()["access_token"])).status_code == 401
    # Residents' records name it: the row stays, and opens nothing.
    async with runtime.database.read() as uow:
        left = await uow.clients.find(ClientId(client.client_id))
        trail = {entry.event for entry in await uow.audit.page(before=None, size=50)}
    assert left is not None
    assert (left.is_disabled, left.approval) == (True, Approval.LEFT)
    assert {ClientRegistered.code, ClientLeft.code} <= trail


async def test_2_3_client_that_nobody_met_leaves_nothing(
    runtime: Runtime, client: Registered
) -> None:
    assert (await client.ask("DELETE")).status_code == 204
    async with runtime.database.read() as uow:
        assert await uow.clients.find(ClientId(client.client_id)) is None


async def test_client_that_the_operator_imports_again_is_the_operators(
    runtime: Runtime, client: Registered
) -> None:
    await register(runtime, client_id=client.client_id)
    assert error_of(await client.ask("GET")) == (401, "invalid_token")


async def test_client_that_the_operator_shut_out_cannot_let_itself_in(
    runtime: Runtime, client: Registered
) -> None:
    async with runtime.database.begin() as uow:
        assert await disable_client(uow, client.client_id)
    changed = {"client_id": client.client_id, **MINIMAL}
    assert (await client.ask("PUT", changed)).status_code == 200
    party = Party(client.http, client.client_id, client.body["client_secret"])
    assert error_of(await party.introspect("any")) == (401, "invalid_client")


@pytest.mark.parametrize("mode", [RegistrationMode.QUEUE])
async def test_what_was_approved_is_looked_at_again_when_it_changes(
    runtime: Runtime, client: Registered
) -> None:
    assert GRANT.account_id is not None
    async with runtime.database.begin() as uow:
        assert await let_in(uow, GRANT.account_id, ClientId(client.client_id), "")
    same = {"client_id": client.client_id, **MINIMAL, "client_name": "Library"}
    own_affairs = {**same, "contacts": ["team@library.example"]}
    assert (await client.ask("PUT", own_affairs)).json()["registration_status"] == "approved"
    for change in ({"client_name": "City Hall"}, {"redirect_uris": [REDIRECT_URI, OTHER_URI]}):
        answer = await client.ask("PUT", {**same, **change})
        assert answer.json()["registration_status"] == "pending"
        party = Party(client.http, client.client_id, client.body["client_secret"])
        assert error_of(await party.introspect("any")) == (400, "unauthorized_client")
        async with runtime.database.begin() as uow:
            assert await let_in(uow, GRANT.account_id, ClientId(client.client_id), "")
    async with runtime.database.read() as uow:
        trail = [entry.event for entry in await uow.audit.page(before=None, size=50)]
    assert trail.count(ClientChanged.code) == 3


@pytest.mark.parametrize("mode", [RegistrationMode.QUEUE])
async def test_client_that_nobody_let_in_is_forgotten(
    runtime: Runtime, client: Registered, clock: Clock
) -> None:
    clock.now += PENDING_LIFETIME
    async with runtime.database.begin() as uow:
        await forget_old_registrations(uow)
    assert (await client.ask("GET")).status_code == 200
    clock.now += PENDING_LIFETIME / 90
    async with runtime.database.begin() as uow:
        await forget_old_registrations(uow)
    assert error_of(await client.ask("GET")) == (401, "invalid_token")
