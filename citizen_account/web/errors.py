"""Answer every error in one place: a status, worded for the area that was asked."""

import logging
from enum import StrEnum
from http import HTTPStatus
from typing import assert_never

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, RedirectResponse, Response

from citizen_account.domain.errors import DomainError, ErrorCode
from citizen_account.web.dependencies import (
    Resident,
    maybe_signed_in,
    pages_of,
    runtime_of,
)
from citizen_account.web.error_page import ErrorPage
from citizen_account.web.error_texts import CODE_OF_STATUS, ERROR_TEXTS
from citizen_account.web.frames import (
    frame_of,
    keep_browser_secret,
    show,
    split_path,
    wished_language,
)
from citizen_account.web.methods import methods_at
from citizen_account.web.places import with_query
from citizen_account.web.saved_forms import keep_form

log = logging.getLogger(__name__)

HUNG_UP = 499
"""No status of HTTP: proxies' logs say so."""
BUSY_SECONDS = 5
AWAY_SECONDS = 30
THROTTLED_SECONDS = 300
RETRY_AFTER = {
    ErrorCode.TOO_BUSY: BUSY_SECONDS,
    ErrorCode.TEMPORARILY_UNAVAILABLE: AWAY_SECONDS,
    ErrorCode.TOO_MANY_TRIES: THROTTLED_SECONDS,
}
PROTOCOL_PATHS = frozenset(
    {"/token", "/userinfo", "/introspect", "/revoke", "/jwks", "/par", "/register"}
)
MACHINE_PREFIXES = ("/api/", "/connectors/", "/health/", "/metrics")


class Area(StrEnum):
    """Who reads the error: a person, a program, a relying party's library."""

    PAGE = "page"
    API = "api"
    PROTOCOL = "protocol"


def area_of(path: str) -> Area:
    if path in PROTOCOL_PATHS or path.startswith(("/.well-known/", "/register/")):
        return Area.PROTOCOL
    if path.startswith(MACHINE_PREFIXES):
        return Area.API
    return Area.PAGE


async def answer_refusal(request: Request, error: DomainError) -> Response:
    log.info("refused", extra={"code": error.code, "facts": error.facts})
    if error.code is ErrorCode.SIGN_IN_REQUIRED and area_of(request.url.path) is Area.PAGE:
        return await ask_to_sign_in(request)
    if error.code is not ErrorCode.TEMPORARILY_UNAVAILABLE:
        await know_resident(request)
    return answer(request, error.code)


def install(app: FastAPI) -> None:
    async def on_http_error(request: Request, error: HTTPException) -> Response:
        code = CODE_OF_STATUS.get(error.status_code, ErrorCode.REQUEST_MALFORMED)
        await know_resident(request)
        response = answer(request, code)
        for name, value in (error.headers or {}).items():
            response.headers[name] = value
        # RFC 9110 section 15.5.6: all of them, where the framework names one route's.
        if "allow" in response.headers and (known := methods_at(app, request.scope["path"])):
            response.headers["Allow"] = ", ".join(sorted(known))
        return response

    async def on_malformed(request: Request, _: RequestValidationError) -> Response:
        # Our own pages link to well-formed addresses only: anything else does not exist.
        is_page = area_of(request.url.path) is Area.PAGE
        await know_resident(request)
        return answer(request, ErrorCode.NOT_FOUND if is_page else ErrorCode.REQUEST_MALFORMED)

    async def on_unexpected(request: Request, error: Exception) -> Response:
        # Starlette raises it again behind this answer, and the server logs it with its trace.
        code = error.code if isinstance(error, DomainError) else ErrorCode.UNEXPECTED
        return answer(request, code)

    async def on_gone(_: Request, __: Exception) -> Response:
        return gone()

    app.exception_handler(DomainError)(answer_refusal)
    app.exception_handler(ClientDisconnect)(on_gone)
    app.exception_handler(HTTPException)(on_http_error)
    app.exception_handler(RequestValidationError)(on_malformed)
    app.exception_handler(Exception)(on_unexpected)


def gone() -> Response:
    """Return what the log shall say of who has hung up: nobody reads it any more."""
    return Response(status_code=HUNG_UP)


def answer(request: Request, code: ErrorCode) -> Response:
    """Return the error in the form that its reader understands."""
    area = area_of(request.url.path)
    status = ERROR_TEXTS[code].status
    match area:
        case Area.PAGE:
            response = _page(request, code, status)
        case Area.API:
            response = _problem(request, code, status)
        case Area.PROTOCOL:
            response = _oauth(code, status)
        case unexpected:
            assert_never(unexpected)
    # RFC 9110 section 10.2.3, RFC 6585 section 4.
    if code in RETRY_AFTER:
        response.headers["Retry-After"] = str(RETRY_AFTER[code])
    return response


async def know_resident(request: Request) -> None:
    """Find out whose page it is: who has signed in stays so on a page that does not exist."""
    if area_of(request.url.path) is not Area.PAGE:
        return
    try:
        await maybe_signed_in(request, runtime_of(request))
    except DomainError:
        # The database is away: the page is shown as to a stranger, in the language of its address.
        request.state.resident = None


async def ask_to_sign_in(request: Request) -> Response:
    """Lead to the sign-in page and back; what was typed is kept for the way back."""
    language, path = split_path(request)
    if request.url.path.startswith("/admin"):
        language, path = wished_language(request), request.url.path
        here = path
    else:
        here = f"/{language}{path}"
    kept = None if request.method in {"GET", "HEAD"} else await keep_form(request)
    place = with_query(f"/{language}/sign-in", next=here, saved=kept)
    return RedirectResponse(place, HTTPStatus.SEE_OTHER)


def _page(request: Request, code: ErrorCode, status: HTTPStatus) -> Response:
    resident: Resident | None = getattr(request.state, "resident", None)
    text = ERROR_TEXTS[code]
    page = ErrorPage(code=code, title=text.title, advice=text.advice)
    frame = frame_of(request, resident)
    if resident is not None:
        return show(request, frame, page, status)
    # In a storm it must cost little to be sent away.
    response = pages_of(request).render_alike(frame, page, status, name=code)
    keep_browser_secret(request, response)
    return response


def _problem(request: Request, code: ErrorCode, status: HTTPStatus) -> Response:
    # RFC 9457 section 3.1: `type` names the kind of problem; ours are listed in docs/reference.md.
    text = ERROR_TEXTS[code]
    speech = pages_of(request).translations.speech("en")
    body = {
        "type": f"urn:citizen-account:error:{code}",
        "title": speech.say(text.title),
        "status": status.value,
        "detail": speech.say(text.advice),
    }
    return JSONResponse(
        body,
        status,
        headers={"Cache-Control": "no-store"},
        media_type="application/problem+json",
    )


def _oauth(code: ErrorCode, status: HTTPStatus) -> Response:
    # RFC 6749 section 5.2: the error's code, and a description in printable ASCII.
    error = {
        ErrorCode.UNEXPECTED: "server_error",
        ErrorCode.TOO_BUSY: "temporarily_unavailable",
        ErrorCode.TEMPORARILY_UNAVAILABLE: "temporarily_unavailable",
        ErrorCode.TOO_MANY_TRIES: "temporarily_unavailable",
    }.get(code, "invalid_request")
    body = {"error": error, "error_description": str(code)}
    return JSONResponse(body, status, headers={"Cache-Control": "no-store", "Pragma": "no-cache"})
