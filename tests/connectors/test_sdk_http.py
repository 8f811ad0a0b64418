"""A connector's way out: one address, bounded answers, faults by what the host does next."""

import asyncio
import gzip
import json
import logging
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta

import httpx2
import pytest
from joserfc import jwt
from joserfc.jwk import OctKey

from citizen_account.connector_sdk import errors
from citizen_account.connector_sdk.auth import (
    ApiKey,
    Basic,
    ClientCredentials,
    Credentials,
    JwtClient,
)
from citizen_account.connector_sdk.http import MAXIMUM_BYTES, ConnectorHttp, retry_after
from citizen_account.connector_sdk.rigging import bad_certificate

BASE = "https://source.example/api/v1"
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
Answer = Callable[[httpx2.Request], httpx2.Response]


class Source:
    """A source that answers as each test says, and remembers what it was asked."""

    def __init__(self, answer: Answer | httpx2.Response) -> None:
        self.asked: list[httpx2.Request] = []
        self._answer = answer

    def __call__(self, request: httpx2.Request) -> httpx2.Response:
        self.asked.append(request)
        if isinstance(self._answer, httpx2.Response):
            return self._answer
        return self._answer(request)

    def http(
        self, credentials: Credentials | None = None, *, timeout_seconds: float = 5
    ) -> ConnectorHttp:
        return ConnectorHttp(
            BASE,
            httpx2.MockTransport(self),
            credentials=credentials,
            timeout_seconds=timeout_seconds,
        )


def ok(value: object = None, **headers: str) -> httpx2.Response:
    return httpx2.Response(200, headers=headers, json={} if value is None else value)


def raising(error: Exception) -> Answer:
    def answer(_: httpx2.Request) -> httpx2.Response:
        raise error

    return answer


# --- where it goes ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "url"),
    [
        ("cases", f"{BASE}/cases"),
        ("/cases/7", f"{BASE}/cases/7"),
        (f"{BASE}/types/1", f"{BASE}/types/1"),
        ("https://source.example/other", "https://source.example/other"),
    ],
)
async def test_path_stands_below_the_base_url(path: str, url: str) -> None:
    source = Source(ok())
    await source.http().get_json(path)
    assert str(source.asked[0].url) == url


@pytest.mark.parametrize(
    "path",
    [
        "https://evil.example/", "//evil.example/", "http://source.example/api/v1/",
        "https://source.example:444/", "https://source.example.evil.example/", "file:///etc/passwd",
        "https://source.example@evil.example/", "urn:x",
    ],
)  # fmt: skip
async def test_source_cannot_lead_our_credentials_elsewhere(path: str) -> None:
    source = Source(ok())
    with pytest.raises(errors.Misconfigured, match="another host"):
        await source.http(ApiKey("k")).get_json(path)
    assert source.asked == []


async def test_redirect_is_not_followed() -> None:
    source = Source(httpx2.Response(302, headers={"Location": f"{BASE}/elsewhere"}))
    with pytest.raises(errors.Misconfigured, match="302"):
        await source.http().get_json("cases")
    assert len(source.asked) == 1


async def test_cookie_is_not_kept() -> None:
    source = Source(ok(**{"Set-Cookie": "session=1"}))
    http = source.http()
    await http.get_json("cases")
    await http.get_json("cases")
    assert "cookie" not in source.asked[1].headers


async def test_peer_has_credentials_of_its_own() -> None:
    source = Source(ok())
    desk = ConnectorHttp(
        "https://desk.example", httpx2.MockTransport(source), credentials=ApiKey("desk")
    )
    http = ConnectorHttp(
        BASE, httpx2.MockTransport(source), credentials=ApiKey("main"), peers={"desk": desk}
    )
    await http.peer("desk").get_json("letters")
    assert source.asked[0].headers["x-api-key"] == "desk"
    with pytest.raises(errors.Misconfigured, match="other"):
        http.peer("other")


# --- what faults become -------------------------------------------------------------------------

STATUSES: list[tuple[int, type[errors.ConnectorError]]] = [
    (301, errors.Misconfigured), (400, errors.Refused), (401, errors.Misconfigured),
    (403, errors.Misconfigured), (404, errors.Gone), (408, errors.Unavailable),
    (409, errors.Refused), (410, errors.Gone), (422, errors.Refused), (429, errors.RateLimited),
    (500, errors.Unavailable), (502, errors.Unavailable), (503, errors.Unavailable),
]  # fmt: skip


@pytest.mark.parametrize(("status", "error"), STATUSES)
async def test_status_becomes_what_the_host_does_next(
    status: int, error: type[errors.ConnectorError]
) -> None:
    with pytest.raises(error):
        await Source(httpx2.Response(status, text="private words")).http().get_json("cases")


async def test_expected_status_is_left_to_the_connector() -> None:
    source = Source(httpx2.Response(403, json={"errors": ["law"]}))
    reply = await source.http().request("GET", "gdpr", expected=[403])
    assert (reply.status, reply.body) == (403, {"errors": ["law"]})


