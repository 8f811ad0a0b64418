"""Sign in through another provider: the way there, what comes back, and what went wrong."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from http import HTTPStatus
from typing import ClassVar

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from citizen_account.bootstrap import Runtime
from citizen_account.domain.challenges import Onward
from citizen_account.domain.errors import DomainError, ErrorCode
from citizen_account.domain.texts import LocalText
from citizen_account.domain.upstreams import Login, Proof
from citizen_account.i18n import Message, m
from citizen_account.security.tokens import new_secret
from citizen_account.upstream.errors import (
    UpstreamCancelledError,
    UpstreamError,
    UpstreamUnavailableError,
)
from citizen_account.upstream.providers import CallbackAnswer, Provider
from citizen_account.usecases.upstreams import (
    Departure,
    Waiting,
    begin_login,
    complete_link,
    complete_sign_in,
    take_login,
)
from citizen_account.web.cookies import browser_secret, set_browser_secret
from citizen_account.web.dependencies import (
    InLanguage,
    InRuntime,
    MaybeSignedIn,
    OurForm,
    Resident,
    runtime_of,
)
from citizen_account.web.frames import frame_of, show, wished_language
from citizen_account.web.places import with_query
from citizen_account.web.portal.onward import (
    browser_of,
    enter,
    onward_place,
    query_of,
    read_onward,
)
from citizen_account.web.requests import client_address, parse_fields
from citizen_account.web.throttled import ask_to_wait

log = logging.getLogger(__name__)
router = APIRouter(prefix="/{language}/sign-in/with/{upstream}", include_in_schema=False)
callback_router = APIRouter(include_in_schema=False)

RETRY_SECONDS = 60


class Why(StrEnum):
    """What went wrong, as it stands in the address of the page that says so."""

    CANCELLED = "cancelled"
    REFUSED = "refused"
    UNAVAILABLE = "unavailable"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True)
class Problem:
    status: HTTPStatus
    title: Message
    advice: Message


PROBLEMS = {
    Why.CANCELLED: Problem(
        HTTPStatus.OK,
        m("You stopped the sign-in"),
        m("Nothing was shared. You can try again or sign in another way."),
    ),
    Why.REFUSED: Problem(
        HTTPStatus.BAD_REQUEST,
        m("The sign-in could not be confirmed"),
        m("The answer that came back was not in order, so nobody was signed in. Please try again."),
    ),
    Why.UNAVAILABLE: Problem(
        HTTPStatus.SERVICE_UNAVAILABLE,
        m("This way to sign in does not answer now"),
        m("It is run by somebody else. Try again in a few minutes or sign in another way."),
    ),
    Why.EXPIRED: Problem(
        HTTPStatus.BAD_REQUEST,
        m("This sign-in is no longer valid"),
        m("It was used already, took too long or began in another browser. Please try again."),
    ),
}


@dataclass(frozen=True, slots=True)
class UpstreamProblemPage:
    """Another provider did not say who it is; every other way stays open."""

    template: ClassVar = "portal/upstream_problem.html"
    upstream_id: str
    provider: LocalText
    code: str
    title: Message
    advice: Message
    onward: Mapping[str, str | None]


@router.post("")
async def leave(
    request: Request, language: InLanguage, upstream: str, runtime: InRuntime, _: OurForm
) -> Response:
    """Send the browser to the other provider."""
    provider = find_provider(runtime, upstream)
    return await depart(request, provider, language, read_onward(request))


@callback_router.get("/upstream/{upstream}/callback")
async def come_back(
    request: Request, upstream: str, runtime: InRuntime, resident: MaybeSignedIn
) -> Response:
    """Take the browser back, with what the other provider says."""
    provider = find_provider(runtime, upstream)
    answer = _read_answer(request)
    login = None if answer is None else await _take(request, runtime, upstream, answer)
    if answer is None or login is None:
        # Before anything else of the answer is believed, errors included.
        return _to_problem(upstream, Why.EXPIRED, wished_language(request), Onward())
    try:
        proof = await provider.finish(login, answer, runtime.clock().timestamp())
    except UpstreamError as error:
        log.warning("upstream", extra={"upstream": upstream, "reason": str(error)})
        if login.account_id is not None:
            return _to_identities(login.language, why_of(error))
        return _to_problem(upstream, why_of(error), login.language, login.onward)
    if login.account_id is not None:
        return await _link(runtime, resident, login, proof)
    return await _sign_in(request, runtime, login, proof)


@router.get("/problem")
async def show_problem(
    request: Request, _: InLanguage, upstream: str, resident: MaybeSignedIn, why: Why = Why.EXPIRED
) -> Response:
    provider = find_provider(runtime_of(request), upstream)
    problem = PROBLEMS[why]
    page = UpstreamProblemPage(
        upstream_id=upstream,
        provider=provider.upstream.title,
        code=f"upstream_{why}",
        title=problem.title,
        advice=problem.advice,
        onward=query_of(read_onward(request)),
    )
    frame = frame_of(request, resident, is_focused=True, has_pending_authorization=True)
    response = show(request, frame, page, problem.status)
    if problem.status is HTTPStatus.SERVICE_UNAVAILABLE:
        response.headers["Retry-After"] = str(RETRY_SECONDS)
    return response


def find_provider(runtime: Runtime, upstream_id: str) -> Provider:
    """Return one that the operator listed. Raises: not_found."""
    provider = runtime.upstreams.find(upstream_id)
    if provider is None:
        raise DomainError(ErrorCode.NOT_FOUND)
    return provider


async def depart(
    request: Request,
    provider: Provider,
    language: str,
    onward: Onward,
    *,
    linking: Resident | None = None,
) -> Response:
    """Remember the departure and send the browser off."""
    runtime = runtime_of(request)
    upstream_id = provider.upstream.id
    try:
        # Linking wants the identity proven now, not by a session left open over there.
        beginning = await provider.begin(language, again=linking is not None)
    except UpstreamError as error:
        log.warning("upstream", extra={"upstream": upstream_id, "reason": str(error)})
        if linking is not None:
            return _to_identities(language, why_of(error))
        return _to_problem(upstream_id, why_of(error), language, onward)
    secret = browser_secret(request, runtime) or new_secret()
    departure = Departure(
        upstream_id=upstream_id,
        browser_secret=secret,
        language=language,
        client_address=client_address(request, runtime),
        onward=onward,
        account_id=None if linking is None else linking.account_id,
    )
    async with runtime.database.begin() as uow:
        throttled = await begin_login(uow, departure, beginning)
    if throttled is not None:
        return ask_to_wait(request, throttled, linking)
    response = RedirectResponse(beginning.address, HTTPStatus.SEE_OTHER)
    set_browser_secret(response, runtime, secret)
    return response


def why_of(error: UpstreamError) -> Why:
    match error:
        case UpstreamCancelledError():
            return Why.CANCELLED
        case UpstreamUnavailableError():
            return Why.UNAVAILABLE
        case _:
            return Why.REFUSED


def _read_answer(request: Request) -> CallbackAnswer | None:
    fields = parse_fields(request.url.query.encode())
    known = {name: value for name, value in fields if name in {"state", "code", "iss", "error"}}
    named = [name for name, _ in fields if name in known]
    # RFC 6749 section 3.1: no parameter twice; and an answer is either a code or an error.
    if len(named) != len(known) or ("code" in known) is ("error" in known):
        return None
    return CallbackAnswer(
        state=known.get("state", ""),
        code=known.get("code", ""),
        issuer=known.get("iss"),
        error=known.get("error"),
    )


async def _take(
    request: Request, runtime: Runtime, upstream: str, answer: CallbackAnswer
) -> Login | None:
    secret = browser_secret(request, runtime)
    async with runtime.database.begin() as uow:
        return await take_login(uow, upstream, answer.state, secret)


async def _sign_in(request: Request, runtime: Runtime, login: Login, proof: Proof) -> Response:
    browser = browser_of(request, runtime)
    async with runtime.database.begin() as uow:
        outcome = await complete_sign_in(uow, proof, login, browser, runtime.session_limits)
    if isinstance(outcome, Waiting):
        place = with_query(f"/{login.language}/sign-in/first-time", a=outcome.arrival_secret)
        return RedirectResponse(place, HTTPStatus.SEE_OTHER)
    return enter(runtime, outcome, onward_place(login.language, login.onward))


async def _link(
    runtime: Runtime, resident: Resident | None, login: Login, proof: Proof
) -> Response:
    # Who asked to link must be the one who is here now.
    if resident is None or resident.account_id != login.account_id:
        return _to_problem(proof.upstream_id, Why.EXPIRED, login.language, Onward())
    async with runtime.database.begin() as uow:
        outcome = await complete_link(uow, resident.account, resident.session, proof)
    return _to_identities(login.language, outcome)


def _to_identities(language: str, outcome: StrEnum) -> Response:
    place = with_query(f"/{language}/security/identities", outcome=outcome)
    return RedirectResponse(place, HTTPStatus.SEE_OTHER)


def _to_problem(upstream: str, why: Why, language: str, onward: Onward) -> Response:
    # The code and the state stay out of the address that the browser shows and remembers.
    path = f"/{language}/sign-in/with/{upstream}/problem"
    place = with_query(path, why=why, **query_of(onward))
    return RedirectResponse(place, HTTPStatus.SEE_OTHER)
