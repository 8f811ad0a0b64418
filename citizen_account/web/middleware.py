"""Guard what every request passes through, whatever it asks for."""

import logging
import re
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractContextManager
from functools import lru_cache, partial

from starlette.requests import ClientDisconnect, Request
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from citizen_account.bootstrap import Runtime
from citizen_account.domain.errors import DomainError, ErrorCode
from citizen_account.security.tokens import new_request_id
from citizen_account.telemetry import RequestRecord, request_id
from citizen_account.telemetry.tracing import Span, Tracer
from citizen_account.web.errors import answer, gone
from citizen_account.web.requests import comes_by_proxy, parse_fields

log = logging.getLogger(__name__)

MAX_BODY_BYTES = 256 * 1024
MAX_QUERY_BYTES = 32 * 1024
MAX_DIGITS = 12
TWO_YEARS = 63_072_000
# A page sets its own policy; whatever else we answer needs nothing and is framed by nobody.
BARE_POLICY = "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
HEADERS = {
    "x-content-type-options": "nosniff",
    # Under no-referrer Chromium sends "Origin: null" with our own forms.
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=(), payment=()",
    "x-frame-options": "DENY",
    "content-security-policy": BARE_POLICY,
    "cache-control": "no-store",
}
WELL_FORMED_ID = re.compile(r"[A-Za-z0-9._-]{8,64}")
Check = Callable[[Scope, Runtime], ErrorCode | None]


