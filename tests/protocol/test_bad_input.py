"""What no client of ours would send: refused clearly, in the form of its area, and not stored."""

import re
from collections.abc import AsyncIterator

import httpx2
import pytest
from fastapi import FastAPI
from sqlalchemy import func, select

from citizen_account.bootstrap import Runtime
from citizen_account.storage.tables import METADATA
from citizen_account.storage.unit_of_work import Database
from tests.pages import read_page
from tests.routes import addresses_of
from tests.services import register

FORM = "application/x-www-form-urlencoded"
PAGE, OAUTH, API = "/en/sign-in", "/token", "/api/v1/me"
OAUTH_JSON = frozenset(
    {"/token", "/userinfo", "/introspect", "/revoke", "/par", "/jwks", "/register"}
)
HUGE = "9" * 5000
GAP = re.compile(r"\{[^}]+\}")
SURROGATE = "%ED%A0%80"


def assert_clear(answer: httpx2.Response, *statuses: int) -> None:
    """Require one of the statuses, and a text in the form that the area's reader understands."""
    assert answer.status_code in statuses, read_page(answer.text).text()
    assert_words(answer)


def assert_words(answer: httpx2.Response) -> None:
    path, kind = answer.url.path, answer.headers["content-type"].partition(";")[0]
    if path.startswith(("/api/", "/connectors/", "/health/")):
        problem = answer.json()
        assert kind == "application/problem+json"
        assert problem["status"] == answer.status_code
        assert problem["title"]
        assert problem["detail"]
    elif path in OAUTH_JSON or path.startswith("/register/"):
        assert kind == "application/json"
        assert answer.json()["error"]
    else:
        assert kind == "text/html"
        page = read_page(answer.text)
        assert page.find("#error-code"), page.text()
        assert "help@city.example" in page.text()


async def counts(database: Database) -> dict[str, int]:
    async with database.engines.reader.connect() as connection:
        return {
            table.name: (
                await connection.execute(select(func.count()).select_from(table))
            ).scalar_one()
            for table in METADATA.sorted_tables
        }


@pytest.fixture(autouse=True)
async def nothing_is_stored(runtime: Runtime, http: httpx2.AsyncClient) -> AsyncIterator[None]:
    """Compare every table before and after."""
    database = runtime.database
    await register(runtime)
    # The first question makes the signing keys.
    assert (await http.get("/jwks")).status_code == 200
    before = await counts(database)
    yield
    assert await counts(database) == before


@pytest.mark.parametrize("address", [PAGE, OAUTH])
@pytest.mark.parametrize("value", ["a%00b", SURROGATE, "%FF%FE", "%C0%80"])
async def test_nul_or_surrogate_in_a_form_is_refused(
    http: httpx2.AsyncClient, address: str, value: str
) -> None:
    body = f"email={value}&password=x&grant_type=authorization_code&code={value}"
    answer = await http.post(address, content=body, headers={"Content-Type": FORM})
    assert_clear(answer, 400, 403)


@pytest.mark.parametrize("address", [PAGE, "/authorize", "/userinfo", "/logout", "/"])
@pytest.mark.parametrize("value", ["a%00b", SURROGATE, "%FF"])
async def test_nul_or_surrogate_in_a_query_is_refused(
    http: httpx2.AsyncClient, address: str, value: str
) -> None:
    assert_clear(await http.get(f"{address}?next={value}"), 400)


@pytest.mark.parametrize("name", ["a%00b", SURROGATE])
async def test_nul_or_surrogate_in_the_name_of_a_field_is_refused(
    http: httpx2.AsyncClient, name: str
) -> None:
    assert_clear(await http.get(f"{PAGE}?{name}=x"), 400)


@pytest.mark.parametrize("path", ["/en/%00", "/en/services/%00", "/en/services/%ED%A0%80"])
async def test_nul_or_surrogate_in_a_path_leads_nowhere(
    http: httpx2.AsyncClient, path: str
) -> None:
    assert_clear(await http.get(path), 404)


