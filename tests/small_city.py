"""Start the small city of `make run` as a process, on ports and in a folder of its own."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import monotonic, sleep

import httpx2

from tests.factories import code_in_text
from tests.postgres import free_port
from tests.servers import PROGRAM, Process, process, wait_until_ready

PORTS = 4
PATIENCE_SECONDS = 30


@dataclass(frozen=True, slots=True)
class SmallCity:
    """The account's address and the Library's; mail and letters lie where developers read them."""

    account: str
    library: str
    process: Process

    def read_code(self, address: str) -> str:
        """Wait for the newest mail to the address, and return the code in it."""
        until = monotonic() + PATIENCE_SECONDS
        while monotonic() < until:
            letters = httpx2.get(f"{self.account}/dev/mailbox.json").json()
            mine = [letter["text"] for letter in letters if letter["to"] == address]
            if mine:
                return code_in_text(mine[0])
            sleep(0.2)
        raise TimeoutError(f"no mail to {address} within {PATIENCE_SECONDS} s")

    def find_letter(self, persona: str, service: str) -> tuple[str, str]:
        """Return the reference and the secret that the city posted to a persona."""
        letters = httpx2.get(f"{self.account}/dev/letters.json").json()
        [letter] = [
            letter
            for letter in letters
            if persona in letter["persona"] and letter["service"] == service
        ]
        return letter["reference"], letter["secret"]


@contextmanager
def run_small_city(database_url: str, folder: Path) -> Iterator[SmallCity]:
    port = free_ports()
    command = [*PROGRAM, "demo", "--port", str(port)]
    with process(command, {"CITIZEN_DATABASE_URL": database_url}, folder) as started:
        city = SmallCity(f"http://localhost:{port}", f"http://localhost:{port + 2}", started)
        wait_until_ready(city.account, started, "/health/ready")
        wait_until_ready(city.library, started, "/health")
        yield city


def free_ports() -> int:
    """Return the first of the neighbouring ports that the city takes."""
    for _ in range(50):
        first = free_port()
        if first + PORTS < 65_536 and all(_is_free(first + number) for number in range(PORTS)):
            return first
    raise OSError(f"no {PORTS} free ports beside each other")


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True
