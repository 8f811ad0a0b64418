"""RFC 6749 sections 3.1 and 4.1, RFC 9207, RFC 9700: what arrives at /authorize, and its answer."""

import re
from urllib.parse import urlencode

import httpx2
import pytest

from citizen_account.bootstrap import Runtime
from citizen_account.domain.accounts import AccountId
from tests.authorizing import (
    address,
    allow,
    answer_in,
    answer_of,
    error_code,
    form_in,
    request_fields,
    sign_in,
)
from tests.factories import ISSUER, REDIRECT_URI
from tests.pages import Visitor
from tests.relying_party import Party
from tests.services import register


@pytest.fixture
async def resident(runtime: Runtime, library: Party, reader: AccountId) -> AccountId:
    """Return a resident whose browser is signed in."""
    await sign_in(runtime, library.http, reader)
    return reader


async def test_4_1_2_code_comes_once_it_is_allowed(resident: AccountId, visitor: Visitor) -> None:
    assert resident
    received = await allow(visitor)
    assert set(received) == {"code", "state", "iss"}


async def test_4_1_3_code_is_redeemed(
    resident: AccountId, visitor: Visitor, library: Party
) -> None:
    assert resident
    received = await allow(visitor)
    issued = (await library.redeem(received["code"])).json()
    assert issued["scope"] == "openid email"
    told = (await library.userinfo(issued["access_token"])).json()
    assert set(told) == {"sub", "email", "email_verified"}


async def test_second_request_is_answered_in_silence_and_leaves_a_decision(
    resident: AccountId, visitor: Visitor, http: httpx2.AsyncClient, runtime: Runtime
) -> None:
    """OWASP ASVS 5.0 10.7.1: no code without a decision or a recorded rule."""
    await allow(visitor, {"ui_locales": "en"})
    assert "code" in answer_of(await http.get(address()))
    async with runtime.database.read() as uow:
        decisions = await uow.consents.page_of_decisions(resident, before=None, size=10)
        notice = await uow.consents.find_notice(decisions[0].text_digest)
    assert [decision.kind.value for decision in decisions] == ["standing", "allowed"]
    assert notice is not None
    assert "Library is asking for your data" in notice.text
    assert "jana@example.sk" not in notice.text


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"client_id": None}, "client_unknown"),
        ({"client_id": "nobody"}, "client_unknown"),
        ({"client_id": "x" * 300}, "client_unknown"),
        ({"redirect_uri": None}, "redirect_uri_unregistered"),
        ({"redirect_uri": f"{REDIRECT_URI}/"}, "redirect_uri_unregistered"),
        ({"redirect_uri": "https://thief.example/"}, "redirect_uri_unregistered"),
        ({"redirect_uri": f"{REDIRECT_URI}?x=1"}, "redirect_uri_unregistered"),
        ({"redirect_uri": f"{REDIRECT_URI}#x"}, "redirect_uri_unregistered"),
        ({"redirect_uri": "x" * 9000}, "redirect_uri_unregistered"),
        ({"redirect_uri": "javascript:alert(1)"}, "redirect_uri_unregistered"),
    ],
)
async def test_4_1_2_1_unproven_address_is_never_redirected_to(
    resident: AccountId, visitor: Visitor, changes: dict[str, str | None], code: str
) -> None:
    assert resident
    await visitor.open(address(changes))
    assert visitor.status == 400
    assert "location" not in visitor.last.headers
    assert error_code(visitor) == code
    assert "thief.example" not in visitor.last.text


async def test_error_page_speaks_the_residents_language(library: Party, visitor: Visitor) -> None:
    visitor.http.headers["Accept-Language"] = "sk"
    assert library
    await visitor.open(address({"client_id": "nobody"}))
    assert '<html lang="sk"' in visitor.last.text


