"""The City Library against a provider that is told to behave or not; no network, no database."""

import asyncio
import html
import json
import re
import time
from collections.abc import AsyncIterator
from typing import Any

import httpx2
import pytest

from citizen_account.demo.library.account import LibrarySettings
from citizen_account.demo.library.app import create_library
from citizen_account.demo.library.logout_tokens import EVENT
from tests.mock_provider import MockProvider

HERE = "http://localhost:8002"


@pytest.fixture
def provider() -> MockProvider:
    claims = {"sub": "abc123", "name": "Jana Skúšobná", "email": "jana@example.org"}
    return MockProvider(claims=claims, id_token_changes={"sid": "session-1"})


@pytest.fixture
async def browser(provider: MockProvider) -> AsyncIterator[httpx2.AsyncClient]:
    settings = LibrarySettings(provider.issuer, provider.client_id, provider.client_secret, HERE)
    library = create_library(settings, provider.transport)
    transport = httpx2.ASGITransport(app=library)
    async with httpx2.AsyncClient(transport=transport, base_url=HERE) as client:
        yield client


async def start(browser: httpx2.AsyncClient) -> str:
    answer = await browser.post("/en/sign-in")
    assert answer.status_code == 303
    return answer.headers["location"]


async def sign_in(
    browser: httpx2.AsyncClient, provider: MockProvider, **changes: str | None
) -> str:
    answer = await browser.get(provider.approve(await start(browser), **changes))
    assert answer.status_code == 303
    return (await browser.get("/en/")).text


async def press(browser: httpx2.AsyncClient, action: str) -> httpx2.Response:
    page = (await browser.get("/en/")).text
    token = re.search(r'name="form_token" value="([^"]+)"', page)
    return await browser.post(f"/en/{action}", data={"form_token": token[1] if token else ""})


def received(page: str) -> dict[str, Any]:  # Any: JSON from the page
    found = re.search(r'<pre id="received"[^>]*>(.*?)</pre>', page, re.DOTALL)
    assert found is not None, page
    answer: dict[str, Any] = json.loads(html.unescape(found[1]))  # Any: as above
    return answer


def logout_token(provider: MockProvider, **changes: object) -> str:
    claims: dict[str, Any] = {  # Any: claims of a token
        "iss": provider.issuer,
        "aud": provider.client_id,
        "iat": int(time.time()),
        "exp": int(time.time()) + 120,
        "jti": "logout-1",
        "sid": "session-1",
        "events": {EVENT: {}},
        **changes,
    }
    claims = {name: value for name, value in claims.items() if value is not None}
    return provider.sign(claims, typ="logout+jwt")


async def test_reader_sees_exactly_what_was_received(
    browser: httpx2.AsyncClient, provider: MockProvider
) -> None:
    page = await sign_in(browser, provider)
    assert 'id="signed-in-as">Jana Skúšobná<' in page
    assert received(page)["userinfo"] == provider.claims
    assert received(page)["id_token"]["sid"] == "session-1"
    assert "access_token" not in page


async def test_request_carries_pkce_state_and_nonce(browser: httpx2.AsyncClient) -> None:
    address = await start(browser)
    for parameter in ("code_challenge=", "code_challenge_method=S256", "state=", "nonce="):
        assert parameter in address
    assert "offline_access" not in address


@pytest.mark.parametrize("language", ["sk", "en"])
async def test_first_page_speaks_the_language(browser: httpx2.AsyncClient, language: str) -> None:
    page = (await browser.get(f"/{language}/")).text
    assert f'<html lang="{language}">' in page
    assert 'id="sign-in-with-city"' in page
    assert ("Mestská knižnica" in page) is (language == "sk")


async def test_unknown_page_is_a_page(browser: httpx2.AsyncClient) -> None:
    assert (await browser.get("/de/")).status_code == 404
    assert (await browser.get("/en/nothing")).status_code == 404


@pytest.mark.parametrize(
    "changes",
    [{"state": "guessed"}, {"iss": "https://attacker.example"}, {"iss": None}],
    ids=["state", "iss", "no iss"],
)
async def test_answer_that_was_not_asked_for_signs_nobody_in(
    browser: httpx2.AsyncClient, provider: MockProvider, changes: dict[str, str | None]
) -> None:
    page = await sign_in(browser, provider, **changes)
    assert 'id="error-code"' in page
    assert "token" not in provider.requests


async def test_refusal_is_told_and_nothing_more(
    browser: httpx2.AsyncClient, provider: MockProvider
) -> None:
    page = await sign_in(browser, provider, code=None, error="access_denied")
    assert "You did not let the library see your data" in page
    assert "token" not in provider.requests


async def test_other_browser_cannot_finish_the_sign_in(
    browser: httpx2.AsyncClient, provider: MockProvider
) -> None:
    callback = provider.approve(await start(browser))
    browser.cookies.clear()
    await browser.get(callback)
    assert "token" not in provider.requests


async def test_sign_in_takes_a_new_cookie(
    browser: httpx2.AsyncClient, provider: MockProvider
) -> None:
    address = await start(browser)
    before = browser.cookies["library-8002"]
    await browser.get(provider.approve(address))
    assert browser.cookies["library-8002"] != before


