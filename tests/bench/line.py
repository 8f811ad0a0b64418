"""Speak HTTP over one kept connection with as little work as it takes: the load must be cheap."""

import asyncio
from collections.abc import Mapping
from types import TracebackType
from typing import Self
from urllib.parse import urlencode, urlsplit

OK = 200
LENGTH = b"content-length:"


class UnexpectedAnswerError(Exception):
    """The server answered something else than what is measured."""


class Line:
    def __init__(self, url: str) -> None:
        self._host = urlsplit(url).netloc

    async def __aenter__(self) -> Self:
        host, _, port = self._host.partition(":")
        self._reader, self._writer = await asyncio.open_connection(host, int(port))
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self._writer.close()

    def form(self, path: str, fields: Mapping[str, str], headers: str = "") -> bytes:
        body = urlencode(fields)
        kind = "Content-Type: application/x-www-form-urlencoded"
        return self.request(
            f"POST {path}", f"{headers}{kind}\r\nContent-Length: {len(body)}\r\n", body
        )

    def request(self, verb: str, headers: str = "", body: str = "") -> bytes:
        return f"{verb} HTTP/1.1\r\nHost: {self._host}\r\n{headers}\r\n{body}".encode()

    async def send(self, request: bytes) -> tuple[int, bytes]:
        """Return the status and the body."""
        self._writer.write(request)
        head = await self._reader.readuntil(b"\r\n\r\n")
        return int(head[9:12]), await self._body(head)

    async def ask(self, request: bytes) -> bytes:
        """Return the body. Raises: UnexpectedAnswerError unless all went well."""
        status, body = await self.send(request)
        if status != OK:
            raise UnexpectedAnswerError(f"{status} {body[:300]!r} to {request[:400]!r}")
        return body

    async def _body(self, head: bytes) -> bytes:
        for line in head.lower().split(b"\r\n"):
            if line.startswith(LENGTH):
                return await self._reader.readexactly(int(line[len(LENGTH) :]))
        body = b""
        # RFC 9112 section 7.1: chunks, each behind its length, until an empty one.
        while size := int(await self._reader.readuntil(b"\r\n"), 16):
            body += (await self._reader.readexactly(size + 2))[:-2]
        await self._reader.readuntil(b"\r\n")
        return body
