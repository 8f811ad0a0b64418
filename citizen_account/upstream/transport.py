"""Bound every call to another provider: its time, its size, and no transaction meanwhile."""

import asyncio
from collections.abc import AsyncIterator

import httpx2

from citizen_account.domain.transactions import require_no_transaction

CONNECT_SECONDS = 2.0
TOTAL_SECONDS = 5.0
MAXIMUM_BYTES = 256 * 1024
TIMES = httpx2.Timeout(TOTAL_SECONDS, connect=CONNECT_SECONDS)


class BoundedTransport(httpx2.AsyncBaseTransport):
    """Read the whole answer here, so that the deadline covers it. Redirects are never followed."""

    def __init__(self, inner: httpx2.AsyncBaseTransport) -> None:
        self._inner = inner

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        require_no_transaction()
        # A packed body of a few bytes may unpack to gigabytes.
        request.headers["Accept-Encoding"] = "identity"
        try:
            async with asyncio.timeout(TOTAL_SECONDS):
                response = await self._inner.handle_async_request(request)
                try:
                    body = await _read(response)
                finally:
                    await response.aclose()
        except TimeoutError as error:
            raise httpx2.ReadTimeout("not in time", request=request) from error
        headers = {"Content-Type": response.headers.get("Content-Type", "")}
        return httpx2.Response(response.status_code, headers=headers, content=body, request=request)

    async def aclose(self) -> None:
        """Leave the connections open: each sign-in has a client of its own over this transport."""

    async def close(self) -> None:
        await self._inner.aclose()


async def _read(response: httpx2.Response) -> bytes:
    body = bytearray()
    stream: AsyncIterator[bytes] = response.aiter_raw()
    async for chunk in stream:
        body += chunk
        if len(body) > MAXIMUM_BYTES:
            raise httpx2.ReadError(f"larger than {MAXIMUM_BYTES} bytes")
    return bytes(body)
