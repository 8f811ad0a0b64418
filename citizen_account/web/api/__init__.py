"""What programs ask the account for: described by OpenAPI at /api/v1/openapi.json."""

from fastapi import APIRouter
from fastapi.openapi.utils import get_openapi
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from citizen_account.web.api import catalogue, consents, me

VERSION = "1.0.0"
ABOUT = (
    "For city services. Tokens come from /token of the same address: a service's own by"
    " client_credentials, a resident's by the authorization code. Errors are problem details"
    " (RFC 9457)."
)

described = APIRouter(prefix="/api/v1")
described.include_router(catalogue.router)
described.include_router(consents.router)
described.include_router(me.router)
document = APIRouter(prefix="/api/v1", include_in_schema=False)


@document.get("/openapi.json")
async def show_document(_: Request) -> Response:
    """Return the OpenAPI document of this area, and of nothing else."""
    described_by = get_openapi(
        title="City account", version=VERSION, description=ABOUT, routes=described.routes
    )
    return JSONResponse(described_by)


ROUTERS = (described, document)
