"""Say what is asked of every provider, and what each answer must leave behind."""

import json
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx2

from tests.bench.city import SCOPE, residents, resource_of
from tests.bench.line import Line, UnexpectedAnswerError
from tests.bench.providers import Provider
from tests.factories import CHALLENGE, PASSWORD, REDIRECT_URI, VERIFIER
from tests.pages import Visitor
from tests.relying_party import basic_header, bearer
from tests.services import SECRET

Work = Callable[[Line], Awaitable[int]]
"""Does its share over one connection, and returns how many requests that were."""
LIBRARY = f"Authorization: {basic_header('library', SECRET)}\r\n"
MACHINE = f"Authorization: {basic_header('machine', SECRET)}\r\n"


@dataclass(frozen=True, slots=True)
class Case:
    name: str
    requests: int
    """In one round."""
    goal: float | None
    """How many times the peer's throughput, both on PostgreSQL; None: none was set."""
    prepare: Callable[[Provider, int], Awaitable[Work]]
    """Makes what one connection needs, before the clocks are read."""
    tokens: int = 0
    """Issued by each request."""
    is_jwt: bool = False
    """A machine's: it says all of itself, and is not stored."""
    lines: int = 16


async def client_credentials(provider: Provider, share: int) -> Work:
    return _repeat_form(
        provider.paths.token, {"grant_type": "client_credentials", "scope": "cases.read"}, share
    )


def client_credentials_jwt(algorithm: str) -> Callable[[Provider, int], Awaitable[Work]]:
    async def prepare(provider: Provider, share: int) -> Work:
        fields = {"grant_type": "client_credentials", "scope": "cases.read"}
        fields["resource"] = resource_of(algorithm)
        return _repeat_form(provider.paths.token, fields, share)

    return prepare


async def redeem(provider: Provider, share: int) -> Work:
    codes = await provider.make_codes(share)

    async def work(line: Line) -> int:
        for code in codes:
            fields = _redemption(code)
            await line.ask(line.form(provider.paths.token, fields, LIBRARY))
        return len(codes)

    return work


async def refresh(provider: Provider, share: int) -> Work:
    token = (await _issue(provider))["refresh_token"]

    async def work(line: Line) -> int:
        newest = token
        for _ in range(share):
            fields = {"grant_type": "refresh_token", "refresh_token": newest}
            body = await line.ask(line.form(provider.paths.token, fields, LIBRARY))
            newest = json.loads(body)["refresh_token"]
        return share

    return work


async def introspect(provider: Provider, share: int) -> Work:
    token = (await _issue(provider))["access_token"]

    async def work(line: Line) -> int:
        request = line.form(provider.paths.introspect, {"token": token}, LIBRARY)
        for _ in range(share):
            if b'"active":true' not in (await line.ask(request)).replace(b" ", b""):
                raise UnexpectedAnswerError("the token is not active")
        return share

    return work


async def userinfo(provider: Provider, share: int) -> Work:
    header = bearer((await _issue(provider))["access_token"])["Authorization"]

    async def work(line: Line) -> int:
        request = line.request(f"GET {provider.paths.userinfo}", f"Authorization: {header}\r\n")
        for _ in range(share):
            if b"@example.sk" not in await line.ask(request):
                raise UnexpectedAnswerError("the address is missing")
        return share

    return work


async def jwks(provider: Provider, share: int) -> Work:
    async def work(line: Line) -> int:
        request = line.request(f"GET {provider.paths.jwks}")
        for _ in range(share):
            await line.ask(request)
        return share

    return work


async def log_in(provider: Provider, share: int) -> Work:
    """Sign in by a password, consent, and redeem the code: each time in a new browser."""
    holders = residents()

    async def work(line: Line) -> int:
        for number in range(share):
            resident = holders[(id(line) + number) % len(holders)]
            async with httpx2.AsyncClient(base_url=provider.url, timeout=60) as http:
                code = await _authorize(Visitor(http), provider, resident.email)
            await line.ask(line.form(provider.paths.token, _redemption(code), LIBRARY))
        return share

    return work


CASES: Sequence[Case] = (
    Case("client_credentials", 3200, 1.25, client_credentials, tokens=1),
    Case("JWT, ES256", 3200, 1.75, client_credentials_jwt("ES256"), tokens=1, is_jwt=True),
    Case("JWT, RS256", 3200, 1.75, client_credentials_jwt("RS256"), tokens=1, is_jwt=True),
    Case("code exchange", 1600, 1.25, redeem, tokens=2),
    Case("refresh", 1920, 1.5, refresh, tokens=2),
    Case("introspection", 3200, 1.5, introspect),
    Case("userinfo", 3200, 1.5, userinfo),
    Case("JWKS", 12800, None, jwks),
    Case("login flow", 32, None, log_in, tokens=2, lines=4),
)


def _repeat_form(path: str, fields: dict[str, str], share: int) -> Work:
    async def work(line: Line) -> int:
        request = line.form(path, fields, MACHINE)
        for _ in range(share):
            await line.ask(request)
        return share

    return work


def _redemption(code: str) -> dict[str, str]:
    return {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": REDIRECT_URI,
        "code_verifier": VERIFIER,
    }


async def _issue(provider: Provider) -> dict[str, str]:
    [code] = await provider.make_codes(1)
    async with Line(provider.url) as line:
        body = await line.ask(line.form(provider.paths.token, _redemption(code), LIBRARY))
    issued: dict[str, str] = json.loads(body)
    return issued


async def _authorize(visitor: Visitor, provider: Provider, email: str) -> str:
    asked = {
        "response_type": "code",
        "client_id": "library",
        "redirect_uri": REDIRECT_URI,
        "scope": SCOPE,
        "nonce": "n-0S6_WzA2Mj",
        "prompt": "consent",
        "code_challenge": CHALLENGE,
        "code_challenge_method": "S256",
    }
    await visitor.open(f"{provider.paths.authorize}?{urlencode(asked)}")
    visitor.fill({"#email": email, "#password": PASSWORD})
    await visitor.press("#sign-in")
    await visitor.press("#allow")
    return parse_qs(urlsplit(visitor.left_for or "").query)["code"][0]
