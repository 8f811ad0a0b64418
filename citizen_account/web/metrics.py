"""Answer Prometheus, which proves by a token that it may ask."""

from http import HTTPStatus

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from citizen_account.bootstrap import Runtime
from citizen_account.domain.connectors import Gate
from citizen_account.domain.errors import DomainError, ErrorCode
from citizen_account.security.tokens import is_equal
from citizen_account.telemetry.metrics import CONTENT_TYPE, DatabaseFacts
from citizen_account.web.dependencies import runtime_of


async def metrics(request: Request) -> Response:
    """Return what this process and its sisters counted, and what the database says."""
    runtime = runtime_of(request)
    if runtime.metrics is None:
        raise DomainError(ErrorCode.NOT_FOUND)
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not is_equal(token.strip(), runtime.metrics_token):
        headers = {"WWW-Authenticate": "Bearer"}
        return PlainTextResponse("", HTTPStatus.UNAUTHORIZED, headers)
    return Response(runtime.metrics.render(await _ask(runtime)), media_type=CONTENT_TYPE)


async def _ask(runtime: Runtime) -> DatabaseFacts | None:
    try:
        async with runtime.database.read() as uow:
            counts = await uow.outbox.counts()
            due_at = await uow.outbox.oldest_due(uow.now)
            healths = await uow.connector_health.all()
    except DomainError:
        return None
    known = {str(health.connector_id): health.gate for health in healths}
    names = sorted({*runtime.connectors.manifests, *known})
    return DatabaseFacts(
        outbox={state.value: count for state, count in counts.items()},
        overdue_seconds=0 if due_at is None else (uow.now - due_at).total_seconds(),
        connectors={name: str(known.get(name, Gate.CLOSED)) for name in names},
        gates=[gate.value for gate in Gate],
    )


ROUTES = (Route("/metrics", metrics),)
