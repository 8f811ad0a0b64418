"""Start what is compared: ours and npm's oidc-provider, on each of their databases."""

import json
import os
import shutil
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import httpx2
from joserfc.jwk import ECKey, RSAKey
from sqlalchemy import text

from citizen_account import migrations
from citizen_account.bootstrap import Runtime, build_runtime, utc_now
from citizen_account.domain.emails import EmailAddress
from citizen_account.security.passwords import HashParameters, PasswordHasher
from citizen_account.usecases.resources import import_resource
from tests.bench.city import APIS, ARGON2, LIBRARY, MACHINE, PROFILE, SCOPE, residents
from tests.factories import CHALLENGE, PASSWORD, REDIRECT_URI, settings_for
from tests.postgres import free_port
from tests.servers import (
    OPTIONS,
    UVICORN,
    Process,
    environment_variables,
    program,
    wait_until_ready,
)
from tests.services import authorize, open_account, register

ROOT = Path(__file__).parents[2]
INSTALLED = Path(os.environ.get("CACHE", ROOT / ".cache")) / "bench"
PROGRAM = Path(__file__).with_name("peer.mjs")
HOST = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class Paths:
    token: str = "/token"
    userinfo: str = "/userinfo"
    introspect: str = "/introspect"
    jwks: str = "/jwks"
    authorize: str = "/authorize"


PEER_PATHS = Paths("/token", "/me", "/token/introspection", "/jwks", "/auth")


@dataclass(frozen=True, slots=True)
class Rows:
    """What issued tokens have left behind."""

    tokens: int
    issues: int = 0
    """In the trail: one for each answer with tokens."""


class Provider(Protocol):
    """One server under test."""

    @property
    def name(self) -> str: ...
    @property
    def url(self) -> str: ...
    @property
    def pid(self) -> int: ...
    @property
    def paths(self) -> Paths: ...
    @property
    def keeps_trail(self) -> bool:
        """Say whether each answer with tokens leaves a row of its own, also where no token does."""

    async def make_codes(self, count: int) -> list[str]:
        """Return codes that wait to be redeemed."""

    async def count_rows(self) -> Rows:
        """Return what was written down until now."""


@dataclass(frozen=True)
class Ours:
    name: str
    url: str
    pid: int
    runtime: Runtime
    paths: Paths = field(default_factory=Paths)
    keeps_trail: bool = True

    async def make_codes(self, count: int) -> list[str]:
        holders = residents()
        return [
            await authorize(
                self.runtime, scope=SCOPE, account_id=holders[number % len(holders)].id, level=None
            )
            for number in range(count)
        ]

    async def count_rows(self) -> Rows:
        async with self.runtime.database.engines.reader.connect() as connection:
            tokens, issues = [
                (await connection.execute(text(question))).scalar_one()
                for question in (
                    "SELECT count(*) FROM tokens",
                    "SELECT count(*) FROM audit WHERE event = 'tokens_issued'",
                )
            ]
            return Rows(tokens, issues)


@asynccontextmanager
async def ours(name: str, database_url: str, folder: Path) -> AsyncIterator[Ours]:
    port = free_port()
    url = f"http://{HOST}:{port}"
    changes = {"issuer": url, **ARGON2}
    await migrations.upgrade(database_url)
    runtime = build_runtime(settings_for(database_url, **changes), utc_now)
    await runtime.keys.load()
    await _fill(runtime)
    variables = environment_variables(database_url, **changes)
    arguments = [*UVICORN, *OPTIONS, "--port", str(port)]
    with _run([sys.executable, *arguments], variables, folder / f"{port}.log") as started:
        wait_until_ready(url, started)
        yield Ours(name, url, started.pid, runtime)
    await runtime.database.close()


async def _fill(runtime: Runtime) -> None:
    password_hash = await runtime.hasher.hash(PASSWORD)
    for resident in residents():
        await open_account(
            runtime, resident.id, email=EmailAddress(resident.email), profile=PROFILE
        )
        async with runtime.database.begin() as uow:
            await uow.credentials.save_password(resident.id, password_hash, uow.now)
    await register(runtime, **LIBRARY)
    await register(runtime, **MACHINE)
    async with runtime.database.begin() as uow:
        for api in APIS:
            await import_resource(uow, api, runtime.issuer)


@dataclass(frozen=True)
class Peer:
    name: str
    url: str
    pid: int
    http: httpx2.AsyncClient
    paths: Paths = PEER_PATHS
    keeps_trail: bool = False

    async def make_codes(self, count: int) -> list[str]:
        codes: list[str] = (await self.http.get(f"/bench/codes/{count}")).json()
        return codes

    async def count_rows(self) -> Rows:
        return Rows((await self.http.get("/bench/tokens")).json())


@asynccontextmanager
async def peer(name: str, database_url: str | None, folder: Path) -> AsyncIterator[Peer]:
    """Serve npm's oidc-provider; without a database it keeps all in memory."""
    port = free_port()
    url = f"http://{HOST}:{port}"
    # Packages are found upwards from the program, so it runs from a copy beside them.
    copy = str(shutil.copy(PROGRAM, INSTALLED / PROGRAM.name))
    variables = {
        "ISSUER": url,
        "PORT": str(port),
        "FACTS": await _facts(),
        "NODE_ENV": "production",
    }
    if database_url is not None:
        variables["DATABASE_URL"] = database_url
    with _run([str(find_node()), copy], variables, folder / f"{port}.log") as started:
        wait_until_ready(url, started, "/jwks")
        async with httpx2.AsyncClient(base_url=url, timeout=60) as http:
            yield Peer(name, url, started.pid, http)


async def _facts() -> str:
    rsa = RSAKey.generate_key(2048, {"alg": "RS256", "use": "sig"})
    curve = ECKey.generate_key("P-256", {"alg": "ES256", "use": "sig"})
    hasher = PasswordHasher(HashParameters(memory_kib=19456, time_cost=2, parallelism=1))
    password_hash = await hasher.hash(PASSWORD)
    claims = {"email_verified": True, "name": "Jana Nováková"}
    claims |= {"given_name": PROFILE.given_name, "family_name": PROFILE.family_name}
    accounts = [
        {
            "id": each.id.hex,
            "email": each.email,
            "password": password_hash,
            "claims": {**claims, "email": each.email},
        }
        for each in residents()
    ]
    facts = {
        "accounts": accounts,
        "clients": [LIBRARY, MACHINE],
        "keys": [key.as_dict(private=True) for key in (rsa, curve)],
        "scope": SCOPE,
        "redirect_uri": REDIRECT_URI,
        "challenge": CHALLENGE,
    }
    return json.dumps(facts)


@contextmanager
def _run(command: list[str], variables: dict[str, str], log: Path) -> Iterator[Process]:
    with log.open("wb") as output, program(command, variables, log=output) as started:
        yield started


def find_node() -> Path:
    """Return the Node that the benchmark brings along. Raises: FileNotFoundError."""
    found = sorted(INSTALLED.glob("node_modules/node-linux-*/bin/node"))
    if not found:
        raise FileNotFoundError("the peer is not installed: make bench does it")
    return found[0]
