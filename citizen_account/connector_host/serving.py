"""Serve one connector over HTTP, so that it runs in a process or on a machine of its own."""

import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from http import HTTPStatus

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import OctKey
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from citizen_account.connector_host.containment import BrokenConnectorError, within
from citizen_account.connector_sdk.errors import ConnectorError
from citizen_account.connector_sdk.manifest import Manifest
from citizen_account.connector_sdk.operations import (
    ERROR_TYPE,
    MANIFEST_PATH,
    OPERATIONS,
    Operation,
    Problem,
    problem_of,
)
from citizen_account.connector_sdk.protocol import Connector
from citizen_account.connector_sdk.wire import WireError, dump, load

MAXIMUM_BYTES = 64_000
PROBLEM = "application/problem+json"
# How long a caller's token is good for, either side of our clock.
TOKEN_AGE = timedelta(seconds=60)
Serving = Starlette
Endpoint = Callable[[Request], Awaitable[Response]]
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Caller:
    """The account that may call, and the secret that it signs with."""

    client_id: str
    secret: str = field(repr=False)
    clock: Callable[[], datetime] = field(repr=False)

    def is_it(self, authorization: str) -> bool:
        """Tell whether the header carries a fresh token of this caller (HS256)."""
        scheme, _, token = authorization.partition(" ")
        if scheme.lower() != "bearer":
            return False
        try:
            key = OctKey.import_key(self.secret)
            claims = jwt.decode(token, key, algorithms=["HS256"]).claims
        # The library lets some headers of wrong types through.
        except (JoseError, ValueError, TypeError, RecursionError):
            return False
        issued = claims.get("iat")
        if not isinstance(issued, int) or claims.get("client_id") != self.client_id:
            return False
        return abs(self.clock().timestamp() - issued) <= TOKEN_AGE.total_seconds()


def create_serving(manifest: Manifest, connector: Connector, caller: Caller) -> Serving:
    """Return the application: the manifest for everybody, the operations for the caller."""

    async def tell_manifest(_: Request) -> Response:
        return JSONResponse(manifest.model_dump(mode="json", by_alias=True))

    routes = [Route(MANIFEST_PATH, tell_manifest)]
    for path, operation in OPERATIONS.items():
        if operation.capability in manifest.capabilities:
            endpoint = _endpoint(operation, manifest, connector, caller)
            routes.append(Route(path, endpoint, methods=["POST"]))
    return Starlette(routes=routes)


def _endpoint(
    operation: Operation, manifest: Manifest, connector: Connector, caller: Caller
) -> Endpoint:
    seconds = manifest.limits.timeout.total_seconds()

    async def endpoint(request: Request) -> Response:
        if not caller.is_it(request.headers.get("Authorization", "")):
            return _problem(HTTPStatus.UNAUTHORIZED, "unauthorized", "a fresh token is needed")
        raw = await _body(request)
        if raw is None:
            return _problem(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "too_large", "body too large")
        try:
            asked = load(raw or b"{}", operation.asked)
        except WireError as error:
            return _problem(HTTPStatus.BAD_REQUEST, "malformed", str(error))
        try:
            answer = await within(seconds, lambda: operation.run(connector, asked))
            return Response(dump(answer, operation.answered), media_type="application/json")
        except ConnectorError as error:
            return _told(problem_of(error))
        except (BrokenConnectorError, WireError) as error:
            log.warning("connector_broken", extra={"connector": manifest.id, "detail": str(error)})
            return _problem(HTTPStatus.INTERNAL_SERVER_ERROR, "broken", "the connector failed")

    return endpoint


async def _body(request: Request) -> bytes | None:
    raw = bytearray()
    try:
        async for chunk in request.stream():
            raw += chunk
            if len(raw) > MAXIMUM_BYTES:
                return None
    except ClientDisconnect:
        return None
    return bytes(raw)


def _problem(status: HTTPStatus, code: str, title: str) -> Response:
    return _told(Problem(f"{ERROR_TYPE}{code}", title, status.value))


def _told(problem: Problem) -> Response:
    wait = problem.retry_after
    headers = {} if wait is None else {"Retry-After": str(round(wait))}
    return Response(dump(problem, Problem), problem.status, headers, media_type=PROBLEM)
