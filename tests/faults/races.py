"""Prepare what may be used once, and sixteen who try at once: one race for each such object."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from http import HTTPStatus
from time import time
from types import MappingProxyType
from urllib.parse import parse_qs, urlencode, urlsplit
from uuid import uuid4

import httpx2
from joserfc import jwt
from joserfc.jwk import ECKey

from citizen_account.bootstrap import Runtime
from tests.authorizing import request_fields
from tests.factories import PASSWORD, REDIRECT_URI
from tests.journeys.steps import begin, newest_code, register, sign_out, verify
from tests.pages import Visitor
from tests.proofs import encode
from tests.registering import initial_token
from tests.relying_party import Party, basic_header
from tests.services import SECRET, authorize

Answer = httpx2.Response
Won = Callable[[Answer], bool]
Use = Callable[[httpx2.AsyncClient], Awaitable[Answer]]
KEY = ECKey.generate_key("P-256")
ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
LIBRARY = {"Authorization": basic_header("library", SECRET)}


def succeeds(answer: Answer) -> bool:
    return answer.is_success


def leads_on(answer: Answer) -> bool:
    return answer.status_code == HTTPStatus.SEE_OTHER


def gives_code(answer: Answer) -> bool:
    place = answer.headers.get("location", "")
    return place.startswith(REDIRECT_URI) and "code" in parse_qs(urlsplit(place).query)


@dataclass(frozen=True, slots=True)
class Race:
    """What each of them sends, and what is to be seen of it afterwards."""

    use: Use
    won: Won = succeeds
    check: Callable[[Answer], Awaitable[None]] | None = None
    """Given the winner's answer."""


@dataclass(frozen=True, slots=True)
class Course:
    """Where they race: a city with its own connection, and one process to prepare things at."""

    city: Runtime
    http: httpx2.AsyncClient
    number: int
    browser: Callable[[], httpx2.AsyncClient]
    """Open one more of these, with cookies of its own."""

    @property
    def library(self) -> Party:
        return Party(self.http, "library", SECRET)

    @property
    def email(self) -> str:
        return f"racer{self.number}@example.sk"


async def code(course: Course) -> Race:
    """RFC 6749 section 4.1.2; the losers were replays, so what the winner got has ended too."""
    value = await authorize(course.city)

    async def check(answer: Answer) -> None:
        issued = answer.json()
        assert (await course.library.userinfo(issued["access_token"])).status_code == 401
        assert (await course.library.refresh(issued["refresh_token"])).status_code == 400

    return Race(lambda http: replace(course.library, http=http).redeem(value), check=check)


async def refresh_token(course: Course) -> Race:
    """RFC 9700 section 4.14.2: one of its holders is a thief, so the family ends."""
    value = (await course.library.redeem(await authorize(course.city))).json()["refresh_token"]

    async def check(answer: Answer) -> None:
        again = await course.library.refresh(answer.json()["refresh_token"])
        assert again.status_code == 400

    return Race(lambda http: replace(course.library, http=http).refresh(value), check=check)


async def assertion(course: Course) -> Race:
    """RFC 7523 section 3 point 7."""
    claims = {"iss": "machine", "sub": "machine", "aud": course.city.issuer, "exp": time() + 60}
    proof = jwt.encode({"alg": "ES256"}, {**claims, "jti": uuid4().hex}, KEY)
    fields = {"client_assertion": proof, "client_assertion_type": ASSERTION}
    return Race(lambda http: Party(http, "machine").ask_for_itself(fields))


async def proof(course: Course) -> Race:
    """RFC 9449 section 11.1: the `jti` of a DPoP proof."""
    key = ECKey.generate_key("P-256")
    header = {"typ": "dpop+jwt", "alg": "ES256", "jwk": key.as_dict(private=False)}
    claims: dict[str, object] = {"jti": uuid4().hex, "htm": "POST", "iat": int(time())}
    claims["htu"] = f"{course.city.issuer}/token"
    headers = LIBRARY | {"DPoP": encode(header, claims, key)}
    sent = {"grant_type": "client_credentials"}
    return Race(lambda http: http.post("/token", data=sent, headers=headers))


