"""The log is written in the background: nobody waits for it, and its last lines are not lost."""

import io
import json
import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

import pytest

from citizen_account.telemetry import JsonLines, RequestRecord, lines
from citizen_account.telemetry.lines import SETTLE_SECONDS, LineWriter


class _Slow(io.StringIO):
    """A reader that takes nothing until it is told to."""

    def __init__(self) -> None:
        super().__init__()
        self.may_go_on = threading.Event()

    def write(self, text: str) -> int:
        self.may_go_on.wait(10)
        return super().write(text)


class _Gone(io.StringIO):
    def write(self, text: str) -> int:
        raise BrokenPipeError(text)


@contextmanager
def logged_to(stream: io.StringIO) -> Iterator[tuple[logging.Logger, LineWriter]]:
    handler = LineWriter(stream)
    logger = logging.getLogger("tests.lines")
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    logger.propagate = False
    try:
        yield logger, handler
    finally:
        logger.removeHandler(handler)
        handler.close()


def test_lines_are_written_in_their_order() -> None:
    stream = io.StringIO()
    with logged_to(stream) as (logger, handler):
        for number in range(500):
            logger.info("line %d", number)
        handler.flush()
        assert stream.getvalue().splitlines() == [f"line {number}" for number in range(500)]


def test_nobody_waits_for_a_slow_reader() -> None:
    stream = _Slow()
    with logged_to(stream) as (logger, _):
        logger.info("one")
        logger.info("two")
        assert stream.getvalue() == ""
        stream.may_go_on.set()
    assert stream.getvalue() == "one\ntwo\n"


def test_what_is_logged_at_the_end_is_written_at_once() -> None:
    stream = io.StringIO()
    with logged_to(stream) as (logger, handler):
        logger.info("before")
        handler.settle()
        logger.info("behind")
        assert stream.getvalue() == "before\nbehind\n"


def test_the_end_of_a_program_waits_for_the_lines_alone() -> None:
    """`logging.shutdown` holds the handler's lock meanwhile."""
    stream = io.StringIO()
    with logged_to(stream) as (logger, handler):
        logger.info("last")
        ending = threading.Thread(target=logging.shutdown, args=([lambda: handler],))
        ending.start()
        ending.join(SETTLE_SECONDS / 2)
        assert not ending.is_alive()
        assert stream.getvalue() == "last\n"


def test_a_reader_that_has_stopped_costs_lines_and_not_memory(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(lines, "MOST_WAITING", 3)
    stream = _Slow()
    with logged_to(stream) as (logger, handler):
        handler.setFormatter(JsonLines())
        for number in range(10):
            logger.info("line %d", number)
        stream.may_go_on.set()
    told = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert [line["event"] for line in told[:3]] == ["line 0", "line 1", "line 2"]
    assert told[-1]["event"] == "log lines lost"
    assert told[-1]["lines"] + len(told) - 1 == 10


def test_a_reader_that_is_gone_breaks_nothing() -> None:
    with logged_to(_Gone()) as (logger, handler):
        logger.info("for nobody")
        handler.flush()


def test_a_record_that_cannot_be_worded_breaks_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(logging, "raiseExceptions", False)
    stream = io.StringIO()
    with logged_to(stream) as (logger, handler):
        logger.info("%d", "no number")
        logger.info("next")
        handler.flush()
    assert stream.getvalue() == "next\n"


def test_line_of_a_request_is_as_complete_as_any_other() -> None:
    """Whatever formatter an operator or a test puts there asks for the record's attributes."""
    record = RequestRecord("web", {"route": "/token", "status": 200})
    wanted = "%(asctime)s %(levelname)s %(name)s %(filename)s:%(lineno)d %(message)s %(route)s"
    text = logging.Formatter(wanted).format(record)
    assert text.endswith("INFO web :0 request /token")
    assert f"{datetime.fromtimestamp(record.created, UTC):%M:%S},{int(record.msecs):03}" in text


@pytest.mark.parametrize("value", ["\ud800", b"\xff", "ž", {1: object}], ids=ascii)
def test_line_with_any_value_is_written(value: object) -> None:
    record = logging.makeLogRecord({"msg": "told", "fact": value})
    assert json.loads(JsonLines().format(record))["event"] == "told"