@pytest.mark.parametrize("value", ["a\x00b", "\udcff", "x" * 100_000])
async def test_cookie_that_is_no_secret_of_ours_is_ignored(
    http: httpx2.AsyncClient, value: str
) -> None:
    cookie = f"__Host-session={value}".encode("utf-8", "surrogateescape")
    answer = await http.get("/en/help", headers={b"Cookie": cookie})
    assert answer.status_code in {200, 400, 431}


@pytest.mark.parametrize("language", ["xx", "SK", "en-GB", "..", "%2e%2e"])
async def test_unknown_language_does_not_exist(http: httpx2.AsyncClient, language: str) -> None:
    assert_clear(await http.get(f"/{language}/sign-in"), 404)


@pytest.mark.parametrize("value", ["9" * 20, HUGE, "-1", "1e9", "0x10", "٣"])
async def test_max_age_that_is_no_small_number_is_refused(
    http: httpx2.AsyncClient, value: str
) -> None:
    query = {"client_id": "nobody", "response_type": "code", "max_age": value}
    assert_clear(await http.get("/authorize", params=query), 400)


@pytest.mark.parametrize("value", [HUGE, "-1", "1.5", "ten"])
async def test_length_that_is_no_small_number_is_refused(
    http: httpx2.AsyncClient, value: str
) -> None:
    headers = {"Content-Type": FORM, "Content-Length": value}
    assert_clear(await http.post(PAGE, content=b"a=1", headers=headers), 400, 413)


async def test_number_of_fields_is_limited(http: httpx2.AsyncClient) -> None:
    body = "&".join(f"f{number}=1" for number in range(5000))
    answer = await http.post(OAUTH, content=body, headers={"Content-Type": FORM})
    assert_clear(answer, 400)


@pytest.mark.parametrize("address", [PAGE, OAUTH, "/introspect", "/revoke"])
@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("application/json", b'{"grant_type":"authorization_code"}'),
        ("text/plain", b"grant_type=authorization_code"),
        ("multipart/form-data; boundary=x", b"--x--"),
        ("application/xml", b"<a/>"),
        ("", b"grant_type=authorization_code"),
    ],
    ids=["json", "text", "multipart", "xml", "none"],
)
async def test_wrong_content_type_is_refused(
    http: httpx2.AsyncClient, address: str, kind: str, body: bytes
) -> None:
    answer = await http.post(address, content=body, headers={"Content-Type": kind})
    assert_clear(answer, 400, 415)


async def test_token_request_with_a_doubled_parameter_is_refused(http: httpx2.AsyncClient) -> None:
    # RFC 6749 section 3.2: request parameters must not be included more than once.
    body = b"grant_type=authorization_code&code=a&code=b&client_id=x"
    answer = await http.post(OAUTH, content=body, headers={"Content-Type": FORM})
    assert_clear(answer, 400)
    assert answer.json()["error"] == "invalid_request"


@pytest.mark.parametrize("name", ["client_id", "redirect_uri", "state", "scope"])
async def test_authorization_request_with_a_doubled_parameter_is_refused(
    http: httpx2.AsyncClient, name: str
) -> None:
    # RFC 6749 section 3.1, before anything of it is believed.
    answer = await http.get(f"/authorize?{name}=a&{name}=b&response_type=code")
    assert_clear(answer, 400)


@pytest.mark.parametrize(
    ("address", "known"),
    [
        (PAGE, "GET, HEAD, POST"),
        ("/en/dashboard", "GET, HEAD"),
        ("/authorize", "GET, HEAD, POST"),
        (OAUTH, "POST"),
    ],
)
async def test_method_that_an_address_does_not_know_is_refused(
    http: httpx2.AsyncClient, address: str, known: str
) -> None:
    """RFC 9110 section 15.5.6: the answer names each that it knows."""
    answer = await http.request("DELETE", address)
    assert_clear(answer, 405)
    assert answer.headers["allow"] == known


