"""Answer POST /token."""

from contextlib import suppress

from starlette.requests import Request
from starlette.responses import Response

from citizen_account.bootstrap import Runtime
from citizen_account.domain.errors import DomainError, ErrorCode
from citizen_account.domain.transactions import LostRaceError
from citizen_account.openid.provider import Provider
from citizen_account.openid.requests import TokenRequest, read_token_request
from citizen_account.openid.responses import Issued, Refused, encode
from citizen_account.openid.sender import Presentation
from citizen_account.usecases.tokens import answer_token_request
from citizen_account.web.dependencies import runtime_of
from citizen_account.web.oidc.answers import prepare_keys, provider_of, send, send_refusal
from citizen_account.web.requests import read_form
from citizen_account.web.senders import presentation_of, with_nonce

TRIES = 5
"""One is enough but where a client is changed again and again in the very moments it asks."""


async def token(request: Request) -> Response:
    form = await read_form(request)
    asked = read_token_request(request.headers.get("authorization"), form)
    if isinstance(asked, Refused):
        return send(encode(asked))
    provider = await provider_of(request)
    await prepare_keys(request, asked.credentials)
    runtime = runtime_of(request)
    presentation = presentation_of(request, runtime)
    outcome = await _answer(runtime, asked, provider, presentation)
    if isinstance(outcome, Refused):
        refused = await send_refusal(request, outcome, asked.credentials)
        return with_nonce(request, runtime, refused, outcome.error.error)
    return with_nonce(request, runtime, send(encode(outcome)))


async def _answer(
    runtime: Runtime, asked: TokenRequest, provider: Provider, presentation: Presentation
) -> Issued | Refused:
    for _ in range(TRIES):
        # Once more after a race was lost: then it is seen what another has changed. It may be a
        # replay, which ends what that one got.
        with suppress(LostRaceError):
            async with runtime.database.begin_hot() as uow:
                return await answer_token_request(uow, asked, provider, presentation)
    raise DomainError(ErrorCode.TEMPORARILY_UNAVAILABLE)
