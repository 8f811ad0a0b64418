"""Send authorization requests as a service does, with the browser of a resident."""

from collections.abc import Mapping, Sequence
from urllib.parse import parse_qsl, urlencode, urlsplit

import httpx2

from citizen_account.bootstrap import Runtime
from citizen_account.domain.accounts import PASSWORD, AccountId, Level, Session, SignInMethod
from citizen_account.usecases.sign_in import open_session
from citizen_account.web.cookies import name_of
from tests.factories import CHALLENGE, ISSUER, REDIRECT_URI
from tests.pages import Visitor, read_page

Fields = Mapping[str, str | None]
UNCHANGED: Fields = {}
BROWSER = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
BY_EID = SignInMethod(("pwd", "hwk"), Level.HIGH)


def request_fields(changes: Fields = UNCHANGED) -> dict[str, str]:
    """Return a good request; a change to None leaves a field out."""
    fields: Fields = {
        "response_type": "code",
        "client_id": "library",
        "redirect_uri": REDIRECT_URI,
        "scope": "openid email",
        "state": "a-state",
        "nonce": "a-nonce",
        "code_challenge": CHALLENGE,
        "code_challenge_method": "S256",
        **changes,
    }
    return {name: value for name, value in fields.items() if value is not None}


def address(changes: Fields = UNCHANGED, *, more: Sequence[tuple[str, str]] = ()) -> str:
    return f"/authorize?{urlencode([*request_fields(changes).items(), *more])}"


def answer_in(location: str | None, redirect_uri: str = REDIRECT_URI) -> dict[str, str]:
    """Return what the client receives, once it is sure that it is the client that does."""
    assert location is not None
    assert location.startswith(redirect_uri), location
    fields = parse_qsl(urlsplit(location).query, strict_parsing=True)
    assert len(dict(fields)) == len(fields)
    received = dict(fields)
    # RFC 9207 section 2, and RFC 6749 section 4.1.2: in every answer.
    assert received["iss"] == ISSUER
    assert received.get("state") == "a-state"
    return received


def answer_of(response: httpx2.Response) -> dict[str, str]:
    # RFC 9700 section 4.12: 303.
    assert response.status_code == 303, response.text
    return answer_in(response.headers["location"])


def form_in(text: str) -> dict[str, str]:
    """Return what the browser is to send to the client (Form Post Response Mode section 2)."""
    [form] = read_page(text).find("#form-post")
    assert form.attributes["action"] == REDIRECT_URI
    assert form.attributes["method"] == "post"
    inputs = form.find("input")
    return {field.attributes["name"]: field.attributes["value"] for field in inputs}


def error_code(visitor: Visitor) -> str:
    """Return the code on our own error page."""
    assert visitor.left_for is None
    return visitor.text("#error-code")


async def sign_in(
    runtime: Runtime,
    http: httpx2.AsyncClient,
    account_id: AccountId,
    method: SignInMethod = PASSWORD,
) -> Session:
    """Give the browser a session, as the sign-in page does."""
    cookie = name_of(runtime, "session")
    async with runtime.database.begin() as uow:
        opened = await open_session(
            uow,
            account_id,
            method,
            user_agent=BROWSER,
            old_session_secret=http.cookies.get(cookie),
            limits=runtime.session_limits,
        )
    http.cookies.set(cookie, opened.secret, domain=urlsplit(ISSUER).netloc)
    return opened.session


async def allow(visitor: Visitor, changes: Fields = UNCHANGED) -> dict[str, str]:
    """Ask for a code and press what the consent page offers; return what the client receives."""
    await visitor.open(address(changes))
    await visitor.press("#allow")
    return answer_in(visitor.left_for)
