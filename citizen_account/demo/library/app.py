"""Serve the City Library: sign in with the city, show what came, refresh, sign out."""

import json
import logging
import os
from collections.abc import Callable, Mapping
from hmac import compare_digest
from urllib.parse import parse_qsl, urlsplit

import httpx2
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from citizen_account.demo.library.account import (
    CityAccount,
    LibrarySettings,
    Refused,
    Renewed,
    SignInRefusedError,
    UnreachableError,
)
from citizen_account.demo.library.logout_tokens import LogoutTokenInvalidError, LogoutTokens
from citizen_account.demo.library.pages import (
    STATIC,
    Frame,
    LostPage,
    Page,
    Pages,
    ReaderPage,
    WelcomePage,
)
from citizen_account.demo.library.visits import LIFETIME_SECONDS, Notice, Reader, Visit, Visits
from citizen_account.i18n import Message, Translations, m
from citizen_account.resources import LOCALE

log = logging.getLogger(__name__)

MAX_BODY_BYTES = 32 * 1024
NOTICES: Mapping[Notice, Message] = {
    Notice.SIGNED_OUT: m("You are signed out of the library and of the city account."),
    Notice.ENDED_BY_ACCOUNT: m("The city account ended your visit, so the library did too."),
    Notice.CANCELLED: m("You did not let the library see your data. Nothing was stored."),
    Notice.FAILED: m("The sign-in did not work. Please try again."),
    Notice.UNREACHABLE: m("The city account does not answer now. Please try again later."),
    Notice.REFRESHED: m("The city account answered again. This is what it said."),
    Notice.REFUSED: m("The city account refused to say more, so your visit here has ended."),
}


class Library:
    def __init__(self, account: CityAccount, pages: Pages) -> None:
        self._account = account
        self._pages = pages
        self._visits = Visits()
        self._logout_tokens = LogoutTokens(account)
        # Browsers share cookies between the ports of a host: the port keeps ours apart.
        self._cookie = f"library-{urlsplit(account.settings.own_address).port or 443}"

    @property
    def routes(self) -> list[Route | Mount]:
        return [
            Route("/", self.choose_language),
            Route("/health", self.health),
            Route("/callback", self.callback),
            Route("/signed-out", self.signed_out),
            Route("/backchannel-logout", self.backchannel_logout, methods=["POST"]),
            Mount("/static", StaticFiles(directory=STATIC)),
            Route("/{language}/", self.home),
            Route("/{language}/sign-in", self.sign_in, methods=["POST"]),
            Route("/{language}/refresh", self.refresh, methods=["POST"]),
            Route("/{language}/sign-out", self.sign_out, methods=["POST"]),
            Route("/{path:path}", self.lost),
        ]

    async def health(self, _: Request) -> Response:
        return PlainTextResponse("ok")

    async def choose_language(self, request: Request) -> Response:
        language = self._pages.negotiate(request.headers.get("accept-language", ""))
        return _see_other(f"/{language}/")

    async def home(self, request: Request) -> Response:
        language = self._language(request)
        if language is None:
            return await self.lost(request)
        visit = self._visit(request) or Visit(language)
        visit.language = language
        page = _page(visit)
        # Told once.
        visit.notice, visit.answers = None, {}
        return self._pages.render(self._frame(language), page)

    async def sign_in(self, request: Request) -> Response:
        """Start anew: whoever was signed in here before leaves first."""
        language = self._language(request) or self._pages.languages[0]
        visit = Visit(language)
        request.scope["session"] = visit.client_data
        try:
            address = await self._account.begin(request, language)
        except UnreachableError:
            visit.end(Notice.UNREACHABLE)
            address = f"/{language}/"
        return self._with_cookie(_see_other(address), self._visits.begin(visit))

    async def callback(self, request: Request) -> Response:
        visit = self._visit(request)
        if visit is None:
            # The answer to a question that this browser never asked.
            return _see_other("/")
        request.scope["session"] = visit.client_data
        try:
            visit.reader = await self._account.finish(request)
        except SignInRefusedError as refusal:
            log.info("sign-in refused: %s", refusal.error)
            visit.end(Notice.CANCELLED if refusal.error == "access_denied" else Notice.FAILED)
            visit.answers = {"error": refusal.error}
        except UnreachableError:
            visit.end(Notice.UNREACHABLE)
        renewed = self._visits.renew(request.cookies[self._cookie])
        return self._with_cookie(_see_other(f"/{visit.language}/"), renewed)

    async def refresh(self, request: Request) -> Response:
        visit = await self._visit_by_our_form(request)
        if visit is None or visit.reader is None:
            return _see_other(f"/{self._language(request) or ''}/")
        try:
            outcome = await self._account.renew(visit.reader)
        except UnreachableError:
            visit.notice = Notice.UNREACHABLE
        else:
            _take(visit, outcome)
        return _see_other(f"/{visit.language}/")

    async def sign_out(self, request: Request) -> Response:
        visit = await self._visit_by_our_form(request)
        if visit is None or visit.reader is None:
            return _see_other(f"/{self._language(request) or ''}/")
        reader = visit.reader
        visit.end(Notice.SIGNED_OUT)
        try:
            address = await self._account.sign_out_address(reader, visit.language)
        except UnreachableError:
            visit.notice = Notice.UNREACHABLE
            address = f"/{visit.language}/"
        return _see_other(address)

    async def signed_out(self, request: Request) -> Response:
        """Take the browser back from the account (OIDC RP-Initiated Logout section 3)."""
        visit = self._visit(request)
        return _see_other("/" if visit is None else f"/{visit.language}/")

    async def backchannel_logout(self, request: Request) -> Response:
        """End the visits that the account names (OIDC Back-Channel Logout section 2.5)."""
        fields = await _form(request)
        no_store = {"Cache-Control": "no-store"}
        try:
            order = await self._logout_tokens.check(fields.get("logout_token", ""))
        except LogoutTokenInvalidError as error:
            log.warning("logout token refused: %s", error)
            return JSONResponse({"error": "invalid_request"}, 400, headers=no_store)
        except httpx2.HTTPError:
            return JSONResponse({"error": "temporarily_unavailable"}, 503, headers=no_store)
        ended = self._visits.end_signed_in(order.subject, order.account_session)
        log.info("the account ended %s visits", ended)
        return Response(status_code=200, headers=no_store)

    async def lost(self, request: Request) -> Response:
        language = self._pages.negotiate(request.headers.get("accept-language", ""))
        return self._pages.render(
            self._frame(language), LostPage(m("The library has no such page.")), 404
        )

    def _language(self, request: Request) -> str | None:
        language = str(request.path_params.get("language", ""))
        return language if language in self._pages.languages else None

    def _frame(self, language: str) -> Frame:
        other = next(other for other in self._pages.languages if other != language)
        dashboard = f"{self._account.settings.issuer}/{language}/dashboard"
        return Frame(language, other, self._pages.name_of(other), dashboard)

    def _visit(self, request: Request) -> Visit | None:
        return self._visits.find(request.cookies.get(self._cookie, ""))

    async def _visit_by_our_form(self, request: Request) -> Visit | None:
        visit = self._visit(request)
        given = (await _form(request)).get("form_token", "")
        # Another port of this host is the same site to a cookie, not to this token.
        if visit is None or not compare_digest(given.encode(), visit.form_token.encode()):
            return None
        return visit

    def _with_cookie(self, response: Response, secret: str) -> Response:
        response.set_cookie(
            self._cookie,
            secret,
            max_age=LIFETIME_SECONDS,
            httponly=True,
            samesite="lax",
            secure=self._account.settings.own_address.startswith("https:"),
        )
        return response