async def test_head_is_answered_wherever_get_is(http: httpx2.AsyncClient) -> None:
    """RFC 9110 section 9.1."""
    for address in ("/", PAGE, "/en/dashboard", "/jwks", "/static/x/city.css"):
        asked, got = [await http.request(method, address) for method in ("HEAD", "GET")]
        assert asked.status_code == got.status_code < 400
        assert asked.headers.get("content-type") == got.headers.get("content-type")


@pytest.mark.parametrize("address", ["/", PAGE, OAUTH, API, "/authorize"])
async def test_unknown_host_is_refused(http: httpx2.AsyncClient, address: str) -> None:
    answer = await http.get(address, headers={"Host": "thief.example"})
    assert_clear(answer, 421)
    assert "thief.example" not in answer.text


async def test_two_hosts_are_refused(http: httpx2.AsyncClient) -> None:
    request = http.build_request("GET", PAGE)
    request.headers = httpx2.Headers([("Host", "account.city.example"), ("Host", "thief.example")])
    assert_clear(await http.send(request), 421)


@pytest.mark.parametrize(
    "headers",
    [
        {"X-Forwarded-Host": "thief.example"},
        {"X-Forwarded-Proto": "http", "X-Forwarded-Port": "666"},
        {"Forwarded": "for=thief.example;host=thief.example;proto=http"},
        {"X-Forwarded-Prefix": "/thief.example", "X-Script-Name": "/thief.example"},
        {"X-Original-URL": "/thief.example", "X-Rewrite-URL": "/thief.example"},
        {"X-HTTP-Method-Override": "DELETE"},
    ],
    ids=lambda headers: next(iter(headers)),
)
@pytest.mark.parametrize("address", ["/en/help", "/.well-known/openid-configuration"])
async def test_forged_forwarded_header_changes_nothing(
    http: httpx2.AsyncClient, address: str, headers: dict[str, str]
) -> None:
    answer = await http.get(address, headers=headers)
    assert answer.status_code == 200
    assert "thief.example" not in answer.text + str(answer.headers)
    assert "http://account" not in answer.text


@pytest.mark.parametrize(
    "uri",
    [
        "https://thief.example/",
        "//thief.example/callback",
        "javascript:alert(1)",
        "data:text/html,x",
        "",
        "https://library.example/callback/../x",
        "https://library.example@thief.example/callback",
        "https://library.example/callback%0d%0aLocation:%20https://thief.example",
    ],
)
@pytest.mark.parametrize("client", ["library", "nobody"])
async def test_wrong_redirect_uri_shows_a_page_and_never_redirects(
    http: httpx2.AsyncClient, client: str, uri: str
) -> None:
    # RFC 6749 section 4.1.2.1: must not automatically redirect to the invalid redirection URI.
    query = {"client_id": client, "response_type": "code", "redirect_uri": uri, "scope": "openid"}
    answer = await http.get("/authorize", params=query)
    assert "location" not in answer.headers
    assert "thief.example" not in answer.headers.get("refresh", "")
    assert_clear(answer, 400)


async def test_every_form_of_the_account_refuses_what_is_no_text(
    app: FastAPI, http: httpx2.AsyncClient
) -> None:
    addresses = forms_of(app)
    assert len(addresses) > 10
    for address in addresses:
        for body in (b"a=%00", b"a=" + SURROGATE.encode(), b"\x00\xff=\x80", b"%00=a"):
            answer = await http.post(address, content=body, headers={"Content-Type": FORM})
            assert 400 <= answer.status_code < 500, (address, body, answer.status_code)
            assert_words(answer)


def forms_of(app: FastAPI) -> list[str]:
    """Return each address that takes POST, an invented value in each gap."""
    paths = [address.path for address in addresses_of(app) if "POST" in address.methods]
    return [GAP.sub("x", path.replace("{language}", "en")) for path in paths]
