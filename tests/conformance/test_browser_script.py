"""The browser script of `docs/conformance.md` gets through our pages, with a picture where asked.

Each test is what the suite's browser does in the modules that it names.
"""

import json
import re
from collections.abc import AsyncIterator, Mapping
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit
from uuid import UUID

import httpx2
import pytest
from joserfc.jwk import RSAKey

from citizen_account.bootstrap import Runtime, build_runtime
from citizen_account.domain.accounts import AccountId, Level
from citizen_account.domain.claims import claims_of_scopes
from citizen_account.domain.emails import EmailAddress
from citizen_account.storage.accounts import NewAccount
from citizen_account.usecases.accounts import open_account
from tests.authorizing import Fields
from tests.conformance.browser_script import (
    DOCUMENT,
    EMAIL,
    SUITE,
    ScriptedBrowser,
    read_client,
    read_plan,
)
from tests.conformance.conftest import FULL
from tests.factories import ISSUER, PASSWORD, Clock, settings_for
from tests.pages import Visitor
from tests.relying_party import Party
from tests.services import register

CALLBACK = f"{SUITE}/callback"
GOODBYE = f"{SUITE}/post_logout_redirect"
_RESIDENT = re.compile(r"^\$ cat resident\.json\n(.*?)^\$", re.MULTILINE | re.DOTALL)
ALL = "openid email phone address profile"


@pytest.fixture
async def runtime(sqlite_url: str, clock: Clock) -> AsyncIterator[Runtime]:
    """Yield a city with the settings of a run, and the resident who signs in."""
    wish = {"registration": "open", "registration_require_pkce": "false"}
    built = build_runtime(settings_for(sqlite_url, **wish), clock)
    account = NewAccount(AccountId(UUID(int=1)), EmailAddress(EMAIL), FULL, "sk", Level.LOW)
    password_hash = await built.hasher.hash(PASSWORD)
    async with built.database.begin() as uow:
        assert await open_account(uow, account, password_hash)
    yield built
    await built.database.close()


@pytest.fixture
def browser(visitor: Visitor) -> ScriptedBrowser:
    return ScriptedBrowser(visitor)


@pytest.fixture
async def basic(runtime: Runtime, http: httpx2.AsyncClient) -> Party:
    return await static_client(runtime, http, "suite-basic")


async def static_client(runtime: Runtime, http: httpx2.AsyncClient, name: str) -> Party:
    metadata = read_client(name)
    await register(runtime, **metadata)
    return Party(http, name, metadata["client_secret"])


def request(party: Party, changes: Mapping[str, str] | None = None) -> str:
    fields = {
        "client_id": party.client_id,
        "redirect_uri": CALLBACK,
        "scope": "openid",
        "state": "a-state",
        "nonce": "a-nonce",
        "response_type": "code",
        **(changes or {}),
    }
    return f"{ISSUER}/authorize?{urlencode(fields)}"


async def tokens_at(place: str, party: Party) -> Mapping[str, Any]:  # Any: a token response
    assert place.startswith(CALLBACK)
    code = parse_qs(urlsplit(place).query)["code"][0]
    proof: Fields = {"redirect_uri": CALLBACK, "code_verifier": None}
    answer = await party.redeem(code, proof)
    assert answer.status_code == 200, answer.text
    tokens: Mapping[str, Any] = answer.json()  # Any: as above
    return tokens


async def test_resident_signs_in_allows_and_arrives(browser: ScriptedBrowser, basic: Party) -> None:
    """oidcc-server and whatever else succeeds, with a static client."""
    place = await browser.go_to(request(basic, {"scope": ALL}))
    tokens = await tokens_at(place, basic)
    said = (await basic.userinfo(tokens["access_token"])).json()
    assert {"phone_number", "address", "name", "email"} <= said.keys()


async def test_posted_request_arrives(browser: ScriptedBrowser, basic: Party) -> None:
    """oidcc-ensure-post-request-succeeds: by a browser that has no cookie of ours."""
    assert await tokens_at(await browser.go_to(request(basic), method="POST"), basic)


