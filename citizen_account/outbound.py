"""Reach URLs that clients register, and never anything inside the city's own network.

The name is resolved once, each address is judged, and the connection goes to a judged address:
a name that answers differently the second time (DNS rebinding) gains nothing.
"""

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from enum import StrEnum
from http import HTTPStatus
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from pathlib import Path

import httpx2

from citizen_account.connector_sdk.reading import Json, UnreadableError, parse_json
from citizen_account.domain.transactions import require_no_transaction

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network
Resolve = Callable[[str, int], Awaitable[Sequence[str]]]
"""From a host and a port to its addresses. Raises OSError where there are none."""

MAXIMUM_BYTES = 256_000
MAXIMUM_URL_CHARACTERS = 2048
LAST_PORT = 65_535
TOTAL_SECONDS = 8.0
TIMES = httpx2.Timeout(5.0, connect=3.0)
# A host with many addresses must not make us try for ever.
ADDRESSES_TRIED = 3
# RFC 4291: all that is routed on the internet begins with 001.
GLOBAL_UNICAST = IPv6Network("2000::/3")
NAT64 = IPv6Network("64:ff9b::/96")
FORBIDDEN: tuple[Network, ...] = tuple(
    ip_network(network)
    for network in (
        "168.63.129.16/32",  # the metadata service of Azure, on a public address
        "192.88.99.0/24",  # 6to4 relays, RFC 7526
        "2001::/23",  # protocol assignments with Teredo in them, RFC 2928
        "2001:db8::/32",  # documentation, RFC 3849
        "2002::/16",  # 6to4: an IPv4 address in disguise
        "3fff::/20",  # documentation, RFC 9637
    )
)


class OutboundFault(StrEnum):
    URL_MALFORMED = "url_malformed"
    ADDRESS_FORBIDDEN = "address_forbidden"
    NAME_UNKNOWN = "name_unknown"
    NO_ANSWER = "no_answer"
    CERTIFICATE_INVALID = "certificate_invalid"
    STATUS_UNEXPECTED = "status_unexpected"
    ANSWER_UNREADABLE = "answer_unreadable"


class OutboundError(Exception):
    """Say why nothing was fetched. It names no URL: one may carry a secret."""

    def __init__(self, fault: OutboundFault, detail: str = "") -> None:
        super().__init__(f"{fault}: {detail}" if detail else fault.value)
        self.fault = fault


def trust(extra_authority: Path | None = None) -> ssl.SSLContext:
    """Return the authorities that we believe; verification cannot be switched off."""
    context = httpx2.create_ssl_context(trust_env=False)
    if extra_authority is not None:
        context.load_verify_locations(extra_authority)
    return context


async def resolve(host: str, port: int) -> Sequence[str]:
    """Ask the system's resolver."""
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(where[0]) for *_, where in found]