@pytest.mark.parametrize(
    "query",
    [
        "client_id=%00",
        "client_id=library&redirect_uri=%00",
        "client_id=%ED%A0%80",
        "client_id=%FF",
        f"{urlencode(request_fields())}&nonce=%00",
        f"{urlencode(request_fields())}&client_id=library",
        f"{urlencode(request_fields())}&redirect_uri=https%3A%2F%2Fthief.example",
        "&".join(["a=b"] * 300),
        "x=" + "y" * 40_000,
    ],
)
async def test_malformed_query_is_a_clean_refusal(
    library: Party, visitor: Visitor, query: str
) -> None:
    await visitor.open(f"/authorize?{query}")
    assert library
    assert 400 <= visitor.status < 500
    assert visitor.has("#error-code")


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"response_type": None}, "invalid_request"),
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"code_challenge": None, "code_challenge_method": None}, "invalid_request"),
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"scope": "email"}, "invalid_scope"),
        ({"prompt": "none login"}, "invalid_request"),
        ({"request": "x"}, "request_not_supported"),
        ({"request_uri": "https://thief.example/"}, "request_uri_not_supported"),
        ({"claims": "[" * 5000}, "invalid_request"),
        ({"nonce": "n" * 5000}, "invalid_request"),
        ({"id_token_hint": "not.a.token"}, "invalid_request"),
    ],
)
async def test_4_1_2_1_client_is_told_what_is_wrong(
    library: Party, changes: dict[str, str | None], error: str
) -> None:
    answer = await library.http.get(address(changes))
    received = answer_of(answer)
    assert received["error"] == error
    assert "code" not in received


async def test_3_1_repeated_parameter_is_refused(library: Party) -> None:
    answer = await library.http.get(address(more=[("scope", "openid")]))
    assert answer_of(answer)["error"] == "invalid_request"


async def test_long_state_and_nonce_come_through(
    resident: AccountId, visitor: Visitor, library: Party
) -> None:
    assert resident
    await visitor.open(address({"state": "s" * 2000, "nonce": "n" * 2000}))
    await visitor.press("#allow")
    assert visitor.left_for is not None
    assert f"state={'s' * 2000}&" in visitor.left_for
    [code] = re.findall(r"code=([^&]+)", visitor.left_for)
    assert (await library.redeem(code)).status_code == 200


async def test_query_of_the_redirect_uri_is_kept(
    resident: AccountId, visitor: Visitor, runtime: Runtime
) -> None:
    """RFC 6749 section 3.1.2."""
    assert resident
    kept = "https://library.example/callback?page=2"
    await register(runtime, redirect_uris=[kept])
    await visitor.open(address({"redirect_uri": kept}))
    await visitor.press("#allow")
    received = answer_in(visitor.left_for, kept)
    assert received["page"] == "2"
    assert "code" in received


# --- OIDC Core section 3.1.2.1: the request as a form ---


async def test_form_of_another_site_is_taken_without_cookies(
    resident: AccountId, visitor: Visitor, other_visitor: Visitor
) -> None:
    """SameSite=Lax cookies stay away from it: they come with the address that it leads to."""
    assert resident
    headers = {"Origin": "https://library.example", "Sec-Fetch-Site": "cross-site"}
    answer = await other_visitor.http.post("/authorize", data=request_fields(), headers=headers)
    assert answer.status_code == 303
    assert "set-cookie" not in answer.headers
    await visitor.open(answer.headers["location"])
    await visitor.press("#allow")
    assert "code" in answer_in(visitor.left_for)


async def test_parked_request_belongs_to_the_first_browser(
    resident: AccountId, visitor: Visitor, other_visitor: Visitor, library: Party
) -> None:
    assert resident
    parked = (await library.http.post("/authorize", data=request_fields())).headers["location"]
    await visitor.open(parked)
    assert visitor.has("#allow")
    await other_visitor.open(parked)
    assert error_code(other_visitor) == "interaction_unknown"


@pytest.mark.parametrize(
    ("content", "status"),
    [
        (b"{}", 415),
        (b"client_id=" + b"x" * 70_000, 413),
        (b"client_id=%00", 400),
        (b"\xff=\xff", 400),
        (b"", 400),
    ],
)
async def test_malformed_form_is_a_clean_refusal(
    library: Party, content: bytes, status: int
) -> None:
    kind = "application/json" if content == b"{}" else "application/x-www-form-urlencoded"
    headers = {"Content-Type": kind}
    answer = await library.http.post("/authorize", content=content, headers=headers)
    assert answer.status_code == status
    assert 'id="error-code"' in answer.text


