"""Answer /userinfo for the holder of a living access token (OIDC Core section 5.3)."""

from starlette.requests import Request
from starlette.responses import Response

from citizen_account.usecases.userinfo import TokenFault, read_userinfo
from citizen_account.web.dependencies import runtime_of
from citizen_account.web.oidc.answers import provider_of, send_json
from citizen_account.web.requests import FORM_TYPE, read_form

REALM = 'Bearer realm="userinfo"'
STATUS_OF_FAULT = {TokenFault.INVALID_TOKEN: 401, TokenFault.INSUFFICIENT_SCOPE: 403}


async def userinfo(request: Request) -> Response:
    offered = [await _token_of_form(request), _token_of_header(request)]
    tokens = [token for token in offered if token is not None]
    if not tokens:
        # RFC 6750 section 3.1: who sent no token is asked for one, and told of no error.
        return send_json({}, 401, {"WWW-Authenticate": REALM})
    if len(tokens) > 1:
        # RFC 6750 section 2: one method in a request.
        return _refuse("invalid_request", 400)
    provider = await provider_of(request)
    async with runtime_of(request).database.read() as uow:
        found = await read_userinfo(uow, tokens[0], provider)
    if isinstance(found, TokenFault):
        return _refuse(found, STATUS_OF_FAULT[found])
    return send_json(found)


def _token_of_header(request: Request) -> str | None:
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    # RFC 9110 section 11.1: the scheme's name has no case.
    return token.strip() if scheme.lower() == "bearer" else None


async def _token_of_form(request: Request) -> str | None:
    """Return the token of RFC 6750 section 2.2. One in the query is never looked at (2.3)."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if request.method != "POST" or kind != FORM_TYPE:
        return None
    found = [value for name, value in await read_form(request) if name == "access_token"]
    return " ".join(found) or None


def _refuse(error: str, status: int) -> Response:
    scope = ', scope="openid"' if error == TokenFault.INSUFFICIENT_SCOPE else ""
    challenge = {"WWW-Authenticate": f'{REALM}, error="{error}"{scope}'}
    return send_json({"error": error}, status, challenge)
