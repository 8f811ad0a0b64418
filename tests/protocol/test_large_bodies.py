"""Bodies that grow for ever: refused early, in bounded memory, by a process as operators run it."""

import shutil
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx2
import pytest

from tests.servers import Server, serve

MEBIBYTE = 1024 * 1024
BODY_MEBIBYTES = 200
MOST_GROWTH_MEBIBYTES = 30
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


@pytest.fixture(scope="module")
def server(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    file = shutil.copy(sqlite_template, tmp_path_factory.mktemp("large"))
    with serve(f"sqlite:///{file}") as [server]:
        yield server


def resident_mebibytes(server: Server, figure: str) -> float:
    """Return what the kernel says of the process: VmRSS now, VmHWM at most."""
    status = Path(f"/proc/{server.pid}/status")
    if not status.exists():
        pytest.skip("memory is read from /proc, which this system has not")
    [line] = [line for line in status.read_text().splitlines() if line.startswith(figure)]
    return int(line.split()[1]) / 1024


async def endless() -> AsyncIterator[bytes]:
    """Yield a form of 200 MB, piece by piece; its length is declared by whoever sends it."""
    for _ in range(BODY_MEBIBYTES):
        yield b"x" * MEBIBYTE


async def send(client: httpx2.AsyncClient, address: str) -> httpx2.Response | None:
    """Return the refusal; None when the server hung up while we still sent, as it may."""
    try:
        return await client.post(address, content=endless(), headers=FORM)
    except (httpx2.WriteError, httpx2.ReadError, httpx2.RemoteProtocolError):
        return None


@pytest.mark.parametrize("address", ["/en/sign-in", "/token", "/authorize", "/en/nowhere"])
async def test_body_of_200_megabytes_is_refused_in_bounded_memory(
    server: Server, address: str
) -> None:
    async with server.client() as client:
        await client.get("/en/help")
        before = resident_mebibytes(server, "VmRSS")
        answer = await send(client, address)
        assert (await client.get("/en/help")).status_code == 200
    assert answer is None or 400 <= answer.status_code < 500
    assert resident_mebibytes(server, "VmHWM") - before < MOST_GROWTH_MEBIBYTES


@pytest.mark.parametrize("address", ["/en/sign-in", "/token", "/authorize", "/en/nowhere"])
async def test_declared_length_of_200_megabytes_is_refused_before_the_body(
    server: Server, address: str
) -> None:
    headers = FORM | {"Content-Length": str(BODY_MEBIBYTES * MEBIBYTE)}
    async with server.client() as client:
        try:
            answer = await client.post(address, content=endless(), headers=headers)
        except (httpx2.WriteError, httpx2.ReadError, httpx2.RemoteProtocolError):
            return
    assert answer.status_code == 413
