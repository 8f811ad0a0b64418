"""Answer POST /token."""

from starlette.requests import Request
from starlette.responses import Response

from citizen_account.openid.requests import read_token_request
from citizen_account.openid.responses import Refused, encode
from citizen_account.usecases.tokens import answer_token_request
from citizen_account.web.dependencies import runtime_of
from citizen_account.web.oidc.answers import provider_of, send, send_refusal
from citizen_account.web.requests import read_form
from citizen_account.web.senders import presentation_of, with_nonce


async def token(request: Request) -> Response:
    form = await read_form(request)
    asked = read_token_request(request.headers.get("authorization"), form)
    if isinstance(asked, Refused):
        return send(encode(asked))
    provider = await provider_of(request)
    runtime = runtime_of(request)
    presentation = presentation_of(request, runtime)
    async with runtime.database.begin() as uow:
        outcome = await answer_token_request(uow, asked, provider, presentation)
    if isinstance(outcome, Refused):
        refused = await send_refusal(request, outcome, asked.credentials)
        return with_nonce(request, runtime, refused, outcome.error.error)
    return with_nonce(request, runtime, send(encode(outcome)))