class Guard:
    """Name the request, refuse what is malformed or too large, and add the security headers."""

    def __init__(self, app: ASGIApp, runtime: Runtime) -> None:
        self._app = app
        self._runtime = runtime
        self._paths: dict[object, str] | None = None
        self._missing = lru_cache(maxsize=64)(partial(_missing, _headers_of(runtime)))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = time.monotonic()
        status = 0
        identifier = request_id_of(scope, self._runtime)

        async def send_guarded(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                self._add_headers(message, identifier)
            await send(message)

        named = request_id.set(identifier)
        try:
            if self._runtime.tracer is None:
                await self._pass_on(scope, receive, send_guarded, lambda: status != 0)
            else:
                with self._traced(scope, self._runtime.tracer) as span:
                    try:
                        await self._pass_on(scope, receive, send_guarded, lambda: status != 0)
                    finally:
                        self._describe(span, scope, status)
        finally:
            self._note(scope, status, time.monotonic() - started)
            request_id.reset(named)

    async def _pass_on(
        self, scope: Scope, receive: Receive, send: Send, has_begun: Callable[[], bool]
    ) -> None:
        code = self._fault_of(scope)
        if code is not None:
            await answer(Request(scope), code)(scope, receive, send)
            return
        try:
            await self._app(scope, _capped(receive), send)
        except ClientDisconnect:
            await gone()(scope, receive, send)
        except Exception as error:
            # The answer that Starlette would give came past this: without its headers and its id.
            if has_begun():
                raise
            log.exception("unexpected")
            code = error.code if isinstance(error, DomainError) else ErrorCode.UNEXPECTED
            await answer(Request(scope), code)(scope, receive, send)

    def _fault_of(self, scope: Scope) -> ErrorCode | None:
        for check in CHECKS:
            fault = check(scope, self._runtime)
            if fault is not None:
                return fault
        return None

    def _traced(self, scope: Scope, tracer: Tracer) -> AbstractContextManager[Span]:
        request = Request(scope)
        is_believed = comes_by_proxy(request, self._runtime)
        parent = request.headers.get("traceparent", "") if is_believed else ""
        return tracer.span(scope["method"], parent)

    def _describe(self, span: Span, scope: Scope, status: int) -> None:
        method, route = scope["method"], self._route_of(scope)
        span.name(f"{method} {route}".strip())
        span.note(
            {
                "http.request.method": method,
                "http.route": route,
                "http.response.status_code": status,
                "citizen.request_id": request_id.get(),
            }
        )

    def _note(self, scope: Scope, status: int, seconds: float) -> None:
        """Say what was asked and answered: the route, never the address with its values."""
        method, route = scope["method"], self._route_of(scope)
        milliseconds = round(seconds * 1000, 1)
        facts = {"method": method, "route": route, "status": status, "milliseconds": milliseconds}
        if log.isEnabledFor(logging.INFO):
            log.handle(RequestRecord(log.name, facts))
        runtime = self._runtime
        if runtime.metrics is not None:
            runtime.metrics.note_request(method, route, status, seconds)
            in_use = runtime.database.connections_in_use()
            runtime.metrics.note_load(runtime.hasher.under_way, in_use)

    def _route_of(self, scope: Scope) -> str:
        """Return the path as the program has it, with names in place of values."""
        route = scope.get("route")
        if route is not None:
            return str(route.path)
        # Starlette's own routes leave their endpoint alone behind.
        endpoint = scope.get("endpoint")
        if self._paths is None:
            own = [each for each in scope["app"].routes if isinstance(each, Route)]
            # Some endpoints have two addresses; one without values is its own name.
            self._paths = {each.endpoint: each.path for each in own}
            self._paths |= {(each.endpoint, each.path): each.path for each in own}
        return self._paths.get((endpoint, scope["path"])) or self._paths.get(endpoint, "")

    def _add_headers(self, message: Message, identifier: str) -> None:
        """Add what the answer does not say itself. Names are in small letters (ASGI)."""
        own = message.get("headers", ())
        more = self._missing(tuple([name for name, _ in own]))
        message["headers"] = [*own, *more, (b"x-request-id", identifier.encode())]


def _missing(
    headers: Sequence[tuple[bytes, bytes]], said: tuple[bytes, ...]
) -> Sequence[tuple[bytes, bytes]]:
    return [header for header in headers if header[0] not in said]


def _headers_of(runtime: Runtime) -> Sequence[tuple[bytes, bytes]]:
    headers = dict(HEADERS)
    if runtime.is_https:
        # RFC 6797 section 7.2: over TLS only.
        headers["strict-transport-security"] = f"max-age={TWO_YEARS}; includeSubDomains"
    return [(name.encode(), value.encode()) for name, value in headers.items()]


def request_id_of(scope: Scope, runtime: Runtime) -> str:
    """Return what a trusted proxy calls the request, if that is a plain word; else a new id."""
    given = next((value for name, value in scope["headers"] if name == b"x-request-id"), b"")
    if given:
        word = given.decode("latin-1")
        if WELL_FORMED_ID.fullmatch(word) and comes_by_proxy(Request(scope), runtime):
            return word
    return new_request_id()


def _capped(receive: Receive) -> Callable[[], Awaitable[Message]]:
    """Stop reading a body that grows beyond what anything here accepts."""
    read = 0

    async def receive_capped() -> Message:
        nonlocal read
        message = await receive()
        read += len(message.get("body", b""))
        if read > MAX_BODY_BYTES:
            raise DomainError(ErrorCode.REQUEST_TOO_LARGE)
        return message

    return receive_capped


def _host_fault(scope: Scope, runtime: Runtime) -> ErrorCode | None:
    # RFC 9110 section 7.4. Health and metrics are asked by machines that know an address alone.
    if scope["path"].startswith("/health/") or scope["path"] == "/metrics":
        return None
    hosts = [value for name, value in scope["headers"] if name == b"host"]
    if len(hosts) != 1 or hosts[0].decode("latin-1").lower() != runtime.host:
        return ErrorCode.HOST_UNKNOWN
    return None


def _query_fault(scope: Scope, _: Runtime) -> ErrorCode | None:
    if len(scope["query_string"]) > MAX_QUERY_BYTES:
        return ErrorCode.REQUEST_TOO_LARGE
    if not scope["query_string"]:
        return None
    try:
        parse_fields(scope["query_string"])
    except DomainError as error:
        return error.code
    return None


def _path_fault(scope: Scope, _: Runtime) -> ErrorCode | None:
    # The server has decoded %00 and bad UTF-8 by now; neither is part of an address of ours.
    path = scope["path"]
    is_text = path.isprintable() and "\ufffd" not in path
    return None if is_text else ErrorCode.NOT_FOUND


def _length_fault(scope: Scope, _: Runtime) -> ErrorCode | None:
    lengths = [value for name, value in scope["headers"] if name == b"content-length"]
    if any(not length.isdigit() for length in lengths):
        return ErrorCode.REQUEST_MALFORMED
    # Python refuses to read an integer of thousands of digits, so their number is looked at first.
    if any(len(length) > MAX_DIGITS or int(length) > MAX_BODY_BYTES for length in lengths[:1]):
        return ErrorCode.REQUEST_TOO_LARGE
    return None


CHECKS: Sequence[Check] = (_host_fault, _query_fault, _path_fault, _length_fault)
