"""Make a system of the small city fail on request: `POST /_fault` says which and how.

curl -d '{"standard": "zgw", "fault": "slow", "seconds": 20}' http://localhost:8003/_fault
curl -d '{"standard": "zgw", "fault": "none"}' http://localhost:8003/_fault
"""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

Json = dict[str, object]
ErrorBody = Callable[[int, str, str], Json]
"""From status, code and detail to an error in the words of the standard."""

CHUNK = b" " * 65_536


class Fault(StrEnum):
    NONE = "none"
    SLOW = "slow"
    DOWN = "down"
    REFUSE = "refuse"
    MALFORMED = "malformed"
    DRIFT = "drift"
    OTHER_SUBJECT = "other_subject"
    RATE_LIMITED = "rate_limited"
    UNAUTHORIZED = "unauthorized"
    HUGE = "huge"
    RESET = "reset"


class Order(BaseModel):
    """What `/_fault` takes; everything but the first two has a default."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    standard: str
    fault: Fault
    times: int | None = Field(default=None, ge=1)
    """How many requests suffer; all of them when absent."""
    seconds: float = Field(default=10, ge=0, le=600)
    retry_after: int = Field(default=30, ge=0)
    megabytes: int = Field(default=6, ge=1, le=512)
    drop: tuple[str, ...] | None = None
    put: dict[str, object] | None = None
    """For `drift`: members that get another value wherever they occur."""


@dataclass(frozen=True, slots=True)
class Drift:
    """How a standard's answers look after an update that nobody announced."""

    drop: Sequence[str] = ()
    put: Mapping[str, object] = field(default_factory=dict)

    def apply(self, value: object) -> object:
        if isinstance(value, list):
            return [self._grown(self.apply(one)) for one in value]
        if not isinstance(value, dict):
            return value
        kept = {name: self.apply(one) for name, one in value.items() if name not in self.drop}
        return kept | {name: one for name, one in self.put.items() if name in kept}

    def _grown(self, record: object) -> object:
        """Add a member that no version knew; maps by language or name stay as they are."""
        return (
            record | {"x-new-member": {"since": "yesterday"}}
            if isinstance(record, dict)
            else record
        )


class Faults:
    """What each standard suffers from at the moment."""

    def __init__(self, standards: Sequence[str]) -> None:
        self._orders = {name: Order(standard=name, fault=Fault.NONE) for name in standards}

    def set(self, order: Order) -> bool:
        if order.standard not in self._orders:
            return False
        self._orders[order.standard] = order
        return True

    def reset(self) -> None:
        for name in self._orders:
            self._orders[name] = Order(standard=name, fault=Fault.NONE)

    def take(self, standard: str) -> Order:
        """Return what this request suffers, and count it."""
        order = self._orders[standard]
        if order.times is not None:
            left = order.times - 1
            self._orders[standard] = (
                order.model_copy(update={"times": left})
                if left
                else Order(standard=standard, fault=Fault.NONE)
            )
        return order

    async def show(self, _: Request) -> Response:
        return JSONResponse(
            {name: order.model_dump(mode="json") for name, order in self._orders.items()}
        )

    async def switch(self, request: Request) -> Response:
        try:
            order = Order.model_validate_json(await request.body())
        except ValidationError as error:
            return JSONResponse({"errors": error.errors(include_url=False)}, 422)
        if not self.set(order):
            return JSONResponse({"errors": [f"no standard {order.standard!r}"]}, 404)
        return JSONResponse(order.model_dump(mode="json"))


@dataclass(frozen=True, slots=True)
class Faulty:
    """A standard's application, with its faults in front."""

    app: ASGIApp
    standard: str
    faults: Faults
    error_body: ErrorBody
    drift: Drift

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        order = self.faults.take(self.standard)
        scope["is_lying"] = order.fault is Fault.OTHER_SUBJECT
        if order.fault is Fault.SLOW:
            await asyncio.sleep(order.seconds)
        match order.fault:
            case Fault.MALFORMED:
                await self.app(scope, receive, _Rewriting(send, _cut))
            case Fault.DRIFT:
                await self.app(scope, receive, _Rewriting(send, self._drifted(order)))
            case Fault.RESET:
                await _hang_up(send)
            case Fault.NONE | Fault.SLOW | Fault.OTHER_SUBJECT:
                await self.app(scope, receive, send)
            case _:
                await self._answer(order)(scope, receive, send)

    def _answer(self, order: Order) -> Response:
        wait = {"Retry-After": str(order.retry_after)}
        match order.fault:
            case Fault.DOWN:
                return self._error(503, "unavailable", "Service unavailable.", wait)
            case Fault.RATE_LIMITED:
                return self._error(429, "throttled", "Too many requests.", wait)
            case Fault.UNAUTHORIZED:
                return self._error(401, "not_authenticated", "Credentials were not accepted.", {})
            case Fault.HUGE:
                return _huge(order.megabytes)
            case _:
                return self._error(400, "invalid", "The request was refused.", {})

    def _error(self, status: int, code: str, detail: str, headers: Mapping[str, str]) -> Response:
        return JSONResponse(self.error_body(status, code, detail), status, headers)

    def _drifted(self, order: Order) -> Callable[[bytes], bytes]:
        drift = self.drift
        if order.drop is not None:
            drift = replace(drift, drop=order.drop)
        if order.put is not None:
            drift = replace(drift, put=order.put)
        return lambda body: json.dumps(drift.apply(json.loads(body or b"null"))).encode()


def is_lying(request: Request) -> bool:
    """Tell whether this answer must hold somebody else's records."""
    return bool(request.scope.get("is_lying"))


class _Rewriting:
    """Hold an answer back until it is whole, and change its body."""

    def __init__(self, send: Send, change: Callable[[bytes], bytes]) -> None:
        self._send = send
        self._change = change
        self._start: Message = {}
        self._body = b""

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._start = message
            return
        self._body += message.get("body", b"")
        if message.get("more_body"):
            return
        body = self._change(self._body)
        kept = [pair for pair in self._start["headers"] if pair[0].lower() != b"content-length"]
        length = (b"content-length", str(len(body)).encode())
        await self._send({**self._start, "headers": [*kept, length]})
        await self._send({"type": "http.response.body", "body": body})


def _cut(body: bytes) -> bytes:
    return body[: max(1, len(body) * 2 // 3)]


def _huge(megabytes: int) -> Response:
    async def pages() -> AsyncIterator[bytes]:
        yield b'{"results": ['
        for _ in range(megabytes * 16):
            yield CHUNK
        yield b"]}"

    return StreamingResponse(pages(), media_type="application/json")


async def _hang_up(send: Send) -> None:
    """Promise a body and leave: the server then closes the connection in the middle of it."""
    headers = [(b"content-type", b"application/json"), (b"content-length", b"5000")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": b'{"count": 1', "more_body": True})
