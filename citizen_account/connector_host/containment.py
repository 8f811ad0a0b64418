"""Call foreign code so that nothing it does reaches further than its own call.

Together with the worker's loop and the error pages this is where a broad `except` may stand.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from citizen_account.connector_sdk.errors import (
    ERRORS,
    ConnectorError,
    Gone,
    Misconfigured,
    NeedsRelink,
    OutcomeUnknown,
    RateLimited,
    Refused,
    Unavailable,
)
from citizen_account.connector_sdk.http import RETRY_AFTER_DEFAULT, RETRY_AFTER_MAXIMUM
from citizen_account.connector_sdk.models import Text
from citizen_account.connector_sdk.wire import WireError

T = TypeVar("T")
# A connector that was told to stop has this long to tidy up; then it is left behind.
GRACE_SECONDS = 0.5
# Tasks that would not stop: held, so that they are not collected while they run.
_left_behind: set[asyncio.Task[object]] = set()


class BrokenConnectorError(Exception):
    """A connector raised what it must not raise. Says where, never what: it may be personal."""


def _place_of(error: BaseException) -> str:
    trace, line = error.__traceback__, None
    while trace is not None:
        line = f"{trace.tb_frame.f_globals.get('__name__', '?')}:{trace.tb_lineno}"
        trace = trace.tb_next
    return f"{type(error).__name__} at {line}"


def contained(call: Callable[[], T]) -> T:
    """Return what the call returns.

    Raises:
        BrokenConnectorError: whatever it raised, `sys.exit` included.

    """
    try:
        return call()
    except (KeyboardInterrupt, WireError):
        raise
    except BaseException as error:  # noqa: BLE001  # foreign code
        raise BrokenConnectorError(_place_of(error)) from None


async def within(seconds: float, call: Callable[[], Awaitable[T]]) -> T:
    """Return what the call returns, if it does so in time.

    Raises:
        ConnectorError: as the connector raised it; `Unavailable` when time was over.
        BrokenConnectorError: for anything else.

    """
    task = asyncio.create_task(_run(call))
    try:
        await asyncio.wait({task}, timeout=seconds)
        if not task.done():
            raise Unavailable(f"no answer within {seconds:.1f} seconds")
        if task.cancelled():
            raise BrokenConnectorError("it cancelled itself")
        return task.result()
    finally:
        await _stop(task)


async def _run(call: Callable[[], Awaitable[T]]) -> T:
    try:
        return await call()
    except asyncio.CancelledError:
        raise
    except ConnectorError as error:
        raised = error
    except BaseException as error:  # noqa: BLE001  # foreign code; sys.exit would end the process
        raise BrokenConnectorError(_place_of(error)) from None
    raise contained(lambda: sound(raised)) from None


def sound(error: ConnectorError) -> ConnectorError:
    """Return the same error with parts of the promised types, whatever the connector put there."""
    match error:
        case Unavailable():
            return Unavailable(str(error), retry_after=_seconds(error.retry_after))
        case RateLimited():
            return RateLimited(_seconds(error.retry_after) or RETRY_AFTER_DEFAULT)
        case OutcomeUnknown():
            return OutcomeUnknown(str(error.operation))
        case Refused():
            fields = {str(name): _text(text) for name, text in error.fields.items()}
            return Refused(str(error.why), _text(error.text), fields)
        case NeedsRelink() | Gone() | Misconfigured():
            kind = next(kind for kind in ERRORS if isinstance(error, kind))
            return kind(str(error))
        case _:
            raise TypeError("an error of no known kind")


def _seconds(value: object) -> float | None:
    if not isinstance(value, int | float) or not value >= 0:
        return None
    return min(float(value), RETRY_AFTER_MAXIMUM)


def _text(text: Text) -> Text:
    if isinstance(text, str):
        return text
    return {str(language): str(part) for language, part in text.items()}


async def _stop(task: "asyncio.Task[T]") -> None:
    if task.done():
        return
    task.cancel()
    await asyncio.wait({task}, timeout=GRACE_SECONDS)
    if not task.done():
        _left_behind.add(task)
        task.add_done_callback(_left_behind.discard)
