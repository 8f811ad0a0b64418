"""Start the small city, wait until it answers, say how to use it, and end all of it together."""

import asyncio
import os
import signal
import socket
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import httpx2

from citizen_account.demo import seed
from citizen_account.demo.city import Part, SmallCity

READY_SECONDS = 120
ASK_AGAIN_SECONDS = 0.1
GRACE_SECONDS = 10
LOG_LINES_SHOWN = 15
READY_PATHS: Mapping[Part, str] = {
    Part.ACCOUNT: "/health/ready",
    Part.EID: "/health/ready",
    Part.LIBRARY: "/health",
    Part.EMULATORS: "/",
}


class CityError(Exception):
    """The small city cannot run; the text says why and what to do."""


@dataclass(frozen=True, slots=True)
class Running:
    part: Part
    process: asyncio.subprocess.Process


async def run_city(city: SmallCity, announce: Callable[[SmallCity], None]) -> None:
    """Run until Ctrl-C, a signal, or until one part dies. Raises: CityError."""
    _check_ports(city)
    _make_folder(city.folder)
    seed.write_files(city)
    told_to_stop = _listen_for_signals()
    parts = [await _start(city, part) for part in Part]
    try:
        died = asyncio.create_task(_first_death(parts))
        stopped = asyncio.create_task(told_to_stop.wait())
        ready = asyncio.create_task(_wait_until_ready(city))
        await asyncio.wait((died, stopped, ready), return_when=asyncio.FIRST_COMPLETED)
        if ready.done() and not (died.done() or stopped.done()):
            _require_ready(ready)
            announce(city)
            await asyncio.wait((died, stopped), return_when=asyncio.FIRST_COMPLETED)
        ready.cancel()
        if died.done() and not stopped.done():
            raise CityError(_obituary(city, died.result()))
    finally:
        await _end_all(parts)


def _check_ports(city: SmallCity) -> None:
    for part in Part:
        with socket.socket() as probe:
            # As the server will do it: an address that has just been left may be used.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", city.port_of(part)))
            except OSError:
                raise CityError(
                    f"Port {city.port_of(part)} is taken; four in a row are needed."
                    f" Choose others, for instance: PORT={city.port + 1000} make run"
                ) from None


def _make_folder(folder: Path) -> None:
    for wanted in (folder, folder / "log"):
        wanted.mkdir(mode=0o700, parents=True, exist_ok=True)


async def _start(city: SmallCity, part: Part) -> Running:
    # In our own process group, so that Ctrl-C reaches it too. Its standard input is a pipe from
    # us: when we are gone, however that came, it ends.
    command = ("-m", "citizen_account.demo.part", part, str(city.port_of(part)), str(city.folder))
    with city.log_of(part).open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            *command,
            env=city.environment_of(part),
            stdin=asyncio.subprocess.PIPE,
            stdout=log,
            stderr=log,
        )
    return Running(part, process)


async def _first_death(parts: list[Running]) -> Part:
    waiting = {asyncio.create_task(running.process.wait()): running.part for running in parts}
    done, others = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
    for other in others:
        other.cancel()
    return waiting[done.pop()]


async def _wait_until_ready(city: SmallCity) -> None:
    # Plain http on this machine: loading the authorities of the world would take its time.
    async with (
        httpx2.AsyncClient(trust_env=False, verify=False) as client,
        asyncio.timeout(READY_SECONDS),
    ):
        for part in Part:
            address = city.address_of(part) + READY_PATHS[part]
            while not await _is_ready(client, address):  # noqa: ASYNC110  # another process
                await asyncio.sleep(ASK_AGAIN_SECONDS)


def _require_ready(ready: "asyncio.Task[None]") -> None:
    if isinstance(ready.exception(), TimeoutError):
        raise CityError(f"The small city did not start within {READY_SECONDS} seconds.")
    ready.result()


async def _is_ready(client: httpx2.AsyncClient, address: str) -> bool:
    try:
        return (await client.get(address)).is_success
    except httpx2.HTTPError:
        return False


def _listen_for_signals() -> asyncio.Event:
    told = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, told.set)
    return told


async def _end_all(parts: list[Running]) -> None:
    living = [running.process for running in parts if running.process.returncode is None]
    for process in living:
        process.terminate()
    try:
        async with asyncio.timeout(GRACE_SECONDS):
            await asyncio.gather(*(process.wait() for process in living))
    except TimeoutError:
        for process in living:
            if process.returncode is None:
                process.kill()
        await asyncio.gather(*(process.wait() for process in living))


def _obituary(city: SmallCity, part: Part) -> str:
    file = city.log_of(part)
    lines = file.read_text(encoding="utf-8", errors="replace").splitlines()[-LOG_LINES_SHOWN:]
    return os.linesep.join((f"The part {part} has ended. Its last words, from {file}:", *lines))
