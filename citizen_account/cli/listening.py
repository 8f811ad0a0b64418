"""Listen for requests such that a process which is stopped cuts none of them."""

import asyncio
from typing import cast

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

LINGER_SECONDS = 1.0
LONGEST_HEAD = 65_536
"""Bytes, and the piece in which the last of them came. The longest address is half of it."""
# RFC 6585 section 5.
TOO_LARGE = (
    b"HTTP/1.1 431 Request Header Fields Too Large\r\n"
    b"connection: close\r\ncontent-length: 0\r\n\r\n"
)
_STATUS_LINE = b"HTTP/1.1 "


class PatientProtocol(HttpToolsProtocol):
    """A connection that waits a moment, when the process stops, for a request on its way.

    The server closes at once what seems idle to it. But a proxy that has just connected, or whose
    request is half read, sees its resident's request die of that, and must not send it again.
    And what comes before a body has an end here, where the server would keep all that is sent.
    """

    _is_in_head = False
    _head_size = 0

    def connection_made(  # type: ignore[override]  # a TCP server's transport, as there
        self, transport: asyncio.Transport
    ) -> None:
        super().connection_made(cast("asyncio.Transport", WholeAnswers(transport, self.loop)))

    def on_message_begin(self) -> None:
        self._is_in_head = True
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        self._is_in_head = False
        super().on_headers_complete()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        self._head_size = self._head_size + len(data) if self._is_in_head else 0
        if self._head_size > LONGEST_HEAD and not self.transport.is_closing():
            self.transport.write(TOO_LARGE)
            self.transport.close()

    def shutdown(self) -> None:
        is_idle = self.cycle is None or self.cycle.response_complete
        if is_idle:
            self.loop.call_later(LINGER_SECONDS, super().shutdown)
        else:
            super().shutdown()


class WholeAnswers:
    """A transport that sends the head of an answer together with its body.

    The server writes them one after the other, and uvloop sends at once whatever is written: that
    would be two packets for each answer, and two calls of the system.
    """

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        self._transport = transport
        self._loop = loop
        self._head = b""

    def __getattr__(self, name: str) -> object:
        return getattr(self._transport, name)

    def write(self, data: bytes) -> None:
        if self._head:
            head, self._head = self._head, b""
            self._transport.write(head + data)
        elif data.startswith(_STATUS_LINE):
            self._head = data
            # A body that takes its time, or none at all, does not hold the head back.
            self._loop.call_soon(self._flush)
        else:
            self._transport.write(data)

    def close(self) -> None:
        self._flush()
        self._transport.close()

    def is_closing(self) -> bool:
        return self._transport.is_closing()

    def _flush(self) -> None:
        if self._head:
            head, self._head = self._head, b""
            self._transport.write(head)