FAULTS: list[tuple[Exception, type[errors.ConnectorError], type[errors.ConnectorError]]] = [
    (httpx2.ConnectError("x"), errors.Unavailable, errors.Unavailable),
    (httpx2.ConnectTimeout("x"), errors.Unavailable, errors.Unavailable),
    (httpx2.PoolTimeout("x"), errors.Unavailable, errors.Unavailable),
    (httpx2.ReadTimeout("x"), errors.Unavailable, errors.OutcomeUnknown),
    (httpx2.ReadError("x"), errors.Unavailable, errors.OutcomeUnknown),
    (httpx2.RemoteProtocolError("x"), errors.Unavailable, errors.OutcomeUnknown),
    (httpx2.WriteError("x"), errors.Unavailable, errors.OutcomeUnknown),
    (bad_certificate(), errors.Misconfigured, errors.Misconfigured),
    (httpx2.UnsupportedProtocol("x"), errors.Misconfigured, errors.Misconfigured),
]


@pytest.mark.parametrize(("fault", "of_read", "of_write"), FAULTS, ids=range(len(FAULTS)))
async def test_fault_of_a_write_that_was_sent_leaves_its_outcome_open(
    fault: Exception,
    of_read: type[errors.ConnectorError],
    of_write: type[errors.ConnectorError],
) -> None:
    http = Source(raising(fault)).http()
    with pytest.raises(of_read):
        await http.get_json("cases")
    with pytest.raises(of_write):
        await http.post_json("cases", {})


async def test_unreadable_answer_to_a_write_leaves_its_outcome_open() -> None:
    http = Source(httpx2.Response(201, text="<html>")).http()
    with pytest.raises(errors.OutcomeUnknown):
        await http.post_json("cases", {})
    with pytest.raises(errors.Unavailable):
        await http.request("POST", "search", json={}, is_read=True)


async def test_slow_drip_ends_at_the_deadline() -> None:
    class Drip(httpx2.AsyncByteStream):
        async def __aiter__(self) -> AsyncIterator[bytes]:
            while True:
                await asyncio.sleep(0.02)
                yield b" "

    async def answer(_: httpx2.Request) -> httpx2.Response:
        return httpx2.Response(200, stream=Drip())

    http = ConnectorHttp(BASE, httpx2.MockTransport(answer), timeout_seconds=0.2)
    with pytest.raises(errors.Unavailable, match="in time"):
        await http.get_json("cases")


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("30", 30.0), ("0", 0.0), (" 7 ", 7.0), ("999999999999", 3600.0), ("-5", None),
        ("soon", None), ("", None), (None, None), ("١٢", None),
        ("Sun, 01 Mar 2026 12:02:00 GMT", 120.0), ("Sun, 01 Mar 2026 11:00:00 GMT", 0.0),
        ("Sun, 01 Mar 2037 11:00:00 GMT", 3600.0),
    ],
)  # fmt: skip
def test_retry_after_is_read_within_reason(header: str | None, seconds: float | None) -> None:
    assert retry_after(header, NOW) == seconds


# --- what comes back ----------------------------------------------------------------------------

UNREADABLE: dict[str, httpx2.Response] = {
    "html": httpx2.Response(200, text="<html>"),
    "half": httpx2.Response(200, content=b'{"a": '),
    "latin": httpx2.Response(200, content='"ž"'.encode("iso8859-2")),
    "nan": httpx2.Response(200, content=b"[NaN]"),
    "infinite": httpx2.Response(200, content=b"[-Infinity]"),
    "surrogate": httpx2.Response(200, content=b'{"a": "\\ud83d"}'),
    "surrogate name": httpx2.Response(200, content=b'{"\\udc00": 1}'),
    "nul": httpx2.Response(200, content=b'["\\u0000"]'),
    "deep": httpx2.Response(200, content=b"[" * 40 + b"]" * 40),
    "very deep": httpx2.Response(200, content=b"[" * 200_000),
    "long number": httpx2.Response(200, content=b"9" * 5000),
    "large": httpx2.Response(200, content=b" " * (MAXIMUM_BYTES + 1) + b"1"),
    "bomb": httpx2.Response(
        200,
        headers={"Content-Encoding": "gzip"},
        stream=httpx2.ByteStream(gzip.compress(b" " * 50_000_000)),
    ),
    "no gzip": httpx2.Response(
        200, headers={"Content-Encoding": "gzip"}, stream=httpx2.ByteStream(b"plain")
    ),
    "other packing": httpx2.Response(
        200, headers={"Content-Encoding": "br"}, stream=httpx2.ByteStream(b"x")
    ),
}


@pytest.mark.parametrize("what", UNREADABLE)
async def test_unreadable_answer_is_unavailable(what: str) -> None:
    with pytest.raises(errors.Unavailable):
        await Source(UNREADABLE[what]).http().get_json("cases")