async def request_uri(course: Course) -> Race:
    """RFC 9126 section 7.3: by one browser, whose resident is not asked again."""
    visitor = Visitor(course.http)
    await register(visitor, course.city, f"pushed-{course.email}")
    await visitor.open(f"/authorize?{urlencode(request_fields())}")
    await visitor.press("#allow")
    place = await push(course)
    cookies = cookies_of(visitor)
    return Race(lambda http: http.get(place, headers=cookies), won=gives_code)


async def decision(course: Course) -> Race:
    """Race for a consent's one decision, and the one code that follows it."""
    visitor = Visitor(course.http)
    await register(visitor, course.city, f"asked-{course.email}")
    await visitor.open(f"/authorize?{urlencode(request_fields())}")
    return press(visitor, "#allow", {"decision": "allow"}, won=gives_code)


async def email_code(course: Course) -> Race:
    visitor = Visitor(course.http)
    await begin(visitor, course.email)
    value = await newest_code(course.city, course.email)
    return press(visitor, "#verify", {"code": value})


async def new_account(course: Course) -> Race:
    """Race on the last page of registering, which the code has opened once."""
    visitor = Visitor(course.http)
    email = f"new-{course.email}"
    await begin(visitor, email)
    await verify(visitor, await newest_code(course.city, email))
    fields = {"given_name": "Jana", "family_name": "Kováčová", "password": PASSWORD}
    return press(visitor, "#create-account", fields)


async def password_reset(course: Course) -> Race:
    visitor = Visitor(course.http)
    email = f"lost-{course.email}"
    await register(visitor, course.city, email)
    await sign_out(visitor)
    await visitor.open("/en/recover")
    visitor.fill({"#recover-email": email})
    await visitor.press("#recover-submit")
    await verify(visitor, await newest_code(course.city, email))
    return press(visitor, "#set-password", {"new_password": "entirely other words 7"})


async def registration_token(course: Course) -> Race:
    """RFC 7591 section 3: an initial access token good for one registration."""
    token = await initial_token(course.city)
    headers = {"Authorization": f"Bearer {token}"}
    sent = {"redirect_uris": [REDIRECT_URI]}
    return Race(lambda http: http.post("/register", json=sent, headers=headers))


async def push(course: Course, changes: Mapping[str, str] = MappingProxyType({})) -> str:
    """Push a request (RFC 9126 section 2.1); return where to send the browser."""
    fields = request_fields(changes)
    pushed = await course.http.post("/par", data=fields, headers=LIBRARY)
    assert pushed.status_code == HTTPStatus.CREATED, pushed.text
    asked = {"client_id": "library", "request_uri": pushed.json()["request_uri"]}
    return f"/authorize?{urlencode(asked)}"


def press(visitor: Visitor, button: str, fields: Mapping[str, str], won: Won = leads_on) -> Race:
    """Press a button of the open page, as one browser on many connections."""
    form = visitor.find(button).within("form")
    assert form is not None
    hidden = [each for each in form.find("input") if each.attributes.get("type") == "hidden"]
    sent = {each.attributes["name"]: each.attributes["value"] for each in hidden} | dict(fields)
    place, cookies = form.attributes["action"], cookies_of(visitor)
    return Race(lambda http: http.post(place, data=sent, headers=cookies), won=won)


def cookies_of(visitor: Visitor, more: Mapping[str, str] = MappingProxyType({})) -> dict[str, str]:
    pairs = {**visitor.http.cookies, **more}.items()
    return {"Cookie": "; ".join(f"{name}={value}" for name, value in pairs)}


RACES: Mapping[str, Callable[[Course], Awaitable[Race]]] = {
    each.__name__: each
    for each in (
        code,
        refresh_token,
        assertion,
        proof,
        request_uri,
        decision,
        email_code,
        new_account,
        password_reset,
        registration_token,
    )
}
