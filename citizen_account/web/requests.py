"""Read what a stranger sends: bounded, well-formed text, or a clear refusal."""

from collections.abc import Sequence
from ipaddress import ip_address
from typing import Self
from urllib.parse import parse_qsl

from starlette.requests import ClientDisconnect, Request

from citizen_account.bootstrap import Runtime
from citizen_account.domain.errors import DomainError, ErrorCode

MAX_FORM_BYTES = 64 * 1024
MAX_FIELDS = 200
FORM_TYPE = "application/x-www-form-urlencoded"
UNKNOWN_ADDRESS = "0.0.0.0"  # noqa: S104  # stands for a peer without an address


class Form:
    """The fields of a form in their order. Our own pages send no name twice but tick boxes."""

    def __init__(self, fields: Sequence[tuple[str, str]]) -> None:
        self.fields = tuple(fields)

    @classmethod
    def empty(cls) -> Self:
        return cls(())

    def text(self, name: str) -> str:
        """Return the field without the blanks around it; an absent one is empty."""
        return self.secret(name).strip()

    def secret(self, name: str) -> str:
        """Return the field to the letter, for a password."""
        return next((value for field, value in self.fields if field == name), "")

    def values(self, name: str) -> list[str]:
        return [value for field, value in self.fields if field == name]


async def read_body(request: Request, limit: int = MAX_FORM_BYTES) -> bytes:
    """Return the body. Raises: request_too_large, before more than the limit is held."""
    chunks: list[bytes] = []
    size = 0
    is_more = True
    # What `Request.stream` does, without a generator: nearly every body comes at once.
    while is_more:
        message = await request.receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        chunks.append(message.get("body", b""))
        size += len(chunks[-1])
        if size > limit:
            raise DomainError(ErrorCode.REQUEST_TOO_LARGE)
        is_more = message.get("more_body", False)
    return b"".join(chunks)


async def read_form(request: Request) -> list[tuple[str, str]]:
    """Return the fields in their order, repeated ones too.

    Raises: request_too_large, request_malformed, content_type_unsupported.
    """
    body = await read_body(request)
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if body and kind != FORM_TYPE:
        raise DomainError(ErrorCode.CONTENT_TYPE_UNSUPPORTED)
    return parse_fields(body)


def parse_fields(encoded: bytes) -> list[tuple[str, str]]:
    """Decode a form or a query. Raises: request_malformed."""
    try:
        # A NUL would be refused by PostgreSQL, a lone surrogate by UTF-8: both with an exception.
        fields = parse_qsl(
            encoded.decode("ascii"),
            keep_blank_values=True,
            errors="strict",
            max_num_fields=MAX_FIELDS,
        )
    except ValueError:
        raise DomainError(ErrorCode.REQUEST_MALFORMED) from None
    if any("\x00" in name or "\x00" in value for name, value in fields):
        raise DomainError(ErrorCode.REQUEST_MALFORMED)
    return fields


def client_address(request: Request, runtime: Runtime) -> str:
    """Return the address that asked. A forwarded one is believed from a trusted proxy only."""
    peer = request.client.host if request.client else UNKNOWN_ADDRESS
    if not _is_trusted(peer, runtime):
        return peer
    # The last entry that no trusted proxy wrote is the first that can be believed.
    for entry in reversed(request.headers.get("x-forwarded-for", "").split(",")):
        address = entry.strip()
        if not address:
            break
        if not _is_trusted(address, runtime):
            return address if _is_address(address) else peer
    return peer


def comes_by_proxy(request: Request, runtime: Runtime) -> bool:
    """Say whether the headers of this request are a trusted proxy's."""
    return request.client is not None and _is_trusted(request.client.host, runtime)


def _is_trusted(address: str, runtime: Runtime) -> bool:
    if not _is_address(address):
        return False
    return any(ip_address(address) in network for network in runtime.trusted_proxies)


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True
