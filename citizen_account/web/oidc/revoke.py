"""Answer POST /revoke (RFC 7009)."""

from starlette.requests import Request
from starlette.responses import Response

from citizen_account.openid.requests import read_presented_request
from citizen_account.openid.responses import Refused, refusal
from citizen_account.usecases.introspection import revoke
from citizen_account.web.dependencies import runtime_of
from citizen_account.web.oidc.answers import provider_of, send, send_json, send_refusal
from citizen_account.web.requests import read_form
from citizen_account.web.senders import certificate_of


async def revocation(request: Request) -> Response:
    form = await read_form(request)
    asked = read_presented_request(request.headers.get("authorization"), form)
    if isinstance(asked, Refused):
        return send(refusal(asked.error))
    provider = await provider_of(request)
    certificate = certificate_of(request, runtime_of(request))
    async with runtime_of(request).database.begin() as uow:
        refused = await revoke(uow, asked, provider, certificate)
    if refused is not None:
        return await send_refusal(request, refused, asked.credentials)
    # RFC 7009 section 2.2: the status says all.
    return send_json({})
