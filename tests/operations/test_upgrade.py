"""Upgrade at noon: the version before and this one serve together on one database."""

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qsl, urlencode, urlsplit

import httpx2
import pytest
from joserfc import jwt
from joserfc.jwk import KeySet

from citizen_account import migrations
from citizen_account.bootstrap import build_runtime
from citizen_account.cli.failures import CommandError, require_tables
from citizen_account.demo.connectors import TEMPLATE
from citizen_account.demo.emulators.access import Access
from tests.authorizing import request_fields
from tests.factories import PASSWORD, code_in_text, settings_for
from tests.linked_city import letters_for
from tests.operations.releases import bring_back, find_version_before
from tests.pages import Visitor
from tests.postgres import free_port
from tests.relying_party import Party
from tests.servers import PROGRAM, environment_variables, process, wait_until_ready
from tests.services import SECRET, register

PATIENCE_SECONDS = 30
# What the operator of the version before did: tables, keys, and a service.
PREPARE = """
import asyncio, json, sys
from citizen_account import migrations
from citizen_account.bootstrap import build_runtime
from citizen_account.settings import Settings
from citizen_account.usecases.clients import import_client
from citizen_account.usecases.keys import ensure_keys

async def prepare():
    settings = Settings()
    await migrations.upgrade(settings.database_url.get_secret_value())
    runtime = build_runtime(settings)
    async with runtime.database.begin() as uow:
        await ensure_keys(uow)
        await import_client(uow, json.loads(sys.argv[1]), is_development=True)
    await runtime.database.close()

asyncio.run(prepare())
"""
SYSTEMS = """
import sys
from pathlib import Path
import uvicorn
from citizen_account.demo.emulators.app import build_systems

app = build_systems(links_file=Path(sys.argv[2])).app
uvicorn.run(app, port=int(sys.argv[1]), log_config=None)
"""
SERVICE = {
    "client_id": "library",
    "client_secret": SECRET,
    "client_name": "Library",
    "redirect_uris": ["https://library.example/callback"],
    "grant_types": ["authorization_code", "refresh_token"],
    "scope": "openid profile email phone offline_access",
}

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        find_version_before() is None, reason="the version before is not in this copy's history"
    ),
]


@dataclass(frozen=True)
class Noon:
    """Both versions on one database, in the middle of an upgrade."""

    issuer: str
    database_url: str
    ports: Sequence[int]
    """The version before, and this one."""

    @asynccontextmanager
    async def browser(self, first: int) -> AsyncIterator[httpx2.AsyncClient]:
        """Yield a client whose every request goes to the other version than the one before it."""
        turn = Alternating([*self.ports[first:], *self.ports[:first]])
        async with httpx2.AsyncClient(transport=turn, base_url=self.issuer, timeout=30) as http:
            yield http


class Alternating(httpx2.AsyncHTTPTransport):
    """A load balancer that is fair to the point of unkindness."""

    def __init__(self, ports: Sequence[int]) -> None:
        super().__init__()
        self._ports = ports
        self._asked = 0

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        port = self._ports[self._asked % len(self._ports)]
        self._asked += 1
        moved = httpx2.Request(
            request.method,
            request.url.copy_with(port=port),
            headers=request.headers,
            stream=request.stream,
            extensions=request.extensions,
        )
        return await super().handle_async_request(moved)


@pytest.fixture(scope="module")
def before(tmp_path_factory: pytest.TempPathFactory) -> Path:
    version = find_version_before()
    assert version is not None
    return bring_back(version, tmp_path_factory.mktemp("before"))


@pytest.fixture
def systems(tmp_path: Path) -> Iterator[Path]:
    """Run the city's systems, and yield what the operator wrote of them."""
    port, file = free_port(), tmp_path / "connectors.toml"
    here = f"http://localhost:{port}"
    file.write_text(TEMPLATE.format(here=here, keys=Access()), encoding="utf-8")
    command = ["-c", SYSTEMS, str(port), str(tmp_path / "links.json")]
    with process(command, {}) as started:
        wait_until_ready(here, started)
        yield file


@pytest.fixture
def noon(empty_database_url: str, before: Path, systems: Path) -> Iterator[Noon]:
    ports = [free_port(), free_port()]
    issuer = f"http://localhost:{ports[0]}"
    changes = {"issuer": issuer, "connectors_file": str(systems)}
    variables = environment_variables(empty_database_url, **changes)
    old = {**variables, "PYTHONPATH": str(before)}
    prepare = [sys.executable, "-c", PREPARE, json.dumps(SERVICE)]
    subprocess.run(prepare, env=os.environ | old, cwd=before, check=True)
    asyncio.run(upgrade(empty_database_url, issuer))
    with ExitStack() as running:
        for port, variables_of, more in (
            (ports[0], old, ["--no-worker"]),
            # The new worker is started first: it knows the errands of both.
            (ports[1], variables, []),
        ):
            command = [*PROGRAM, "serve", "--port", str(port), *more]
            folder = Path(variables_of.get("PYTHONPATH", Path.cwd()))
            server = running.enter_context(process(command, variables_of, folder))
            wait_until_ready(f"http://localhost:{port}", server, "/health/ready")
        yield Noon(issuer, empty_database_url, ports)