async def test_query_of_a_form_counts_for_nothing(library: Party) -> None:
    answer = await library.http.post(address(), data={"client_id": "library"})
    assert answer.status_code == 400


# --- OAuth 2.0 Form Post Response Mode ---


async def test_form_post_carries_the_code_in_a_form(resident: AccountId, visitor: Visitor) -> None:
    assert resident
    await visitor.open(address({"response_mode": "form_post"}))
    await visitor.press("#allow")
    assert visitor.status == 200
    sent = form_in(visitor.last.text)
    assert set(sent) == {"code", "state", "iss"}
    assert sent["iss"] == ISSUER
    policy = visitor.last.headers["content-security-policy"]
    assert "form-action" not in policy
    assert visitor.last.headers["cache-control"] == "no-store"
    await visitor.press("#continue")


async def test_form_post_sends_itself_in_a_browser_that_knows_no_modules(
    library: Party, visitor: Visitor
) -> None:
    """Form Post Response Mode section 2: the form is sent without a click."""
    await visitor.open(address({"response_mode": "form_post", "prompt": "none"}))
    assert library
    [script] = [each for each in visitor.page.find("script") if "defer" in each.attributes]
    assert "type" not in script.attributes
    sent = await visitor.http.get(script.attributes["src"])
    assert "submit()" in sent.text


async def test_form_post_carries_errors_too(library: Party) -> None:
    changes = {"response_mode": "form_post", "prompt": "none", "state": '"><script>'}
    answer = await library.http.get(address(changes))
    assert answer.status_code == 200
    assert "<script>&" not in answer.text
    sent = form_in(answer.text)
    assert sent["error"] == "login_required"
    assert sent["state"] == '"><script>'


# --- RFC 9700 section 4.7: the request stays in its browser, and is answered once ---


async def test_request_of_another_browser_is_unknown(
    resident: AccountId, visitor: Visitor, other_visitor: Visitor
) -> None:
    assert resident
    await visitor.open(address())
    for path in ("/authorize/continue", "/en/consent"):
        await other_visitor.open(f"{path}?{visitor.last.url.query.decode()}")
        assert other_visitor.status == 400
        assert error_code(other_visitor) == "interaction_unknown"


@pytest.mark.parametrize("name", ["", "x", "00000000-0000-0000-0000-000000000000", "%00"])
async def test_request_that_nobody_began_is_unknown(
    library: Party, visitor: Visitor, name: str
) -> None:
    assert library
    await visitor.open(f"/authorize/continue?i={name}")
    assert visitor.status == 400


async def test_parameters_never_travel_in_an_address_of_ours(
    library: Party, visitor: Visitor
) -> None:
    assert library
    await visitor.open(address({"login_hint": "jana@example.sk", "ui_locales": "fr en"}))
    assert visitor.path == "/en/sign-in"
    assert re.fullmatch(rb"i=[0-9a-f-]{36}", visitor.last.url.query)


async def test_answered_request_is_friendly_and_gives_no_second_code(
    resident: AccountId, visitor: Visitor
) -> None:
    assert resident
    await visitor.open(address())
    query = visitor.last.url.query.decode()
    await visitor.press("#allow")
    assert "code" in answer_in(visitor.left_for)
    for path in ("/authorize/continue", "/en/consent"):
        await visitor.open(f"{path}?{query}")
        assert visitor.status == 409
        assert visitor.has("#already-decided")
        assert visitor.has("#to-dashboard")


async def test_request_is_forgotten_after_an_hour(
    resident: AccountId, visitor: Visitor, runtime: Runtime
) -> None:
    assert resident
    await visitor.open(address())
    path = f"/authorize/continue?{visitor.last.url.query.decode()}"
    runtime.clock.now = runtime.clock().replace(hour=14)  # type: ignore[attr-defined]  # the tests' clock
    await visitor.open(path)
    assert error_code(visitor) == "interaction_unknown"