def _page(visit: Visit) -> Page:
    notice = None if visit.notice is None else NOTICES[visit.notice]
    if visit.reader is None:
        return WelcomePage(
            notice=notice,
            is_good_news=visit.notice is Notice.SIGNED_OUT,
            error=visit.answers.get("error", ""),
            answers={name: text for name, text in visit.answers.items() if name != "error"},
            form_token=visit.form_token,
        )
    return ReaderPage(
        notice=notice,
        name=visit.reader.name,
        received=_received(visit.reader),
        answers=visit.answers,
        form_token=visit.form_token,
    )


def _received(reader: Reader) -> str:
    received = {"id_token": reader.claims, "userinfo": reader.userinfo}
    return json.dumps(received, ensure_ascii=False, indent=2, sort_keys=True)


def _take(visit: Visit, outcome: Renewed | Refused) -> None:
    match outcome:
        case Renewed(reader):
            visit.reader = reader
            visit.notice = Notice.REFRESHED
            visit.answers = {"refresh": "HTTP 200", "userinfo": "HTTP 200"}
        case Refused(refresh, userinfo):
            visit.end(Notice.REFUSED)
            visit.answers = {"refresh": refresh, "userinfo": userinfo}


async def _form(request: Request) -> dict[str, str]:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BODY_BYTES:
            return {}
    return dict(parse_qsl(body.decode(errors="replace")))


def _see_other(address: str) -> RedirectResponse:
    return RedirectResponse(address, 303, headers={"Cache-Control": "no-store"})


def create_library(
    settings: LibrarySettings, transport: httpx2.AsyncBaseTransport | None = None
) -> Starlette:
    """Build the Library; a transport stands for the network in tests."""
    translations = Translations.read(LOCALE, default="sk", time_zone="Europe/Bratislava")
    library = Library(CityAccount(settings, transport), Pages(translations))
    return Starlette(routes=library.routes)


def from_environment(variable: Callable[[str], str] = os.environ.__getitem__) -> Starlette:
    """Build the Library of this environment, for `uvicorn --factory`."""
    logging.basicConfig(level=logging.INFO)
    logging.getLogger("httpx2").setLevel(logging.WARNING)
    return create_library(
        LibrarySettings(
            issuer=variable("LIBRARY_CITY_ISSUER"),
            client_id=variable("LIBRARY_CLIENT_ID"),
            client_secret=variable("LIBRARY_CLIENT_SECRET"),
            own_address=variable("LIBRARY_ADDRESS"),
        )
    )
