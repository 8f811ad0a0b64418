"""Signing in and out."""

from datetime import timedelta

import httpx2
import pytest
from fastapi import FastAPI

from citizen_account.bootstrap import Runtime
from tests.authorizing import address
from tests.conftest import client_of
from tests.factories import PASSWORD, Clock, mailbox
from tests.journeys.steps import JANA, newest_code, register, sign_in, sign_out, verify
from tests.pages import Visitor
from tests.services import register as register_service

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
SESSION = "__Host-session"


async def test_resident_signs_out_and_in_again(visitor: Visitor, runtime: Runtime) -> None:
    await register(visitor, runtime)
    await sign_out(visitor)
    assert visitor.has("#signed-out")
    await visitor.open("/en/security")
    assert visitor.path == "/en/sign-in"
    await sign_in(visitor)
    assert visitor.path == "/en/dashboard"


async def test_place_is_kept_over_the_sign_in(visitor: Visitor, runtime: Runtime) -> None:
    await register(visitor, runtime)
    await sign_out(visitor)
    await visitor.open("/sk/profile")
    visitor.fill({"#email": JANA, "#password": PASSWORD})
    await visitor.press("#sign-in")
    assert visitor.path == "/sk/profile"


@pytest.mark.parametrize(
    "place", ["https://evil.example/", "//evil.example", "/\\evil.example", "/sk/x\r\nY: z"]
)
async def test_sign_in_leads_to_places_of_ours_only(
    visitor: Visitor, runtime: Runtime, place: str
) -> None:
    await register(visitor, runtime)
    await sign_out(visitor)
    await visitor.open(str(httpx2.URL("/en/sign-in", params={"next": place})))
    visitor.fill({"#email": JANA, "#password": PASSWORD})
    await visitor.press("#sign-in")
    assert visitor.path == "/en/dashboard"
    assert visitor.left_for is None


async def test_wrong_password_keeps_the_address_and_never_the_password(
    visitor: Visitor, runtime: Runtime
) -> None:
    await register(visitor, runtime)
    await sign_out(visitor)
    await sign_in(visitor, password="another four words 2")
    assert visitor.status == 422
    assert visitor.title.startswith("Error")
    assert visitor.value("#email") == JANA
    assert visitor.value("#password") == ""
    assert "another four" not in visitor.last.text


@pytest.mark.parametrize(
    ("email", "password", "count"), [("", "", 2), ("jana", PASSWORD, 1), (JANA, "", 1)]
)
async def test_what_is_missing_is_told_at_its_field(
    visitor: Visitor, email: str, password: str, count: int
) -> None:
    await sign_in(visitor, email, password)
    assert visitor.status == 422
    assert len(visitor.errors()) == count


async def test_each_sign_in_has_a_secret_of_its_own(
    visitor: Visitor, http: httpx2.AsyncClient, runtime: Runtime
) -> None:
    await register(visitor, runtime)
    first = http.cookies[SESSION]
    await sign_out(visitor)
    await sign_in(visitor)
    second = http.cookies[SESSION]
    assert first != second
    http.cookies.set(SESSION, first, domain="account.city.example")
    await visitor.open("/en/dashboard")
    assert visitor.path == "/en/sign-in"


async def test_planted_session_is_not_taken_over(
    visitor: Visitor, http: httpx2.AsyncClient, runtime: Runtime
) -> None:
    await register(visitor, runtime)
    await sign_out(visitor)
    http.cookies.set(SESSION, "planted-by-somebody", domain="account.city.example", path="/")
    await sign_in(visitor)
    assert "planted-by-somebody" not in {cookie.value for cookie in http.cookies.jar}
    assert visitor.path == "/en/dashboard"


async def test_session_cookie_is_out_of_reach(visitor: Visitor, runtime: Runtime) -> None:
    await register(visitor, runtime)
    await sign_out(visitor)
    await visitor.open("/en/sign-in")
    token = visitor.value('input[name="form_token"]')
    answer = await visitor.http.post(
        "/en/sign-in", data={"form_token": token, "email": JANA, "password": PASSWORD}
    )
    [cookie] = [each for each in answer.headers.get_list("set-cookie") if "session=" in each]
    assert cookie.startswith("__Host-session=")
    for word in ("HttpOnly", "Secure", "SameSite=lax", "Path=/"):
        assert word in cookie


async def test_session_left_alone_ends_after_thirty_minutes(
    visitor: Visitor, runtime: Runtime, clock: Clock
) -> None:
    await register(visitor, runtime)
    clock.now += timedelta(minutes=29)
    await visitor.open("/en/security")
    assert visitor.path == "/en/security"
    clock.now += timedelta(minutes=29)
    await visitor.open("/en/security")
    assert visitor.path == "/en/security"
    clock.now += timedelta(minutes=31)
    await visitor.open("/en/security")
    assert visitor.path == "/en/sign-in"


