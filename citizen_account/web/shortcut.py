"""Lead the busiest addresses to their endpoints at once, past a router with a hundred others.

Whoever comes to one of the others passes a turnstile before.
"""

from collections.abc import Awaitable, Callable, Mapping

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from citizen_account.domain.errors import DomainError
from citizen_account.web.errors import answer_refusal
from citizen_account.web.turnstile import Turnstile

Endpoint = Callable[[Request], Awaitable[Response]]
Endpoints = Mapping[tuple[str, str], Endpoint]
"""By method and path."""


class Busiest:
    """Answer at these addresses alone.

    The same endpoints stand in the routes as well: those answer every other method.
    """

    def __init__(self, endpoints: Endpoints) -> None:
        self._endpoints = endpoints

    def knows(self, scope: Scope) -> bool:
        return scope["type"] == "http" and (scope["method"], scope["path"]) in self._endpoints

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        # The log names the route by it.
        endpoint = scope["endpoint"] = self._endpoints[scope["method"], scope["path"]]
        request = Request(scope, receive, send)
        try:
            response = await endpoint(request)
        except DomainError as error:
            response = await answer_refusal(request, error)
        await response(scope, receive, send)


class Entrance:
    """Let who comes to any other address in through the turnstile."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._turnstile = Turnstile()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            await self._turnstile.enter()
        await self._app(scope, receive, send)
