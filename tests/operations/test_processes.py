"""Several processes behind one port: replaced when they die, stopped without cutting anything."""

import asyncio
import os
import signal
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import httpx2
import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from citizen_account.bootstrap import build_runtime
from citizen_account.domain.errands import Delivery, Mail
from tests.factories import settings_for
from tests.postgres import free_port
from tests.servers import PROGRAM, Process, environment_variables, process, wait_until_ready

PATIENCE_SECONDS = 60
FORM = b"scope=without+a+grant_type"

pytestmark = pytest.mark.slow


@dataclass(frozen=True)
class Service:
    """`serve --workers 2`, as an operator starts it."""

    port: int
    parent: Process

    @property
    def url(self) -> str:
        return f"http://localhost:{self.port}"

    def workers(self) -> set[int]:
        """Return the processes that serve; Python keeps a watcher of its own beside them."""
        children = Path(f"/proc/{self.parent.pid}/task/{self.parent.pid}/children").read_text()
        return {int(pid) for pid in children.split() if b"spawn_main" in command_of(int(pid))}


def command_of(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except FileNotFoundError:
        return b""


def answers_its_parent(pid: int) -> bool:
    """Say whether it is past its imports: then a thread of its own tells that it is alive."""
    folder = Path(f"/proc/{pid}/task")
    return folder.exists() and len(list(folder.iterdir())) > 1


@pytest.fixture
def service(sqlite_url: str) -> Iterator[Service]:
    port = free_port()
    variables = environment_variables(sqlite_url, issuer=f"http://localhost:{port}")
    command = [*PROGRAM, "serve", "--port", str(port), "--workers", "2"]
    with process(command, variables) as parent:
        service = Service(port, parent)
        wait_until_ready(service.url, parent, "/health/ready")
        yield service


async def until(is_so: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not is_so():  # noqa: ASYNC110  # another process tells us nothing
            await asyncio.sleep(0.1)


async def ask_until(stop: asyncio.Event, url: str) -> int:
    """Ask again and again, each time on a connection of its own, as the proxy does."""
    asked = 0
    while not stop.is_set():
        async with httpx2.AsyncClient(timeout=PATIENCE_SECONDS) as http:
            assert (await http.get(f"{url}/jwks")).status_code == 200
        asked += 1
        await asyncio.sleep(0.02)
    return asked


async def test_processes_are_replaced_and_stopped_without_cutting_a_request(
    service: Service,
) -> None:
    await until(lambda: len([pid for pid in service.workers() if answers_its_parent(pid)]) == 2)
    await replace_the_dead(service)
    await replace_all_while_asking(service)
    await stop_while_requests_are_on_their_way(service)


async def replace_the_dead(service: Service) -> None:
    [victim, _] = service.workers()
    os.kill(victim, signal.SIGKILL)
    await until(lambda: len(service.workers() - {victim}) == 2)


async def replace_all_while_asking(service: Service) -> None:
    before, stop = service.workers(), asyncio.Event()
    asking = asyncio.create_task(ask_until(stop, service.url))
    service.parent.send_signal(signal.SIGHUP)
    await until(lambda: len(service.workers()) == 2 and not service.workers() & before)
    stop.set()
    assert await asking > 10


async def stop_while_requests_are_on_their_way(service: Service) -> None:
    """Say half of a request before the stop and half after it, cut at each interesting place."""
    request = request_to(service)
    cuts = [0, 30, len(request) - 5]
    connections = [await asyncio.open_connection("localhost", service.port) for _ in cuts]
    for (_, writer), cut in zip(connections, cuts, strict=True):
        writer.write(request[:cut])
    await asyncio.sleep(0.5)
    service.parent.send_signal(signal.SIGTERM)
    # The parent looks at its signals every half second.
    await asyncio.sleep(1.2)
    for (reader, writer), cut in zip(connections, cuts, strict=True):
        writer.write(request[cut:])
        answer = await asyncio.wait_for(reader.read(), PATIENCE_SECONDS)
        assert answer.startswith(b"HTTP/1.1 400 "), answer
        assert b'"error"' in answer
        writer.close()
    await until(lambda: service.parent.poll() is not None)
    assert service.parent.returncode == 0


def request_to(service: Service) -> bytes:
    head = (
        f"POST /token HTTP/1.1\r\nHost: localhost:{service.port}\r\nConnection: close\r\n"
        "Content-Type: application/x-www-form-urlencoded\r\n"
        f"Content-Length: {len(FORM)}\r\n\r\n"
    )
    return head.encode() + FORM


@dataclass
class SlowMailServer:
    """Take a message only when it is told to."""

    has_begun: asyncio.Event = field(default_factory=asyncio.Event)
    may_end: asyncio.Event = field(default_factory=asyncio.Event)
    taken: int = 0

    async def handle_DATA(self, _: SMTP, __: Session, ___: Envelope) -> str:  # noqa: N802  # the name that aiosmtpd calls
        self.has_begun.set()
        await self.may_end.wait()
        self.taken += 1
        return "250 OK"


async def test_stop_lets_the_worker_finish_its_errand(sqlite_url: str) -> None:
    mail_server = SlowMailServer()
    controller = Controller(mail_server, hostname="127.0.0.1", port=free_port())
    controller.start()
    smtp = f"smtp://127.0.0.1:{controller.port}"
    runtime = build_runtime(settings_for(sqlite_url))
    async with runtime.database.begin() as uow:
        facts = {"code": "123456", "minutes": "10"}
        await uow.send_mail(
            Mail(to="jana@example.sk", language="sk", name="register_code", facts=facts)
        )
    try:
        variables = environment_variables(sqlite_url, smtp_url=smtp)
        with process([*PROGRAM, "worker"], variables) as worker:
            await until(mail_server.has_begun.is_set)
            worker.send_signal(signal.SIGTERM)
            await asyncio.sleep(1)
            assert worker.poll() is None
            controller.loop.call_soon_threadsafe(mail_server.may_end.set)
            await until(lambda: worker.poll() is not None)
            assert worker.returncode == 0
    finally:
        controller.stop()
    async with runtime.database.read() as uow:
        assert await uow.outbox.counts() == {Delivery.DONE: 1}
    assert mail_server.taken == 1
    await runtime.database.close()
