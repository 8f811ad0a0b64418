"""Stand between a connector and its emulator: note what passes, and spoil it where a check asks."""

import asyncio
import json
import ssl
from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import unquote_plus

import httpx2

from citizen_account.connector_sdk.reading import Json

Spoil = Callable[[Json], Json]
"""From a JSON answer to what arrives instead."""


@dataclass(frozen=True, slots=True)
class Sent:
    """A request as it left; URL and body with percent signs undone."""

    method: str
    url: str
    headers: str
    body: str

    def mentions(self, value: str) -> bool:
        return any(value in part for part in (self.url, self.headers, self.body))


@dataclass
class Rigged(httpx2.AsyncBaseTransport):
    """A transport around the emulator's. As it is made, it only notes what is sent."""

    inner: httpx2.AsyncBaseTransport
    sent: list[Sent] = field(default_factory=list)
    answered: list[Json] = field(default_factory=list)
    delay_seconds: float = 0
    fails_with: Exception | None = None
    status: int | None = None
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes | None = None
    spoil: Spoil | None = None

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        self.sent.append(await _noted(request))
        if self.delay_seconds:
            await asyncio.sleep(self.delay_seconds)
        if self.fails_with is not None:
            raise self.fails_with
        if self.status is not None or self.body is not None:
            return httpx2.Response(self.status or 200, headers=self.headers, content=self.body)
        return await self._passed_on(request)

    async def _passed_on(self, request: httpx2.Request) -> httpx2.Response:
        # Packed answers could not be looked into.
        request.headers["Accept-Encoding"] = "identity"
        response = await self.inner.handle_async_request(request)
        raw = await response.aread()
        headers = {"Content-Type": response.headers.get("Content-Type", "application/json")}
        try:
            value: Json = json.loads(raw)
        except ValueError:
            return httpx2.Response(response.status_code, headers=headers, content=raw)
        self.answered.append(value)
        if self.spoil is not None and response.is_success:
            raw = json.dumps(self.spoil(value)).encode()
        return httpx2.Response(response.status_code, headers=headers, content=raw)


async def _noted(request: httpx2.Request) -> Sent:
    body = await request.aread()
    headers = "\n".join(f"{name}: {value}" for name, value in request.headers.items())
    url = unquote_plus(str(request.url))
    return Sent(request.method, url, headers, unquote_plus(body.decode("utf-8", "replace")))


def refused_connection() -> Exception:
    return httpx2.ConnectError("connection refused")


def bad_certificate() -> Exception:
    error = httpx2.ConnectError("certificate verify failed")
    error.__cause__ = ssl.SSLCertVerificationError("self-signed certificate")
    return error


def with_unknown_members(value: Json) -> Json:
    """Add a member to every object, as a later version of the source may."""
    if isinstance(value, dict):
        grown: dict[str, Json] = {name: with_unknown_members(part) for name, part in value.items()}
        return grown | {"x-unknown-member": {"since": "today"}}
    if isinstance(value, list):
        return [with_unknown_members(part) for part in value]
    return value


def members_of(value: Json) -> set[str]:
    """Return the name of every member, however deep."""
    if isinstance(value, dict):
        return set(value).union(*map(members_of, value.values()))
    if isinstance(value, list):
        return set().union(*map(members_of, value))
    return set()


def dropping(name: str) -> Spoil:
    def spoil(value: Json) -> Json:
        if isinstance(value, dict):
            return {key: spoil(part) for key, part in value.items() if key != name}
        return [spoil(part) for part in value] if isinstance(value, list) else value

    return spoil


def setting(name: str, new: Json) -> Spoil:
    def spoil(value: Json) -> Json:
        if isinstance(value, dict):
            return {key: new if key == name else spoil(part) for key, part in value.items()}
        return [spoil(part) for part in value] if isinstance(value, list) else value

    return spoil
