"""Give each test a database of its own, on SQLite and on PostgreSQL, and the application on it."""

import asyncio
import shutil
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from uuid import uuid4

import httpx2
import pytest
from fastapi import FastAPI

from citizen_account import migrations
from citizen_account.bootstrap import Runtime, build_runtime
from citizen_account.storage.unit_of_work import Database
from tests.factories import ISSUER, Clock, settings_for
from tests.pages import Visitor
from tests.postgres import Postgres, create_database, drop_database, find_programs, run_postgres

TEMPLATE = "template_city"


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """Yield a server: each worker of pytest-xdist has its own."""
    programs = find_programs()
    if programs is None:
        pytest.skip("PostgreSQL is not installed: apt-get install postgresql")
    with run_postgres(programs) as server:
        yield server


def prepare(database_url: str) -> None:
    """Migrate an empty database: what is tested is what an operator gets."""

    async def create() -> None:
        await migrations.upgrade(database_url)
        built = build_runtime(settings_for(database_url), Clock())
        # An RSA key takes a tenth of a second to make: one serves all tests.
        await built.keys.load()
        await built.database.close()

    asyncio.run(create())


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("template") / "city.db"
    prepare(f"sqlite:///{file}")
    return file


@pytest.fixture(scope="session")
def postgres_template(postgres: Postgres) -> str:
    prepare(create_database(postgres, TEMPLATE))
    return TEMPLATE


@pytest.fixture
def sqlite_url(sqlite_template: Path, tmp_path: Path) -> str:
    file = tmp_path / "city.db"
    shutil.copyfile(sqlite_template, file)
    return f"sqlite:///{file}"


@pytest.fixture
def postgres_url(postgres: Postgres, postgres_template: str) -> Iterator[str]:
    name = f"test_{uuid4().hex}"
    yield create_database(postgres, name, postgres_template)
    drop_database(postgres, name)


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> str:
    """Return the address of a fresh database with all tables: the test runs once on each kind."""
    kind = "sqlite_url" if request.param == "sqlite" else "postgres_url"
    url: str = request.getfixturevalue(kind)
    return url


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Yield the address of a database without tables, as an operator begins with."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path}/empty.db"
        return
    server: Postgres = request.getfixturevalue("postgres")
    name = f"empty_{uuid4().hex}"
    yield create_database(server, name)
    drop_database(server, name)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def runtime(database_url: str, clock: Clock) -> AsyncIterator[Runtime]:
    runtime = build_runtime(settings_for(database_url), clock)
    yield runtime
    await runtime.database.close()


@pytest.fixture
def database(runtime: Runtime) -> Database:
    return runtime.database


@pytest.fixture
def app(runtime: Runtime) -> FastAPI:
    # Imported late: a broken page must not keep the tests of rules and tables from running.
    from citizen_account.app import create_app  # noqa: PLC0415  # as said above

    return create_app(runtime)


@pytest.fixture
async def http(app: FastAPI) -> AsyncIterator[httpx2.AsyncClient]:
    """Yield a client with cookies of its own; errors of ours arrive as answers, as they would."""
    async with client_of(app) as client:
        yield client


@pytest.fixture
def visitor(http: httpx2.AsyncClient) -> Visitor:
    return Visitor(http)


@pytest.fixture
async def other_visitor(app: FastAPI) -> AsyncIterator[Visitor]:
    """Yield a second browser beside `visitor`: other cookies, same city."""
    async with client_of(app) as client:
        yield Visitor(client)


def client_of(app: FastAPI) -> httpx2.AsyncClient:
    transport = httpx2.ASGITransport(app, raise_app_exceptions=False)
    return httpx2.AsyncClient(transport=transport, base_url=ISSUER)
