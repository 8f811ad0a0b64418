"""Write structured logs, one JSON object a line, without personal data."""

import json
import logging
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from datetime import UTC, datetime

from pydantic_core import to_json

from citizen_account.telemetry.lines import LineWriter

request_id: ContextVar[str] = ContextVar("request_id", default="")
_withheld: ContextVar[frozenset[str]] = ContextVar("withheld", default=frozenset())
# Shorter values (a country, a language) would blot out half of every line.
SHORTEST_WITHHELD = 3

# Attributes of every record; what `extra` adds beside them is ours and goes into the line.
_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}

_ENCODER = json.JSONEncoder(default=str, ensure_ascii=True, separators=(",", ":"))


class RequestRecord(logging.LogRecord):
    """What `log.info("request", extra=facts)` makes, without looking which line of ours asked."""

    def __init__(self, name: str, facts: Mapping[str, object]) -> None:
        created = time.time()
        self.__dict__ = {
            **_SAME,
            "name": name,
            "created": created,
            "msecs": created % 1 * 1000,
            **facts,
        }


# Whatever of a record's attributes a handler or formatter asks for.
_SAME = vars(
    logging.makeLogRecord({"msg": "request", "levelname": "INFO", "levelno": logging.INFO})
)


class JsonLines(logging.Formatter):
    """JSON escapes line breaks and control characters, so that no value can forge a line."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, object] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "event": record.getMessage(),
        }
        if request_id.get():
            line["request_id"] = request_id.get()
        line |= {name: value for name, value in vars(record).items() if name not in _STANDARD}
        if record.exc_info:
            line["trace"] = self.formatException(record.exc_info)
        return _encoded(_without_withheld(line))


def _encoded(line: dict[str, object]) -> str:
    # Faster, but what is not ASCII it would leave as it is, and half a character it would refuse.
    with suppress(ValueError):
        encoded = to_json(line, fallback=str)
        if encoded.isascii():
            return encoded.decode()
    return _ENCODER.encode(line)


def _without_withheld(line: dict[str, object]) -> dict[str, object]:
    values = [value for value in _withheld.get() if len(value) >= SHORTEST_WITHHELD]
    if not values:
        return line
    texts = {name: str(fact) for name, fact in line.items()}
    for value in sorted(values, key=len, reverse=True):
        texts = {name: text.replace(value, "[…]") for name, text in texts.items()}
    return dict(texts)


def configure_logging(level: int = logging.INFO, *, in_background: bool = False) -> None:
    """Send every logger's lines to standard error; a server writes them in the background."""
    # The lines tell neither process nor thread, so nobody needs to find them out for each.
    logging.logProcesses = logging.logThreads = logging.logMultiprocessing = False
    handler = LineWriter(sys.stderr) if in_background else logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines())
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level)
    for noisy in ("httpx2", "httpcore2", "uvicorn.access", "aiosqlite"):
        logging.getLogger(noisy).setLevel(logging.WARNING)


@contextmanager
def withholding(values: frozenset[str]) -> Iterator[None]:
    """Keep these values out of every line that is logged meanwhile, whoever logs it."""
    token = _withheld.set(_withheld.get() | values)
    try:
        yield
    finally:
        _withheld.reset(token)
