"""Give a connector its one way out: to the address that the operator wrote, and no other.

Faults of the network and statuses become the errors of `errors`, bodies are bounded, redirects
are not followed, cookies are not kept, and nothing that is sent or answered is logged.
"""

import asyncio
import ssl
import zlib
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from types import MappingProxyType
from typing import cast

import httpx2

from citizen_account.connector_sdk.auth import Credentials, NoCredentials
from citizen_account.connector_sdk.errors import (
    ConnectorError,
    Gone,
    Misconfigured,
    OutcomeUnknown,
    RateLimited,
    Refused,
    Unavailable,
)
from citizen_account.connector_sdk.reading import Json, UnreadableError, parse_json

Transport = httpx2.AsyncBaseTransport
Params = Mapping[str, str | int | float | Sequence[str]]
MAXIMUM_BYTES = 1_000_000
CONNECT_SECONDS = 2.0
READ_SECONDS = 8.0
RETRY_AFTER_DEFAULT = 60.0
# A source that asks for more may be mistaken or hostile.
RETRY_AFTER_MAXIMUM = 3600.0
NOT_SENT = (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.PoolTimeout, httpx2.ProxyError)
REJECTED_TEXT: Mapping[str, str] = MappingProxyType(
    {"en": "The service did not accept this.", "sk": "Služba to neprijala."}
)


@dataclass(frozen=True, slots=True)
class Reply:
    """What a source answered; `body` is None when it was empty."""

    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: Json = field(repr=False)


class ConnectorHttp:
    """Speak JSON to one source. `peer` speaks to the other systems that the manifest names."""

    def __init__(
        self,
        base_url: str,
        transport: Transport,
        *,
        credentials: Credentials | None = None,
        timeout_seconds: float = READ_SECONDS,
        peers: Mapping[str, "ConnectorHttp"] | None = None,
    ) -> None:
        self._base = httpx2.URL(base_url if base_url.endswith("/") else base_url + "/")
        self._transport = transport
        self._credentials = credentials or NoCredentials()
        self._timeout_seconds = timeout_seconds
        self._peers = peers or {}

    @property
    def base_url(self) -> str:
        return str(self._base)

    def peer(self, name: str) -> "ConnectorHttp":
        """Return the way to another system of the manifest's `[auth.peers]`."""
        if name not in self._peers:
            raise Misconfigured(f"no address is configured for the peer {name}")
        return self._peers[name]

    async def get_json(
        self, path: str, params: Params | None = None, headers: Mapping[str, str] | None = None
    ) -> Json:
        """Return what stands at the path, or at an absolute URL of the same source."""
        return (await self.request("GET", path, params=params, headers=headers)).body

    async def post_json(
        self, path: str, body: Json, headers: Mapping[str, str] | None = None
    ) -> Json:
        """Send a write once.

        Raises:
            OutcomeUnknown: when it was sent and no answer came.

        """
        return (await self.request("POST", path, json=body, headers=headers)).body

    async def request(  # noqa: PLR0913 - the parts of an HTTP request
        self,
        method: str,
        path: str,
        *,
        params: Params | None = None,
        json: Json = None,
        headers: Mapping[str, str] | None = None,
        is_read: bool | None = None,
        expected: Collection[int] = (),
    ) -> Reply:
        """Send a request and return its answer.

        A status in `expected` is returned whatever it is, for the connector to decide on its
        body; any other but a success becomes an error. `is_read` says that a repetition does no
        harm; without it only GET and HEAD are reads.
        """
        safe = method in ("GET", "HEAD") if is_read is None else is_read
        asked = {"Accept": "application/json", "Accept-Encoding": "gzip", **(headers or {})}
        async with self._faults(is_read=safe, operation=f"{method} request"):
            asked |= await self._credentials.headers(self._post_form)
            request = self._build(method, path, params, json, asked)
            status, answered, raw = await self._send(request)
            if status not in expected:
                self._raise_for(status, answered, is_read=safe)
            body = parse_json(raw) if raw.strip() else None
        return Reply(status, answered, body)

    def _build(
        self, method: str, path: str, params: Params | None, json: Json, headers: Mapping[str, str]
    ) -> httpx2.Request:
        url = self._url(path)
        if params:
            url = url.copy_merge_params(dict(params))
        return httpx2.Request(method, url, headers=headers, json=json, extensions=self._patience())

    def _url(self, path: str) -> httpx2.URL:
        try:
            url = self._base.join(path.lstrip("/") if not path.startswith("//") else path)
        except httpx2.InvalidURL as error:
            raise Unavailable("the source named an address that cannot be read") from error
        # Sources give links of their own: they must not lead our credentials elsewhere.
        if (url.scheme, url.host, url.port) != (
            self._base.scheme,
            self._base.host,
            self._base.port,
        ):
            raise Misconfigured("the source points to another host than its base_url")
        return url

    def _patience(self) -> dict[str, object]:
        read = min(READ_SECONDS, self._timeout_seconds)
        times = httpx2.Timeout(read, connect=min(CONNECT_SECONDS, self._timeout_seconds))
        return {"timeout": times.as_dict()}

    async def _send(self, request: httpx2.Request) -> tuple[int, Mapping[str, str], bytes]:
        """Send it over the bare transport: no cookies, no redirects, no environment, no log."""
        async with asyncio.timeout(self._timeout_seconds):
            response = await self._transport.handle_async_request(request)
            try:
                raw = await _read(response)
            finally:
                await response.aclose()
        return response.status_code, response.headers, raw

    async def _post_form(
        self, url: str, fields: Mapping[str, str], headers: Mapping[str, str]
    ) -> object:
        """Fetch a token from the URL that the operator wrote."""
        request = httpx2.Request(
            "POST",
            url,
            headers={"Accept": "application/json", "Accept-Encoding": "gzip", **headers},
            data=dict(fields),
            extensions=self._patience(),
        )
        async with self._faults(is_read=True, operation="token request"):
            status, answered, raw = await self._send(request)
            if status == HTTPStatus.BAD_REQUEST:
                # RFC 6749 section 5.2: the client, its secret or its scope.
                raise Misconfigured("the token endpoint answered 400")
            self._raise_for(status, answered, is_read=True)
            return parse_json(raw)

    @asynccontextmanager
    async def _faults(self, *, is_read: bool, operation: str) -> AsyncIterator[None]:
        try:
            yield
        except ssl.SSLCertVerificationError as error:
            raise Misconfigured("the certificate of the source does not hold") from error
        except httpx2.TransportError as error:
            raise _fault(error, is_read=is_read, operation=operation) from None
        except UnreadableError as error:
            # A write that was answered, only not in a way that can be read, may have happened.
            if is_read:
                raise Unavailable(str(error)) from None
            raise OutcomeUnknown(operation) from None
        except TimeoutError:
            if is_read:
                raise Unavailable("no answer in time") from None
            raise OutcomeUnknown(operation) from None

    def _raise_for(self, status: int, headers: Mapping[str, str], *, is_read: bool) -> None:
        if status == HTTPStatus.UNAUTHORIZED:
            self._credentials.forget()
        error = error_of(status, headers, is_read=is_read)
        if error is not None:
            raise error


