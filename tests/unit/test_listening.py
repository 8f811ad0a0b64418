"""An answer leaves in one piece, and no head waits for a body that takes its time."""

import asyncio
from typing import cast

from citizen_account.cli.listening import WholeAnswers

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