async def test_packed_answer_is_unpacked() -> None:
    packed = httpx2.ByteStream(gzip.compress(json.dumps({"a": "ž"}).encode()))
    source = Source(httpx2.Response(200, headers={"Content-Encoding": "gzip"}, stream=packed))
    assert await source.http().get_json("cases") == {"a": "ž"}


async def test_empty_answer_is_none() -> None:
    assert await Source(httpx2.Response(204)).http().get_json("cases") is None


# --- who asks -----------------------------------------------------------------------------------


async def headers_with(credentials: Credentials) -> httpx2.Headers:
    source = Source(ok())
    await source.http(credentials).get_json("cases")
    return source.asked[0].headers


async def test_key_and_password_travel_in_headers() -> None:
    assert (await headers_with(ApiKey("k", "X-Key")))["x-key"] == "k"
    # RFC 7617 section 2: the example of the standard.
    told = await headers_with(Basic("Aladdin", "open sesame"))
    assert told["authorization"] == "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="


async def test_client_of_zgw_signs_a_fresh_token() -> None:
    secret = "an invented secret of thirty-two letters"
    told = await headers_with(JwtClient("account", secret, lambda: NOW))
    token = jwt.decode(told["authorization"].removeprefix("Bearer "), OctKey.import_key(secret))
    assert token.header == {"alg": "HS256", "typ": "JWT"}
    assert token.claims["iss"] == token.claims["client_id"] == "account"
    assert token.claims["iat"] == NOW.timestamp()


class TokenSource(Source):
    """Issues tokens at /token and takes the last one."""

    def __init__(self, token_answer: Callable[[int], httpx2.Response]) -> None:
        super().__init__(self._by_path)
        self.tokens = 0
        self._token_answer = token_answer

    def _by_path(self, request: httpx2.Request) -> httpx2.Response:
        if request.url.path == "/token":
            self.tokens += 1
            return self._token_answer(self.tokens)
        is_right = request.headers["authorization"] == f"Bearer t{self.tokens}"
        return ok() if is_right else httpx2.Response(401)


def token(number: int) -> httpx2.Response:
    return ok({"access_token": f"t{number}", "token_type": "Bearer", "expires_in": 300})


async def test_token_of_client_credentials_is_kept_until_shortly_before_its_end() -> None:
    now = [NOW]
    source = TokenSource(token)
    credentials = ClientCredentials(
        "https://login.example/token", "a:c", "s/ecret", lambda: now[0], "cases"
    )
    http = source.http(credentials)
    await http.get_json("cases")
    await http.get_json("cases")
    assert source.tokens == 1
    now[0] += timedelta(seconds=280)
    await http.get_json("cases")
    assert source.tokens == 2
    form = source.asked[0]
    assert (await form.aread()).decode() == "grant_type=client_credentials&scope=cases"
    # RFC 6749 section 2.3.1: encoded before they are joined by a colon.
    assert form.headers["authorization"] == "Basic YSUzQWM6cyUyRmVjcmV0"


async def test_refused_token_is_forgotten() -> None:
    source = TokenSource(token)
    http = source.http(ClientCredentials("https://login.example/token", "a", "s", lambda: NOW))
    await http.get_json("cases")
    source.tokens += 1
    with pytest.raises(errors.Misconfigured):
        await http.get_json("cases")
    await http.get_json("cases")


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (httpx2.Response(400, json={"error": "invalid_client"}), errors.Misconfigured),
        (httpx2.Response(401), errors.Misconfigured),
        (httpx2.Response(503), errors.Unavailable),
        (httpx2.Response(200, json={}), errors.Misconfigured),
        (httpx2.Response(200, json=[]), errors.Misconfigured),
        (httpx2.Response(200, text="<html>"), errors.Unavailable),
    ],
    ids=range(6),
)
async def test_fault_of_the_token_endpoint_is_told(
    answer: httpx2.Response, error: type[errors.ConnectorError]
) -> None:
    source = TokenSource(lambda _: answer)
    http = source.http(ClientCredentials("https://login.example/token", "a", "s", lambda: NOW))
    with pytest.raises(error):
        await http.post_json("cases", {})


@pytest.mark.parametrize(
    "credentials",
    [
        ApiKey("canary-1"),
        Basic("user", "canary-1"),
        JwtClient("id", "canary-1", lambda: NOW),
        ClientCredentials("https://login.example/token", "id", "canary-1", lambda: NOW),
    ],
)
def test_secret_is_in_no_repr(credentials: Credentials) -> None:
    assert "canary-1" not in repr(credentials)


async def test_nothing_that_is_sent_or_answered_is_logged(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    source = Source(httpx2.Response(500, text="canary-4"))
    with pytest.raises(errors.Unavailable) as caught:
        await source.http(ApiKey("canary-1")).get_json(
            "cases", params={"subject": "canary-2"}, headers={"X-Other": "canary-3"}
        )
    assert "canary" not in caplog.text
    assert "canary" not in f"{caught.value!r} {caught.value.__context__!r}"