def open_transport(trust: ssl.SSLContext, connections: int) -> Transport:
    """Return a pool of at most so many connections; no proxy of the environment is used."""
    limits = httpx2.Limits(max_connections=connections, max_keepalive_connections=connections)
    return httpx2.AsyncHTTPTransport(verify=trust, trust_env=False, limits=limits)


def _fault(error: httpx2.TransportError, *, is_read: bool, operation: str) -> ConnectorError:
    if _is_certificate_fault(error):
        return Misconfigured("the certificate of the source does not hold")
    if isinstance(error, httpx2.UnsupportedProtocol):
        return Misconfigured("base_url is no http or https address")
    kind = type(error).__name__
    if is_read or isinstance(error, NOT_SENT):
        return Unavailable(f"no answer: {kind}")
    return OutcomeUnknown(operation)


def _is_certificate_fault(error: BaseException | None) -> bool:
    while error is not None:
        if isinstance(error, ssl.SSLCertVerificationError):
            return True
        error = error.__cause__ or error.__context__
    return False


def error_of(  # noqa: PLR0911 - a line for each status
    status: int, headers: Mapping[str, str], *, is_read: bool = True
) -> ConnectorError | None:
    """Return the error that a status stands for; None for a success."""
    if HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES:
        return None
    wait = retry_after(headers.get("Retry-After"), datetime.now(UTC))
    match status:
        case HTTPStatus.TOO_MANY_REQUESTS:
            return RateLimited(RETRY_AFTER_DEFAULT if wait is None else wait)
        case HTTPStatus.UNAUTHORIZED | HTTPStatus.FORBIDDEN:
            return Misconfigured(f"the source refuses our credentials ({status})")
        case HTTPStatus.NOT_FOUND | HTTPStatus.GONE:
            return Gone(f"the source answered {status}")
        case HTTPStatus.GATEWAY_TIMEOUT if not is_read:
            return OutcomeUnknown("a write that went through a gateway")
        case HTTPStatus.REQUEST_TIMEOUT:
            return Unavailable("the source answered 408")
        case _ if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            return Unavailable(f"the source answered {status}", retry_after=wait)
        case _ if status >= HTTPStatus.BAD_REQUEST:
            return Refused(f"status_{status}", REJECTED_TEXT)
        case _:
            return Misconfigured(f"the source answered {status}: is base_url right?")


def retry_after(value: str | None, now: datetime) -> float | None:
    """Return the seconds that a Retry-After header asks for (RFC 9110 section 10.2.3).

    >>> retry_after("30", datetime.now(UTC))
    30.0
    """
    if not value:
        return None
    if value.strip().isdecimal() and value.isascii():
        seconds = float(value[:9])
    else:
        try:
            until = parsedate_to_datetime(value)
        except ValueError:
            return None
        seconds = (until.replace(tzinfo=until.tzinfo or UTC) - now).total_seconds()
    return min(max(seconds, 0.0), RETRY_AFTER_MAXIMUM)


async def _read(response: httpx2.Response) -> bytes:
    raw = bytearray()
    # The stream itself: the response would unpack it, and without a limit.
    stream = cast("httpx2.AsyncByteStream", response.stream)  # every transport here is async
    async for chunk in stream:
        raw += chunk
        if len(raw) > MAXIMUM_BYTES:
            raise UnreadableError(f"the answer is larger than {MAXIMUM_BYTES} bytes")
    return _unpacked(bytes(raw), response.headers.get("Content-Encoding", "identity").lower())


def _unpacked(raw: bytes, encoding: str) -> bytes:
    """Unpack without ever holding more than the limit: a small body may unpack to gigabytes."""
    if encoding in ("", "identity"):
        return raw
    if encoding not in ("gzip", "x-gzip"):
        raise UnreadableError("the answer is packed in a way that nobody asked for")
    try:
        unpacked = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16).decompress(raw, MAXIMUM_BYTES + 1)
    except zlib.error:
        raise UnreadableError("the answer cannot be unpacked") from None
    if len(unpacked) > MAXIMUM_BYTES:
        raise UnreadableError(f"the answer is larger than {MAXIMUM_BYTES} bytes")
    return unpacked
