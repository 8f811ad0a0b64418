"""Tell an operator's machines whether the process lives and whether it can serve."""

import logging
from http import HTTPStatus

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from citizen_account.web.dependencies import runtime_of

log = logging.getLogger(__name__)


async def live(_: Request) -> Response:
    """Answer 200 while the process runs: a restart would not help what else is wrong."""
    return JSONResponse({"status": "alive"})


async def ready(request: Request) -> Response:
    """Answer 200 once requests can be served, 503 with Retry-After while the database is away."""
    try:
        await runtime_of(request).database.is_alive()
    except Exception:
        # Whatever the driver raises, the answer is the same: not ready.
        log.exception("database_away")
        return JSONResponse(
            {"status": "database away"},
            HTTPStatus.SERVICE_UNAVAILABLE,
            headers={"Retry-After": "5"},
        )
    return JSONResponse({"status": "ready"})


async def security_text(request: Request) -> Response:
    """Say whom to tell of a weakness (RFC 9116)."""
    runtime = runtime_of(request)
    contact = runtime.city.support_email
    expires = runtime.clock().replace(microsecond=0).isoformat().replace("+00:00", "Z")
    year, rest = expires[:4], expires[4:]
    lines = [
        f"Contact: mailto:{contact}" if contact else f"Contact: {runtime.issuer}/en/help",
        f"Expires: {int(year) + 1}{rest.replace('-02-29T', '-02-28T')}",
        f"Preferred-Languages: {', '.join(runtime.translations.names)}",
        f"Canonical: {runtime.issuer}/.well-known/security.txt",
    ]
    return PlainTextResponse("\n".join(lines) + "\n")


ROUTES = (
    Route("/health/live", live),
    Route("/health/ready", ready),
    Route("/.well-known/security.txt", security_text),
)
