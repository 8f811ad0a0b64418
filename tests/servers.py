"""Serve the application as operators do: in processes of its own."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import monotonic, sleep
from typing import IO
from urllib.parse import urlsplit

import httpx2

from tests.factories import environment
from tests.postgres import free_port

Process = subprocess.Popen[bytes]
START_SECONDS = 150
STOP_SECONDS = 15
UVICORN = ["-m", "uvicorn"]
# As `citizen-account serve` has it.
OPTIONS = ["--factory", "citizen_account.app:from_environment"]
OPTIONS += ["--http", "citizen_account.cli.listening:PatientProtocol", "--loop", "uvloop"]
OPTIONS += ["--log-level", "warning", "--no-access-log", "--no-proxy-headers", "--no-server-header"]
# What the console script `citizen-account` does, for a checkout that is not installed.
PROGRAM = ["-c", "from citizen_account.cli import main; main()"]


@dataclass(frozen=True, slots=True)
class Server:
    """One process: `url` is its own address, `issuer` the one that all processes share."""

    url: str
    issuer: str
    process: Process

    @property
    def pid(self) -> int:
        return self.process.pid

    def client(self) -> httpx2.AsyncClient:
        """Return a client that speaks to this process and names the city's host."""
        headers = {"Host": urlsplit(self.issuer).netloc}
        return httpx2.AsyncClient(base_url=self.url, headers=headers, timeout=30)


@contextmanager
def serve(
    database_url: str,
    processes: int = 1,
    *,
    has_worker: bool = False,
    uvicorn: Sequence[str] = UVICORN,
    **changes: str,
) -> Iterator[list[Server]]:
    """Yield running servers on one database, each on a port of its own.

    The first one's port is in the issuer, so that a browser can use it as it is.
    """
    ports = [free_port() for _ in range(processes)]
    changes.setdefault("issuer", f"http://localhost:{ports[0]}")
    variables = environment_variables(database_url, **changes)
    with ExitStack() as running:
        servers = [
            running.enter_context(_serve_on(port, changes["issuer"], variables, uvicorn))
            for port in ports
        ]
        if has_worker:
            running.enter_context(process([*PROGRAM, "worker"], variables))
        for server in servers:
            wait_until_ready(server.url, server.process)
        yield servers


@contextmanager
def process(
    arguments: list[str], variables: Mapping[str, str], folder: Path | None = None
) -> Iterator[Process]:
    """Run our Python with arguments as the leader of its own group; end the group afterwards."""
    with program([sys.executable, *arguments], variables, folder) as started:
        yield started


@contextmanager
def program(
    command: list[str],
    variables: Mapping[str, str],
    folder: Path | None = None,
    log: IO[bytes] | None = None,
) -> Iterator[Process]:
    """Run a program likewise; what it says goes to the log."""
    started = subprocess.Popen(
        command,
        stdout=log,
        stderr=log,
        env=os.environ | variables,
        cwd=folder,
        start_new_session=True,
    )
    try:
        yield started
    finally:
        started.send_signal(signal.SIGTERM)
        try:
            started.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            os.killpg(started.pid, signal.SIGKILL)
            started.wait()
            raise


def environment_variables(database_url: str, **changes: str) -> dict[str, str]:
    values = environment(database_url, **changes)
    return {f"CITIZEN_{name.upper()}": value for name, value in values.items()}


def wait_until_ready(url: str, server: Process, path: str = "/health/live") -> None:
    """Return as soon as the address answers. Raises: TimeoutError; ProcessLookupError if ended."""
    until = monotonic() + START_SECONDS
    while monotonic() < until:
        try:
            httpx2.get(f"{url}{path}")
        except httpx2.TransportError:
            if server.poll() is not None:
                raise ProcessLookupError("the server ended; its words stand above") from None
            sleep(0.05)
        else:
            return
    raise TimeoutError(f"{url} did not start within {START_SECONDS} s")


@contextmanager
def _serve_on(
    port: int, issuer: str, variables: Mapping[str, str], uvicorn: Sequence[str]
) -> Iterator[Server]:
    with process([*uvicorn, *OPTIONS, "--port", str(port)], variables) as started:
        yield Server(f"http://localhost:{port}", issuer, started)
