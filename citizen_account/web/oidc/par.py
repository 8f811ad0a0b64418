"""Answer POST /par (RFC 9126)."""

from http import HTTPStatus

from starlette.requests import Request
from starlette.responses import Response

from citizen_account.openid.pushed_requests import read_push_request
from citizen_account.openid.responses import Refused, refusal
from citizen_account.usecases.pushed_requests import push_request
from citizen_account.web.dependencies import runtime_of
from citizen_account.web.oidc.answers import (
    prepare_keys,
    provider_of,
    send,
    send_json,
    send_refusal,
)
from citizen_account.web.requests import read_form
from citizen_account.web.senders import presentation_of, with_nonce


async def par(request: Request) -> Response:
    asked = read_push_request(request.headers.get("authorization"), await read_form(request))
    if isinstance(asked, Refused):
        return send(refusal(asked.error))
    provider = await provider_of(request)
    signed = [value for name, value in asked.parameters if name == "request"]
    await prepare_keys(request, asked.credentials, *signed)
    runtime = runtime_of(request)
    presentation = presentation_of(request, runtime)
    async with runtime.database.begin_hot() as uow:
        outcome = await push_request(uow, asked, provider, presentation)
    if isinstance(outcome, Refused):
        refused = await send_refusal(request, outcome, asked.credentials)
        return with_nonce(request, runtime, refused, outcome.error.error)
    body = {"request_uri": outcome.request_uri, "expires_in": outcome.lifetime_seconds}
    return with_nonce(request, runtime, send_json(body, HTTPStatus.CREATED))