async def upgrade(url: str, issuer: str) -> None:
    """Do what the operator does, after what he must not do: start the new version too early."""
    settings = settings_for(url, issuer=issuer)
    with pytest.raises(CommandError, match="Run first: citizen-account db upgrade"):
        await require_tables(settings)
    await migrations.upgrade(url)
    await require_tables(settings)
    runtime = build_runtime(settings)
    await register(runtime, client_id="theatre")
    await runtime.database.close()


async def find_two_versions(noon: Noon) -> None:
    """Be sure that the journey meets both: they do not offer the same."""
    address = "/.well-known/openid-configuration"
    async with noon.browser(0) as http:
        before, now = [(await http.get(address)).json() for _ in noon.ports]
    assert before["issuer"] == now["issuer"]
    assert set(now) > set(before)


async def visit(noon: Noon, first: int, service: str) -> None:
    async with noon.browser(first) as http, noon.browser(1 - first) as back_channel:
        visitor, party = Visitor(http), Party(back_channel, service, SECRET)
        email = f"resident{first}@example.sk"
        await join(visitor, email)
        await link_permits(visitor, letters_for("permits")[first])
        tokens = await let_in(visitor, party)
        await use(party, tokens)
        await withdraw(visitor, party, tokens["refresh_token"])
        await visitor.open("/en/dashboard")
        await visitor.press("#sign-out")
        for _ in noon.ports:
            await visitor.open("/en/dashboard")
            assert visitor.path == "/en/sign-in"


async def join(visitor: Visitor, email: str) -> None:
    await visitor.open("/en/register")
    await visitor.fill({"#register-email": email}).press("#register-submit")
    code = await read_code(visitor.http, email)
    await visitor.fill({"#code": code}).press("#verify")
    visitor.fill({"#given-name": "Jana", "#family-name": "Nová", "#password": PASSWORD})
    await visitor.press("#create-account")
    await visitor.press("#sign-out")
    await visitor.open("/en/sign-in")
    await visitor.fill({"#email": email, "#password": PASSWORD}).press("#sign-in")
    for _ in range(2):
        await visitor.open("/en/dashboard")
        assert visitor.has("#services")


async def link_permits(visitor: Visitor, letter: tuple[str, str]) -> None:
    reference, secret = letter
    await visitor.open("/en/link/permits")
    await visitor.fill({"#reference": reference, "#secret": secret}).press("#link")
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not any("/cases/" in link for link in visitor.links()):
            await asyncio.sleep(0.2)
            await visitor.open("/en/services/permits")
    case = next(link for link in visitor.links() if "/cases/" in link)
    for _ in range(2):
        await visitor.open(case)
        assert visitor.status == 200


async def read_code(http: httpx2.AsyncClient, email: str) -> str:
    async with asyncio.timeout(PATIENCE_SECONDS):
        while True:
            letters = (await http.get("/dev/mailbox.json")).json()
            for letter in letters:
                if letter["to"] == email:
                    return code_in_text(letter["text"])
            await asyncio.sleep(0.2)


async def let_in(visitor: Visitor, party: Party) -> Mapping[str, str]:
    wanted = {"client_id": party.client_id, "scope": "openid email offline_access"}
    await visitor.open(f"/authorize?{urlencode(request_fields(wanted))}")
    await visitor.press("#allow")
    assert visitor.left_for is not None
    answer = dict(parse_qsl(urlsplit(visitor.left_for).query))
    redeemed = await party.redeem(answer["code"])
    assert redeemed.status_code == 200, redeemed.text
    tokens: Mapping[str, str] = redeemed.json()
    return tokens


async def use(party: Party, tokens: Mapping[str, str]) -> None:
    """Use at each version what the other issued; either one's keys prove either one's word."""
    for _ in range(2):
        assert (await party.userinfo(tokens["access_token"])).status_code == 200
        keys = KeySet.import_key_set((await party.http.get("/jwks")).json())
        assert jwt.decode(tokens["id_token"], keys).claims["aud"] == party.client_id
    for _ in range(2):
        refreshed = await party.refresh(tokens["refresh_token"])
        assert refreshed.status_code == 200, refreshed.text
        tokens = refreshed.json()


async def withdraw(visitor: Visitor, party: Party, refresh_token: str) -> None:
    await visitor.open("/en/privacy")
    [link] = [link for link in visitor.links() if "/privacy/withdraw/" in link]
    await visitor.open(link)
    await visitor.press("#withdraw")
    for _ in range(2):
        refused = await party.refresh(refresh_token)
        assert (refused.status_code, refused.json()["error"]) == (400, "invalid_grant")


async def test_versions_share_one_database_through_the_main_journey(noon: Noon) -> None:
    await find_two_versions(noon)
    await visit(noon, 0, "library")
    await visit(noon, 1, "theatre")
    # Nothing that one version asked for was foreign to the other.
    runtime = build_runtime(settings_for(noon.database_url, issuer=noon.issuer))
    async with runtime.database.read() as uow:
        assert not await uow.outbox.parked(after=None, size=10)
    await runtime.database.close()