class Outbound:
    """The one client for URLs that others wrote. One serves the whole process."""

    def __init__(
        self,
        allowed_networks: Sequence[Network] = (),
        trusted_ca_file: Path | None = None,
        *,
        allow_http_loopback: bool = False,
        total_seconds: float = TOTAL_SECONDS,
        resolve: Resolve = resolve,
    ) -> None:
        self._allowed = tuple(allowed_networks)
        self._allows_loopback = allow_http_loopback
        self._total_seconds = total_seconds
        self._resolve = resolve
        # A connection is made for one name and must not serve another one on the same address.
        self._transport = httpx2.AsyncHTTPTransport(
            verify=trust(trusted_ca_file),
            trust_env=False,
            limits=httpx2.Limits(max_connections=20, max_keepalive_connections=0),
        )

    async def get_json(self, url: str, max_bytes: int = MAXIMUM_BYTES) -> Json:
        """Return the JSON at the URL.

        Raises:
            OutboundError: with the fault.

        """
        async with self._open("GET", url) as response:
            if response.status_code != HTTPStatus.OK:
                raise _unexpected(response.status_code)
            try:
                return parse_json(await _read(response, max_bytes))
            except UnreadableError as error:
                raise OutboundError(OutboundFault.ANSWER_UNREADABLE, str(error)) from None

    async def post_form(self, url: str, fields: Mapping[str, str]) -> int:
        """Post the fields and return the status, whatever it is; the body stays unread.

        Raises:
            OutboundError: with the fault.

        """
        async with self._open("POST", url, fields) as response:
            return response.status_code

    async def close(self) -> None:
        await self._transport.aclose()

    @asynccontextmanager
    async def _open(
        self, method: str, url: str, fields: Mapping[str, str] | None = None
    ) -> AsyncIterator[httpx2.Response]:
        require_no_transaction()
        target = self._parse(url)
        try:
            async with asyncio.timeout(self._total_seconds):
                addresses = await self._judged_addresses(target)
                response = await self._send(method, target, addresses, fields)
                try:
                    yield response
                finally:
                    await response.aclose()
        except TimeoutError:
            raise OutboundError(OutboundFault.NO_ANSWER, "not in time") from None
        except httpx2.TransportError as error:
            raise _fault(error) from None

    def _parse(self, url: str) -> httpx2.URL:
        if len(url) > MAXIMUM_URL_CHARACTERS or not url.isprintable() or " " in url:
            raise OutboundError(OutboundFault.URL_MALFORMED)
        try:
            target = httpx2.URL(url)
        except httpx2.InvalidURL:
            raise OutboundError(OutboundFault.URL_MALFORMED) from None
        schemes = ("https", "http") if self._allows_loopback else ("https",)
        # Backslashes and user parts make two readers of one URL see two hosts.
        if target.scheme not in schemes or not target.host or target.userinfo or "\\" in url:
            raise OutboundError(OutboundFault.URL_MALFORMED)
        if target.fragment or "%" in target.host or not _is_port(target.port):
            raise OutboundError(OutboundFault.URL_MALFORMED)
        return target

    async def _judged_addresses(self, target: httpx2.URL) -> list[Address]:
        port = target.port or (443 if target.scheme == "https" else 80)
        try:
            found = await self._resolve(target.raw_host.decode("ascii"), port)
        except (OSError, UnicodeError):
            raise OutboundError(OutboundFault.NAME_UNKNOWN) from None
        addresses = [ip_address(address) for address in dict.fromkeys(found)]
        good = [address for address in addresses if self._permits(address, target.scheme)]
        if not good:
            raise OutboundError(OutboundFault.ADDRESS_FORBIDDEN)
        return good[:ADDRESSES_TRIED]

    def _permits(self, address: Address, scheme: str) -> bool:
        plain = _unwrapped(address)
        if self._allows_loopback and plain.is_loopback:
            return True
        if scheme != "https":
            return False
        return is_public(plain) or any(plain in network for network in self._allowed)

    async def _send(
        self,
        method: str,
        target: httpx2.URL,
        addresses: Sequence[Address],
        fields: Mapping[str, str] | None,
    ) -> httpx2.Response:
        *others, last = addresses
        for address in others:
            try:
                return await self._send_to(address, method, target, fields)
            except (httpx2.ConnectError, httpx2.ConnectTimeout):
                continue
        return await self._send_to(last, method, target, fields)

    async def _send_to(
        self,
        address: Address,
        method: str,
        target: httpx2.URL,
        fields: Mapping[str, str] | None,
    ) -> httpx2.Response:
        request = httpx2.Request(
            method,
            target.copy_with(host=str(address)),
            headers={
                "Host": target.netloc.decode("ascii"),
                "Accept": "application/json",
                "Accept-Encoding": "identity",
                "User-Agent": "citizen-account",
            },
            data=None if fields is None else dict(fields),
            extensions={
                "timeout": TIMES.as_dict(),
                # The certificate must be the name's, not the address's.
                "sni_hostname": target.raw_host.decode("ascii"),
            },
        )
        return await self._transport.handle_async_request(request)


def is_public(address: Address) -> bool:
    """Tell whether an address belongs to the internet at large."""
    if any(address in network for network in FORBIDDEN):
        return False
    if isinstance(address, IPv6Address) and address not in GLOBAL_UNICAST:
        return False
    return address.is_global and not (address.is_multicast or address.is_reserved)


def _is_port(port: int | None) -> bool:
    return port is None or 0 < port <= LAST_PORT


def _unwrapped(address: Address) -> Address:
    """Return the IPv4 address inside an IPv6 one that only carries it."""
    if isinstance(address, IPv4Address):
        return address
    if address in NAT64:
        return IPv4Address(address.packed[-4:])
    return address.ipv4_mapped or address


def _fault(error: httpx2.TransportError) -> OutboundError:
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return OutboundError(OutboundFault.CERTIFICATE_INVALID)
        cause = cause.__cause__ or cause.__context__
    return OutboundError(OutboundFault.NO_ANSWER, type(error).__name__)


def _unexpected(status: int) -> OutboundError:
    return OutboundError(OutboundFault.STATUS_UNEXPECTED, str(status))


async def _read(response: httpx2.Response, max_bytes: int) -> bytes:
    if response.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise UnreadableError("packed, which nobody asked for")
    raw = bytearray()
    async for chunk in response.aiter_raw():
        raw += chunk
        if len(raw) > max_bytes:
            raise UnreadableError(f"larger than {max_bytes} bytes")
    return bytes(raw)
