"""Let visitors of pages in one by one, so that no program's request waits for a crowd of them."""

import asyncio
from collections import deque


class Turnstile:
    """Let one in at each turn of the loop.

    A page costs the loop about as much as a program's whole request, most of it before the page
    first waits for something. The loop serves in the order of arrival: without this, who comes
    behind ten visitors waits for ten pages. Nobody waits while nobody else comes.
    """

    def __init__(self) -> None:
        self._is_free = True
        self._waiting: deque[asyncio.Future[None]] = deque()

    async def enter(self) -> None:
        """Return when it is this one's turn."""
        loop = asyncio.get_running_loop()
        if self._is_free:
            self._is_free = False
            loop.call_soon(self._let_next_in, loop)
            return
        turn: asyncio.Future[None] = loop.create_future()
        self._waiting.append(turn)
        await turn

    def _let_next_in(self, loop: asyncio.AbstractEventLoop) -> None:
        while self._waiting:
            turn = self._waiting.popleft()
            # Who was cancelled takes nobody's turn.
            if not turn.done():
                turn.set_result(None)
                loop.call_soon(self._let_next_in, loop)
                return
        self._is_free = True
