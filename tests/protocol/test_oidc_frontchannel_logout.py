"""OpenID Connect Front-Channel Logout 1.0: the browser tells the services on its way out."""

from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from joserfc import jwt
from joserfc.jwk import KeySet

from citizen_account.bootstrap import Runtime
from citizen_account.domain.accounts import AccountId
from citizen_account.openid.metadata_members import RegistrationError
from tests.authorizing import allow, sign_in
from tests.factories import ISSUER
from tests.pages import Visitor
from tests.relying_party import Party
from tests.services import register

GOODBYE = "https://library.example/goodbye"
LOGOUT = "https://library.example/logout?from=account"


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """Return one kind of database: what a browser is told does not depend on it."""
    return sqlite_url


@pytest.fixture
async def signed_in(runtime: Runtime, library: Party, reader: AccountId, visitor: Visitor) -> str:
    """Return the ID token of a library that wants to be told by the browser."""
    await register(runtime, frontchannel_logout_uri=LOGOUT, post_logout_redirect_uris=[GOODBYE])
    await sign_in(runtime, library.http, reader)
    token: str = (await library.redeem((await allow(visitor))["code"])).json()["id_token"]
    return token


def logout_address(id_token: str) -> str:
    asked = {"id_token_hint": id_token, "post_logout_redirect_uri": GOODBYE, "state": "a-state"}
    return f"/logout?{urlencode({**asked, 'ui_locales': 'en'})}"


async def test_3_page_loads_the_client_s_address_with_issuer_and_session(
    library: Party, signed_in: str, visitor: Visitor
) -> None:
    published = KeySet.import_key_set((await library.http.get("/jwks")).json())
    sid = jwt.decode(signed_in, published, algorithms=["RS256"]).claims["sid"]
    await visitor.open(logout_address(signed_in))
    assert (visitor.status, visitor.left_for) == (200, None)
    address = visitor.find("iframe").attributes["src"]
    assert address.startswith(LOGOUT)
    told = {"from": ["account"], "iss": [ISSUER], "sid": [sid]}
    assert parse_qs(urlsplit(address).query, strict_parsing=True) == told


async def test_3_page_goes_on_without_javascript(signed_in: str, visitor: Visitor) -> None:
    await visitor.open(logout_address(signed_in))
    onward = f"{GOODBYE}?state=a-state"
    assert visitor.last.headers["refresh"] == f"2;url={onward}"
    assert visitor.find("#continue").attributes["href"] == onward


async def test_page_may_frame_these_services_and_no_other(signed_in: str, visitor: Visitor) -> None:
    await visitor.open(logout_address(signed_in))
    policy = visitor.last.headers["content-security-policy"]
    assert "frame-src https://library.example" in policy.split("; ")
    await visitor.open("/en/sign-in")
    assert "frame-src" not in visitor.last.headers["content-security-policy"]


async def test_session_has_ended_when_the_page_is_shown(
    runtime: Runtime, signed_in: str, visitor: Visitor
) -> None:
    await visitor.open(logout_address(signed_in))
    assert visitor.last.headers["clear-site-data"] == '"cache", "storage"'
    await visitor.open("/en/dashboard")
    assert visitor.path == "/en/sign-in"
    assert runtime


async def test_service_that_is_not_signed_in_is_not_loaded(
    runtime: Runtime, signed_in: str, visitor: Visitor
) -> None:
    await register(
        runtime,
        client_id="museum",
        redirect_uris=["https://museum.example/callback"],
        frontchannel_logout_uri="https://museum.example/logout",
    )
    await visitor.open(logout_address(signed_in))
    assert len(visitor.page.find("iframe")) == 1


async def test_sign_out_of_the_account_itself_tells_the_services_too(
    signed_in: str, visitor: Visitor
) -> None:
    assert signed_in
    await visitor.open("/en/security")
    await visitor.press("#sign-out")
    assert visitor.find("iframe").attributes["src"].startswith(LOGOUT)
    assert visitor.find("#continue").attributes["href"] == "/en/signed-out"


async def test_question_is_asked_first_without_a_proof(signed_in: str, visitor: Visitor) -> None:
    assert signed_in
    await visitor.open("/logout?ui_locales=en")
    assert not visitor.has("iframe")
    await visitor.press("#confirm-logout")
    assert visitor.find("iframe").attributes["src"].startswith(LOGOUT)


@pytest.mark.parametrize(
    "address",
    [
        "https://evil.example/logout",
        "https://library.example:8443/logout",
        "http://library.example/logout",
        "https://library.example;frame-ancestors/logout",
        "https://library.example/logout#part",
    ],
)
async def test_2_address_is_the_client_s_own(runtime: Runtime, address: str) -> None:
    with pytest.raises(RegistrationError, match=r"^frontchannel_logout_uri: "):
        await register(runtime, frontchannel_logout_uri=address)


async def test_3_metadata_says_so(library: Party) -> None:
    described = (await library.http.get("/.well-known/openid-configuration")).json()
    assert described["frontchannel_logout_supported"] is True
    assert described["frontchannel_logout_session_supported"] is True
