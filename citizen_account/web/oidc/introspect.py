"""Answer POST /introspect (RFC 7662)."""

from starlette.requests import Request
from starlette.responses import Response

from citizen_account.openid.client_authentication import AssertionProof
from citizen_account.openid.requests import read_presented_request
from citizen_account.openid.responses import Refused, refusal
from citizen_account.openid.signed_answers import INTROSPECTION_MEDIA, sign_introspection
from citizen_account.usecases.introspection import introspect
from citizen_account.web.dependencies import runtime_of
from citizen_account.web.oidc.answers import (
    prepare_keys,
    provider_of,
    send,
    send_json,
    send_refusal,
)
from citizen_account.web.requests import read_form
from citizen_account.web.senders import certificate_of


async def introspection(request: Request) -> Response:
    form = await read_form(request)
    asked = read_presented_request(request.headers.get("authorization"), form)
    if isinstance(asked, Refused):
        return send(refusal(asked.error))
    provider = await provider_of(request)
    await prepare_keys(request, asked.credentials)
    certificate = certificate_of(request, runtime_of(request))
    database = runtime_of(request).database
    # An assertion is used up, which is to write; a secret is only compared.
    has_assertion = isinstance(asked.credentials, AssertionProof)
    async with database.begin_hot() if has_assertion else database.read() as uow:
        outcome = await introspect(uow, asked, provider, certificate)
    if isinstance(outcome, Refused):
        return await send_refusal(request, outcome, asked.credentials)
    if not _wants_signature(request):
        return send_json(outcome.described)
    now = runtime_of(request).clock()
    signed = sign_introspection(provider, outcome.client, outcome.described, now=now)
    headers = {"Content-Type": INTROSPECTION_MEDIA, "Cache-Control": "no-store"}
    return Response(signed, headers=headers)


def _wants_signature(request: Request) -> bool:
    """Say whether the client asks for the signed form (RFC 9701 section 4)."""
    accepted = request.headers.get("accept", "").lower().split(",")
    return any(kind.partition(";")[0].strip() == INTROSPECTION_MEDIA for kind in accepted)
