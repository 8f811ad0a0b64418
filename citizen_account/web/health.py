"""Tell an operator's machines whether the process lives and whether it can serve."""

import logging
from datetime import timedelta
from http import HTTPStatus

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from citizen_account.bootstrap import Runtime
from citizen_account.domain.errors import DomainError
from citizen_account.web.dependencies import runtime_of

log = logging.getLogger(__name__)

GOOD_FOR = timedelta(days=180)


async def live(_: Request) -> Response:
    """Answer 200 while the process runs: a restart would not help what else is wrong."""
    return JSONResponse({"status": "alive"})


async def ready(request: Request) -> Response:
    """Answer 200 once requests can be served, 503 with Retry-After while the database is away."""
    try:
        await runtime_of(request).database.is_alive()
    except DomainError as error:
        log.warning("database_away", extra=error.facts)
        return JSONResponse(
            {"status": "database away"},
            HTTPStatus.SERVICE_UNAVAILABLE,
            headers={"Retry-After": "5"},
        )
    return JSONResponse({"status": "ready"})


async def security_text(request: Request) -> Response:
    """Say whom to tell of a weakness (RFC 9116)."""
    runtime = runtime_of(request)
    # Section 2.5.5: less than a year ahead. The text is made anew each day.
    today = runtime.clock().replace(hour=0, minute=0, second=0, microsecond=0)
    lines = [
        f"Contact: {runtime.security.contact or _support_of(runtime)}",
        f"Expires: {(today + GOOD_FOR).isoformat().replace('+00:00', 'Z')}",
        f"Preferred-Languages: {', '.join(runtime.translations.names)}",
        f"Canonical: {runtime.issuer}/.well-known/security.txt",
    ]
    if runtime.security.policy:
        lines.append(f"Policy: {runtime.security.policy}")
    return PlainTextResponse("\n".join(lines) + "\n")


def _support_of(runtime: Runtime) -> str:
    email = runtime.city.support_email
    return f"mailto:{email}" if email else f"{runtime.issuer}/en/help"


ROUTES = (
    Route("/health/live", live),
    Route("/health/ready", ready),
    Route("/.well-known/security.txt", security_text),
)
