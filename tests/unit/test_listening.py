"""An answer leaves in one piece, and no head waits for a body that takes its time."""

import asyncio
from contextlib import suppress
from typing import cast

from starlette.types import Receive, Scope, Send
from uvicorn import Config
from uvicorn.server import ServerState

from citizen_account.cli.listening import PatientProtocol, WholeAnswers

HEAD = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n"


class _Wire:
    def __init__(self) -> None:
        self.sent: list[bytes] = []

    def write(self, data: bytes) -> None:
        self.sent.append(data)

    def close(self) -> None:
        self.sent.append(b"<closed>")

    def get_extra_info(self, name: str) -> str:
        return name


def _answers() -> tuple[_Wire, WholeAnswers]:
    wire = _Wire()
    transport = cast("asyncio.Transport", wire)
    return wire, WholeAnswers(transport, asyncio.get_running_loop())


async def test_head_and_body_are_one_packet() -> None:
    wire, answers = _answers()
    answers.write(HEAD)
    answers.write(b"ok")
    await asyncio.sleep(0)
    assert wire.sent == [HEAD + b"ok"]


async def test_two_answers_on_one_connection_keep_their_order() -> None:
    wire, answers = _answers()
    for body in (b"1.", b"2."):
        answers.write(HEAD)
        answers.write(body)
    await asyncio.sleep(0)
    assert wire.sent == [HEAD + b"1.", HEAD + b"2."]


async def test_a_head_without_a_body_leaves_in_the_next_turn() -> None:
    wire, answers = _answers()
    answers.write(HEAD)
    assert wire.sent == []
    await asyncio.sleep(0)
    assert wire.sent == [HEAD]
    answers.write(b"late")
    assert wire.sent == [HEAD, b"late"]


async def test_closing_sends_first_what_waits() -> None:
    wire, answers = _answers()
    answers.write(HEAD)
    answers.close()
    await asyncio.sleep(0)
    assert wire.sent == [HEAD, b"<closed>"]


async def test_all_else_is_the_transports_own() -> None:
    _, answers = _answers()
    assert answers.get_extra_info("peername") == "peername"  # type: ignore[operator]  # by name


async def test_head_without_an_end_is_cut_off() -> None:
    """RFC 6585 section 5: the server underneath would keep whatever is sent."""

    async def app(_: Scope, __: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body"})

    config = Config(app, http=PatientProtocol, lifespan="off")
    config.load()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(
        lambda: PatientProtocol(config, ServerState(), {}), "127.0.0.1", 0
    )
    port = server.sockets[0].getsockname()[1]
    short = b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"a" * 32_768 + b"\r\n\r\n"
    # A body is no part of it, and each request has its own.
    posted = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 200000\r\n\r\n" + b"a" * 200_000
    for sent, status in (
        (short + short + posted + short, b"204"),
        (b"GET / HTTP/1.1\r\nX: " + b"a" * 2_000_000, b"431"),
        (b"GET /" + b"a" * 2_000_000, b"431"),
        (b"GET / HTTP/1.1\r\n" + b"X: a\r\n" * 300_000, b"431"),
    ):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(sent)
        with suppress(ConnectionError):
            await writer.drain()
        answers = b""
        with suppress(ConnectionError, TimeoutError):
            while status not in answers or answers.count(status) < (4 if status == b"204" else 1):
                answers += await asyncio.wait_for(reader.read(65_536), 5)
        assert answers.startswith(b"HTTP/1.1 " + status)
        assert answers.count(b"HTTP/1.1 ") == (4 if status == b"204" else 1)
        writer.close()
    server.close()