async def dynamic_client(
    http: httpx2.AsyncClient,
) -> tuple[Party, Mapping[str, Any]]:  # Any: metadata
    """Register as the suite does; return what it was told, too."""
    key = RSAKey.generate_key(2048, auto_kid=True).as_dict(private=False)
    asked = {
        "client_name": "Suite",
        "grant_types": ["authorization_code", "refresh_token"],
        "jwks": {"keys": [{**key, "alg": "RS256", "use": "sig"}]},
        "token_endpoint_auth_method": "client_secret_basic",
        "response_types": ["code"],
        "redirect_uris": [CALLBACK],
        "contacts": ["suite@example.org"],
    }
    answer = await http.post("/register", json=asked)
    assert answer.status_code == 201, answer.text
    told: Mapping[str, Any] = answer.json()  # Any: as above
    return Party(http, told["client_id"], told["client_secret"]), told


async def test_dynamic_client_gets_all_it_asks_for(
    browser: ScriptedBrowser, http: httpx2.AsyncClient
) -> None:
    """oidcc-scope-all, oidcc-refresh-token: they warn of what is missing."""
    party, told = await dynamic_client(http)
    tokens = await tokens_at(await browser.go_to(request(party, {"scope": ALL})), party)
    said = (await party.userinfo(tokens["access_token"])).json()
    assert {"phone_number", "phone_number_verified", "address", "website"} <= said.keys()
    wish = {"scope": "openid offline_access", "prompt": "consent"}
    tokens = await tokens_at(await browser.go_to(request(party, wish)), party)
    assert (await party.refresh(tokens["refresh_token"])).status_code == 200
    # The module tidies up behind it; anything but 204 is a warning.
    key = {"Authorization": f"Bearer {told['registration_access_token']}"}
    assert (await http.delete(told["registration_client_uri"], headers=key)).status_code == 204


async def test_dynamic_client_gets_the_claim_it_names(
    browser: ScriptedBrowser, http: httpx2.AsyncClient
) -> None:
    """oidcc-claims-essential."""
    party, _ = await dynamic_client(http)
    wish = {"claims": json.dumps({"userinfo": {"name": {"essential": True}}})}
    tokens = await tokens_at(await browser.go_to(request(party, wish)), party)
    said = (await party.userinfo(tokens["access_token"])).json()
    assert said.keys() == {"sub", "name"}


async def test_second_sign_in_is_pictured(browser: ScriptedBrowser, basic: Party) -> None:
    """oidcc-prompt-login, oidcc-max-age-1."""
    await browser.go_to(request(basic))
    browser.pictures.clear()
    place = await browser.go_to(request(basic, {"prompt": "login"}))
    assert await tokens_at(place, basic)
    assert browser.pictures == ["sign-in"]


async def test_refusal_is_pictured(browser: ScriptedBrowser, basic: Party) -> None:
    """oidcc-ensure-registered-redirect-uri."""
    place = await browser.go_to(request(basic, {"redirect_uri": f"{CALLBACK}/unregistered"}))
    assert not place.startswith(SUITE)
    assert browser.pictures == ["error-code"]


async def test_form_post_arrives(browser: ScriptedBrowser, basic: Party) -> None:
    """oidcc-formpost-basic."""
    place = await browser.go_to(request(basic, {"response_mode": "form_post"}))
    assert place == CALLBACK
    assert browser.visitor.value("code")


async def hint_of(browser: ScriptedBrowser, party: Party) -> str:
    """Go through a sign-in; return its ID token."""
    place = await browser.go_to(request(party))
    hint: str = (await tokens_at(place, party))["id_token"]
    browser.pictures.clear()
    return hint