async def test_refresh_asks_again(browser: httpx2.AsyncClient, provider: MockProvider) -> None:
    await sign_in(browser, provider)
    provider.claims["name"] = "Jana Nová"
    assert (await press(browser, "refresh")).status_code == 303
    assert 'id="signed-in-as">Jana Nová<' in (await browser.get("/en/")).text


async def test_refused_refresh_is_shown_and_ends_the_visit(
    browser: httpx2.AsyncClient, provider: MockProvider
) -> None:
    await sign_in(browser, provider)
    provider.refreshes.clear()
    await press(browser, "refresh")
    page = (await browser.get("/en/")).text
    assert "<code>invalid_grant</code>" in page
    assert "<code>HTTP 401</code>" in page
    assert 'id="sign-in-with-city"' in page
    assert "Jana" not in page


async def test_foreign_form_refreshes_nothing(
    browser: httpx2.AsyncClient, provider: MockProvider
) -> None:
    await sign_in(browser, provider)
    asked = len(provider.requests)
    await browser.post("/en/refresh", data={"form_token": "guessed"})
    await browser.post("/en/sign-out", data={"form_token": "guessed"})
    assert len(provider.requests) == asked
    assert "Jana" in (await browser.get("/en/")).text


async def test_sign_out_goes_by_the_account(
    browser: httpx2.AsyncClient, provider: MockProvider
) -> None:
    await sign_in(browser, provider)
    address = (await press(browser, "sign-out")).headers["location"]
    assert address.startswith(f"{provider.issuer}/logout?id_token_hint=")
    assert "post_logout_redirect_uri=http%3A%2F%2Flocalhost%3A8002%2Fsigned-out" in address
    page = (await browser.get("/signed-out", follow_redirects=True)).text
    assert "You are signed out" in page
    assert 'id="sign-in-with-city"' in page


async def test_logout_token_ends_the_visit_once(
    browser: httpx2.AsyncClient, provider: MockProvider
) -> None:
    await sign_in(browser, provider)
    token = logout_token(provider)
    answer = await browser.post("/backchannel-logout", data={"logout_token": token})
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-store"
    assert "The city account ended your visit" in (await browser.get("/en/")).text
    again = await browser.post("/backchannel-logout", data={"logout_token": token})
    assert again.status_code == 400


async def test_of_many_uses_of_a_logout_token_at_once_one_counts(
    browser: httpx2.AsyncClient, provider: MockProvider
) -> None:
    """OIDC Back-Channel Logout section 2.6: a `jti` that came before is refused."""
    sent = {"logout_token": logout_token(provider)}
    uses = (browser.post("/backchannel-logout", data=sent) for _ in range(16))
    statuses = sorted([answer.status_code for answer in await asyncio.gather(*uses)])
    assert statuses == [200, *[400] * 15]


async def test_logout_of_another_session_ends_nothing(
    browser: httpx2.AsyncClient, provider: MockProvider
) -> None:
    await sign_in(browser, provider)
    token = logout_token(provider, sid="session-2")
    await browser.post("/backchannel-logout", data={"logout_token": token})
    assert "Jana" in (await browser.get("/en/")).text


@pytest.mark.parametrize(
    "changes",
    [
        {"iss": "https://attacker.example"},
        {"aud": "another-service"},
        {"iat": int(time.time()) - 3600},
        {"iat": None},
        {"exp": 1},
        {"jti": None},
        {"events": {}},
        {"events": None},
        {"nonce": "nonce"},
        {"sid": None},
    ],
    ids=["iss", "aud", "old", "iat", "exp", "jti", "event", "events", "nonce", "nobody"],
)
async def test_false_logout_token_ends_nothing(
    browser: httpx2.AsyncClient, provider: MockProvider, changes: dict[str, object]
) -> None:
    await sign_in(browser, provider)
    token = logout_token(provider, **changes)
    answer = await browser.post("/backchannel-logout", data={"logout_token": token})
    assert answer.status_code == 400
    assert "Jana" in (await browser.get("/en/")).text


async def test_logout_token_of_a_strange_key_ends_nothing(
    browser: httpx2.AsyncClient, provider: MockProvider
) -> None:
    await sign_in(browser, provider)
    provider.signed_with = "key-of-a-stranger"
    for _ in range(5):
        token = logout_token(provider)
        answer = await browser.post("/backchannel-logout", data={"logout_token": token})
        assert answer.status_code == 400
    assert "Jana" in (await browser.get("/en/")).text
    assert provider.requests.count("jwks") == 2  # once to sign in, once for all the strange ids


async def test_new_key_of_the_account_is_read(
    browser: httpx2.AsyncClient, provider: MockProvider
) -> None:
    await sign_in(browser, provider)
    provider.published, provider.signed_with = ("key-1", "key-2"), "key-2"
    token = logout_token(provider)
    answer = await browser.post("/backchannel-logout", data={"logout_token": token})
    assert answer.status_code == 200


async def test_account_that_is_down_is_told(
    browser: httpx2.AsyncClient, provider: MockProvider
) -> None:
    provider.status = 503
    assert (await browser.post("/en/sign-in")).headers["location"] == "/en/"
    assert "does not answer now" in (await browser.get("/en/")).text
