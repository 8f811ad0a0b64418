"""Answer /userinfo for the holder of a living access token (OIDC Core section 5.3)."""

from starlette.requests import Request
from starlette.responses import Response

from citizen_account.bootstrap import Runtime
from citizen_account.openid.sender import BEARER
from citizen_account.usecases.senders import AccessRequest, TokenFault
from citizen_account.usecases.userinfo import read_userinfo
from citizen_account.web.dependencies import runtime_of
from citizen_account.web.oidc.answers import provider_of, send_json
from citizen_account.web.requests import FORM_TYPE, read_form
from citizen_account.web.senders import (
    access_of_header,
    challenge,
    first_challenge,
    presentation_of,
    transaction_for,
    with_nonce,
)

REALM = "userinfo"
FORBIDDEN = 403


async def userinfo(request: Request) -> Response:
    runtime = runtime_of(request)
    found = [await _access_of_form(request, runtime), access_of_header(request, runtime)]
    offered = [access for access in found if access is not None]
    if not offered:
        # RFC 6750 section 3.1: who sent no token is asked for one, and told of no error.
        return send_json({}, 401, {"WWW-Authenticate": first_challenge(REALM)})
    if len(offered) > 1:
        # RFC 6750 section 2: one method in a request.
        described = {"WWW-Authenticate": f'Bearer realm="{REALM}", error="invalid_request"'}
        return send_json({"error": "invalid_request"}, 400, described)
    return await _answer(request, runtime, offered[0])


async def _answer(request: Request, runtime: Runtime, access: AccessRequest) -> Response:
    provider = await provider_of(request)
    async with transaction_for(runtime, access) as uow:
        found = await read_userinfo(uow, access, provider)
    if isinstance(found, TokenFault):
        return with_nonce(request, runtime, _refuse(access, found), found)
    return with_nonce(request, runtime, send_json(found))


async def _access_of_form(request: Request, runtime: Runtime) -> AccessRequest | None:
    """Return the token of RFC 6750 section 2.2. One in the query is never looked at (2.3)."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if request.method != "POST" or kind != FORM_TYPE:
        return None
    found = [value for name, value in await read_form(request) if name == "access_token"]
    token = " ".join(found)
    return AccessRequest(BEARER, token, presentation_of(request, runtime)) if token else None


def _refuse(access: AccessRequest, fault: TokenFault) -> Response:
    lacks_scope = fault is TokenFault.INSUFFICIENT_SCOPE
    said = challenge(access.scheme, realm=REALM, fault=fault, scope="openid" if lacks_scope else "")
    return send_json(
        {"error": fault}, FORBIDDEN if lacks_scope else 401, {"WWW-Authenticate": said}
    )