def logout(hint: str, changes: Fields) -> str:
    """Return the address with its parameters in the suite's order."""
    asked = {"id_token_hint": hint, "post_logout_redirect_uri": GOODBYE, "state": "a-state"}
    fields = {name: value for name, value in {**asked, **changes}.items() if value is not None}
    return f"{ISSUER}/logout?{urlencode(fields, safe=':/')}" if fields else f"{ISSUER}/logout"


OUTCOMES: Mapping[str, tuple[Fields, list[str]]] = {
    "oidcc-rp-initiated-logout": ({}, []),
    "oidcc-rp-initiated-logout-no-state": ({"state": None}, []),
    "oidcc-rp-initiated-logout-bad-post-logout-redirect-uri": (
        {"post_logout_redirect_uri": f"{GOODBYE}/other"},
        ["error-code"],
    ),
    "oidcc-rp-initiated-logout-query-added-to-post-logout-redirect-uri": (
        {"post_logout_redirect_uri": f"{GOODBYE}?foo=bar"},
        ["error-code"],
    ),
    "oidcc-rp-initiated-logout-bad-id-token-hint": (
        {"id_token_hint": "eyJhbGciOiJub25lIn0.e30."},
        ["error-code"],
    ),
    "oidcc-rp-initiated-logout-no-id-token-hint": ({"id_token_hint": None}, ["confirm-logout"]),
    "oidcc-rp-initiated-logout-no-params": (
        {"id_token_hint": None, "post_logout_redirect_uri": None, "state": None},
        ["signed-out"],
    ),
    "oidcc-rp-initiated-logout-only-state": (
        {"id_token_hint": None, "post_logout_redirect_uri": None},
        ["signed-out"],
    ),
    "oidcc-rp-initiated-logout-no-post-logout-redirect-uri": (
        {"post_logout_redirect_uri": None},
        ["signed-out"],
    ),
}


@pytest.mark.parametrize("module", OUTCOMES)
async def test_logout_arrives_or_is_pictured(
    browser: ScriptedBrowser, basic: Party, module: str
) -> None:
    changes, pictures = OUTCOMES[module]
    place = await browser.go_to(logout(await hint_of(browser, basic), changes))
    assert place.startswith(GOODBYE) is not bool(pictures)
    assert browser.pictures == pictures


async def test_browser_tells_the_suite_and_arrives(
    browser: ScriptedBrowser, runtime: Runtime, http: httpx2.AsyncClient
) -> None:
    """oidcc-frontchannel-rp-initiated-logout."""
    front = await static_client(runtime, http, "suite-front")
    address = logout(await hint_of(browser, front), {})
    assert (await browser.go_to(address)).startswith(GOODBYE)
    framed = browser.visitor.find("iframe").attributes["src"]
    assert parse_qs(urlsplit(framed).query).keys() == {"iss", "sid"}


def test_resident_of_the_document_holds_every_claim() -> None:
    """oidcc-scope-profile, -phone, -address: the rest the account knows by itself."""
    [block] = _RESIDENT.findall(DOCUMENT.read_text(encoding="utf-8"))
    asked = claims_of_scopes(frozenset({"profile", "phone", "address"}))
    known = {"name", "updated_at", "phone_number_verified"}
    assert json.loads(block).keys() == asked - known


def test_client_is_told_in_its_own_plan_alone() -> None:
    """A module that expects no call at the address fails when one comes."""
    named = {"backchannel_logout_uri", "frontchannel_logout_uri"}
    told = {name: named & read_client(name).keys() for name in ("suite-back", "suite-front")}
    assert [len(members) for members in told.values()] == [1, 1]
    for part in ("client", "client2", "client_secret_post"):
        assert not named & read_client(read_plan()[part]["client_id"]).keys()


async def test_task_that_must_fit_and_does_not_is_noticed(
    browser: ScriptedBrowser, basic: Party
) -> None:
    assert basic
    with pytest.raises(AssertionError, match="See the question"):
        # Nobody is signed in, so nobody is asked.
        await browser.go_to(logout("", {"id_token_hint": None}))
