"""Answer /authorize, from a link or a service's form, and go on after a sign-in."""

from http import HTTPStatus

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from citizen_account.openid.authorization_response import ClientAnswer
from citizen_account.usecases.authorization import (
    begin_authorization,
    continue_authorization,
    park_authorization,
)
from citizen_account.web.authorization import (
    caller_of,
    interaction_id_of,
    proceed,
    send_to_client,
)
from citizen_account.web.dependencies import runtime_of
from citizen_account.web.oidc.answers import provider_of
from citizen_account.web.places import with_query
from citizen_account.web.requests import parse_fields, read_form


async def authorize(request: Request) -> Response:
    """Take a request of OIDC Core section 3.1.2.1; no CSRF token, as it comes from elsewhere."""
    if request.method == "POST":
        return await _take_form(request)
    parameters = parse_fields(request.scope["query_string"])
    provider = await provider_of(request)
    caller = await caller_of(request)
    async with runtime_of(request).database.begin_hot() as uow:
        outcome = await begin_authorization(uow, provider, parameters, caller)
    return proceed(request, outcome)


async def continue_after_sign_in(request: Request) -> Response:
    interaction_id = interaction_id_of(request.query_params.get("i", ""))
    provider = await provider_of(request)
    caller = await caller_of(request)
    async with runtime_of(request).database.begin_hot() as uow:
        outcome = await continue_authorization(uow, provider, interaction_id, caller)
    return proceed(request, outcome)


async def _take_form(request: Request) -> Response:
    # SameSite=Lax cookies stay away from another site's form: the next address brings them.
    parameters = await read_form(request)
    provider = await provider_of(request)
    async with runtime_of(request).database.begin_hot() as uow:
        parked = await park_authorization(uow, provider, parameters)
    if isinstance(parked, ClientAnswer):
        return send_to_client(request, parked)
    return RedirectResponse(with_query("/authorize/continue", i=str(parked)), HTTPStatus.SEE_OTHER)