async def test_session_in_use_ends_after_twelve_hours(
    visitor: Visitor, runtime: Runtime, clock: Clock
) -> None:
    await register(visitor, runtime)
    for _ in range(12 * 3 - 1):
        clock.now += timedelta(minutes=20)
        await visitor.open("/en/security")
        assert visitor.path == "/en/security"
    clock.now += timedelta(minutes=20)
    await visitor.open("/en/security")
    assert visitor.path == "/en/sign-in"


async def test_ten_wrong_passwords_make_one_wait(
    visitor: Visitor, runtime: Runtime, clock: Clock
) -> None:
    await register(visitor, runtime)
    await sign_out(visitor)
    for _ in range(10):
        await sign_in(visitor, password="another four words 2")
        assert visitor.status == 422
    await sign_in(visitor)
    assert visitor.status == 429
    assert 0 < int(visitor.last.headers["retry-after"]) <= 901
    assert visitor.text("#error-code") == "too_many_tries"
    clock.now += timedelta(minutes=16)
    await sign_in(visitor)
    assert visitor.path == "/en/dashboard"


async def test_right_passwords_use_up_no_tries(visitor: Visitor, runtime: Runtime) -> None:
    await register(visitor, runtime)
    for _ in range(15):
        await sign_out(visitor)
        await sign_in(visitor)
        assert visitor.path == "/en/dashboard"


async def test_stranger_elsewhere_does_not_lock_the_owner_out(
    visitor: Visitor, app: FastAPI, runtime: Runtime
) -> None:
    await register(visitor, runtime)
    await sign_out(visitor)
    transport = httpx2.ASGITransport(app, raise_app_exceptions=False, client=("203.0.113.9", 1))
    base = str(visitor.http.base_url)
    async with httpx2.AsyncClient(transport=transport, base_url=base) as elsewhere:
        stranger = Visitor(elsewhere)
        for _ in range(11):
            await sign_in(stranger, password="another four words 2")
        assert stranger.status == 429
    await sign_in(visitor)
    assert visitor.path == "/en/dashboard"


async def test_new_device_is_told_by_mail_and_a_known_one_is_not(
    visitor: Visitor, app: FastAPI, runtime: Runtime
) -> None:
    await register(visitor, runtime)
    await sign_out(visitor)
    await sign_in(visitor)
    assert not [letter for letter in await mailbox(runtime) if "device" in letter.subject]
    for _ in range(2):
        async with client_of(app) as client:
            client.headers["user-agent"] = FIREFOX
            await sign_in(Visitor(client))
    [letter] = [letter for letter in await mailbox(runtime) if "device" in letter.subject]
    assert "Firefox, Linux" in letter.text


async def test_other_address_in_the_same_browser_ends_the_first_session(
    visitor: Visitor, other_visitor: Visitor, http: httpx2.AsyncClient, runtime: Runtime
) -> None:
    await register(visitor, runtime)
    await register(other_visitor, runtime, "peter@example.sk")
    first = http.cookies[SESSION]
    await visitor.open("/en/sign-in?i=0198f6a0-0000-7000-8000-000000000000")
    visitor.fill({"#email": "peter@example.sk", "#password": PASSWORD})
    await visitor.press("#sign-in")
    http.cookies.set(SESSION, first, domain="account.city.example")
    await visitor.open("/en/dashboard")
    assert visitor.path == "/en/sign-in"


async def test_service_is_named_and_its_hint_is_filled_in(
    visitor: Visitor, runtime: Runtime
) -> None:
    await register_service(runtime)
    await visitor.open(address({"login_hint": JANA, "ui_locales": "en"}))
    assert visitor.path == "/en/sign-in"
    assert "Library" in visitor.text("#going-to")
    assert visitor.value("#email") == JANA
    assert "form-action" not in visitor.last.headers["content-security-policy"]
    await visitor.press("#sign-in")
    assert visitor.status == 422
    assert "Library" in visitor.text("#going-to")


async def test_service_waits_until_an_account_is_open(visitor: Visitor, runtime: Runtime) -> None:
    await register_service(runtime)
    await visitor.open(address({"login_hint": JANA, "ui_locales": "en"}))
    await visitor.press("#register")
    assert "Library" in visitor.text("#going-to")
    assert visitor.value("#register-email") == JANA
    await visitor.press("#register-submit")
    await verify(visitor, await newest_code(runtime))
    visitor.fill({"#given-name": "Jana", "#family-name": "K", "#password": PASSWORD})
    await visitor.press("#create-account")
    assert visitor.path == "/en/consent"


async def test_service_waits_while_the_password_is_recovered(
    visitor: Visitor, runtime: Runtime
) -> None:
    await register(visitor, runtime)
    await sign_out(visitor)
    await register_service(runtime)
    await visitor.open(address({"ui_locales": "en"}))
    await visitor.press("#recover")
    visitor.fill({"#recover-email": JANA})
    await visitor.press("#recover-submit")
    await verify(visitor, await newest_code(runtime))
    visitor.fill({"#new-password": "entirely other words 7"})
    await visitor.press("#set-password")
    assert visitor.path == "/en/consent"
