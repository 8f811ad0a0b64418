"""A resident signs in through another provider: for the first time, again, and linked.

`research/security.md` section 1.3: RP-01, RP-02, RP-03, RP-09, RP-10.
"""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta

import pytest

from citizen_account.bootstrap import Runtime, build_runtime
from citizen_account.domain.accounts import Account, AccountId, Level, Profile
from citizen_account.domain.emails import EmailAddress
from citizen_account.security.tokens import new_id
from citizen_account.storage.accounts import NewAccount
from citizen_account.usecases.accounts import open_account
from tests.factories import ISSUER, PASSWORD, Clock, mailbox, settings_for
from tests.mock_provider import HIGH, MockProvider, upstreams_of
from tests.pages import Visitor

EMAIL = "jana@example.sk"


@pytest.fixture
def eid(clock: Clock) -> MockProvider:
    return MockProvider(
        clock=lambda: clock().timestamp(),
        claims={
            "sub": "subject-1",
            "given_name": "Jana",
            "family_name": "Skúšobná",
            "birthdate": "1984-02-29",
        },
        id_token_changes={"acr": HIGH, "amr": ["hwk"]},
    )


@pytest.fixture
def bank(clock: Clock) -> MockProvider:
    """Another provider, which knows somebody by the same subject."""
    return MockProvider(
        issuer="https://bank.example",
        client_id="city-at-bank",
        clock=lambda: clock().timestamp(),
        claims={"sub": "subject-1", "given_name": "Peter", "family_name": "Iný"},
    )


@pytest.fixture
async def runtime(
    database_url: str, clock: Clock, eid: MockProvider, bank: MockProvider
) -> AsyncIterator[Runtime]:
    built = build_runtime(settings_for(database_url), clock)
    await built.upstreams.close()
    yield replace(built, upstreams=upstreams_of(ISSUER, eid=eid, bank=bank))
    await built.database.close()


async def leave(visitor: Visitor, way: str = "eid", at: str = "/en/sign-in") -> str:
    """Press the provider's button; return where that leads."""
    await visitor.open(at)
    await visitor.press(f"#sign-in-with-{way}")
    assert visitor.left_for is not None, visitor.text()
    return visitor.left_for


async def prove(visitor: Visitor, eid: MockProvider, way: str = "eid") -> Visitor:
    return await visitor.open(eid.approve(await leave(visitor, way)))


async def register(visitor: Visitor, eid: MockProvider) -> Visitor:
    await prove(visitor, eid)
    return await visitor.press("#create-account")


async def own_account(runtime: Runtime, email: str = EMAIL) -> AccountId:
    """Open an account with a password, as somebody did last year."""
    account = NewAccount(
        AccountId(new_id()), EmailAddress(email), Profile("Janka", "S."), "en", Level.LOW
    )
    password_hash = await runtime.hasher.hash(PASSWORD)
    async with runtime.database.begin() as uow:
        assert await open_account(uow, account, password_hash)
    return account.id


async def sign_in(visitor: Visitor) -> Visitor:
    visitor.fill({"#email": EMAIL, "#password": PASSWORD})
    return await visitor.press("#sign-in")


async def account_of(runtime: Runtime, account_id: AccountId) -> Account:
    async with runtime.database.read() as uow:
        account = await uow.accounts.find(account_id)
    assert account is not None
    return account


async def test_first_sign_in_opens_an_account_with_what_was_verified(
    visitor: Visitor, eid: MockProvider
) -> None:
    await prove(visitor, eid)
    assert visitor.path == "/en/sign-in/first-time"
    assert "Jana Skúšobná" in visitor.text("#proven")
    await visitor.press("#create-account")
    await visitor.open("/en/dashboard")
    assert visitor.path == "/en/dashboard"
    assert "Jana" in visitor.text()


async def test_second_sign_in_leads_straight_in(
    visitor: Visitor, other_visitor: Visitor, eid: MockProvider
) -> None:
    await register(visitor, eid)
    await prove(other_visitor, eid)
    assert other_visitor.path == "/en/dashboard"


async def test_verified_address_becomes_the_account_s(
    visitor: Visitor, eid: MockProvider, runtime: Runtime
) -> None:
    eid.claims |= {"email": EMAIL, "email_verified": True}
    await register(visitor, eid)
    async with runtime.database.read() as uow:
        account = await uow.accounts.find_by_email(EmailAddress(EMAIL))
    assert account is not None
    assert account.level is Level.HIGH
    assert account.profile.birthdate == "1984-02-29"


async def test_session_tells_how_it_began(
    visitor: Visitor, eid: MockProvider, runtime: Runtime
) -> None:
    eid.claims |= {"email": EMAIL, "email_verified": True}
    await register(visitor, eid)
    async with runtime.database.read() as uow:
        account = await uow.accounts.find_by_email(EmailAddress(EMAIL))
        assert account is not None
        [session] = await uow.sessions.living(account.id)
    assert session.level is Level.HIGH
    assert session.methods == ("hwk",)


async def test_same_subject_of_another_issuer_is_another_person(
    visitor: Visitor, other_visitor: Visitor, eid: MockProvider, bank: MockProvider
) -> None:
    await register(visitor, eid)
    await prove(other_visitor, bank, "bank")
    assert other_visitor.path == "/en/sign-in/first-time"


async def test_address_alone_opens_no_account(
    visitor: Visitor, eid: MockProvider, runtime: Runtime
) -> None:
    """Who controls an address at another provider proves nothing about the account here."""
    await own_account(runtime)
    eid.claims |= {"email": EMAIL, "email_verified": True}
    await prove(visitor, eid)
    assert visitor.has("#address-taken")
    assert not visitor.has("#create-account")
    await visitor.open("/en/dashboard")
    assert visitor.path == "/en/sign-in"


async def test_own_account_is_linked_with_both_proofs(
    visitor: Visitor, other_visitor: Visitor, eid: MockProvider, runtime: Runtime
) -> None:
    account_id = await own_account(runtime)
    eid.claims |= {"email": EMAIL, "email_verified": True}
    await prove(visitor, eid)
    await visitor.press("#connect-own")
    await sign_in(visitor)
    assert visitor.path == "/en/security/connect"
    assert "Jana Skúšobná" in visitor.text()
    await visitor.press("#connect")
    assert visitor.path == "/en/security/identities"
    await prove(other_visitor, eid)
    assert other_visitor.path == "/en/dashboard"
    account = await account_of(runtime, account_id)
    assert account.profile.given_name == "Janka"
    assert account.profile.birthdate == "1984-02-29"
    assert account.level is Level.HIGH
    letters = await mailbox(runtime)
    assert any("sign in" in letter.subject.lower() for letter in letters)


async def test_arrival_is_good_once(visitor: Visitor, eid: MockProvider) -> None:
    await prove(visitor, eid)
    address = visitor.url
    await visitor.press("#create-account")
    await visitor.open(address)
    assert visitor.status == 410


async def test_arrival_of_another_browser_is_unknown(
    visitor: Visitor, other_visitor: Visitor, eid: MockProvider
) -> None:
    await prove(visitor, eid)
    await other_visitor.open("/en/sign-in")
    await other_visitor.open(visitor.url)
    assert other_visitor.status == 410


async def test_identity_is_linked_from_the_security_page(
    visitor: Visitor, other_visitor: Visitor, eid: MockProvider, runtime: Runtime
) -> None:
    await own_account(runtime)
    await visitor.open("/en/sign-in")
    await sign_in(visitor)
    await visitor.open("/en/security/identities")
    await visitor.press("#connect-eid")
    assert visitor.left_for is not None
    assert "prompt=login" in visitor.left_for
    await visitor.open(eid.approve(visitor.left_for))
    assert visitor.path == "/en/security/identities"
    assert visitor.has("#remove-1")
    await prove(other_visitor, eid)
    assert other_visitor.path == "/en/dashboard"


async def test_old_sign_in_must_be_shown_again_before_linking(
    visitor: Visitor, eid: MockProvider, runtime: Runtime, clock: Clock
) -> None:
    await own_account(runtime)
    await visitor.open("/en/sign-in")
    await sign_in(visitor)
    clock.now += timedelta(minutes=11)
    await visitor.open("/en/security/identities")
    await visitor.press("#connect-eid")
    assert visitor.path == "/en/security/confirm"
    visitor.fill({"#password": "wrong"})
    await visitor.press("#confirm")
    assert visitor.status == 422
    visitor.fill({"#password": PASSWORD})
    await visitor.press("#confirm")
    assert visitor.path == "/en/security/identities"
    await visitor.press("#connect-eid")
    assert visitor.left_for is not None
    assert visitor.left_for.startswith(eid.issuer)


async def test_identity_of_somebody_else_cannot_be_linked(
    visitor: Visitor, other_visitor: Visitor, eid: MockProvider, runtime: Runtime
) -> None:
    await register(visitor, eid)
    await own_account(runtime)
    await other_visitor.open("/en/sign-in")
    await sign_in(other_visitor)
    await other_visitor.open("/en/security/identities")
    await other_visitor.press("#connect-eid")
    assert other_visitor.left_for is not None
    await other_visitor.open(eid.approve(other_visitor.left_for))
    assert "opens another account" in other_visitor.text()
    assert not other_visitor.has("#remove-1")


async def test_link_cannot_be_finished_by_another_account(
    visitor: Visitor, other_visitor: Visitor, eid: MockProvider, runtime: Runtime
) -> None:
    """An answer that was asked for by one account is not slipped to another one."""
    await own_account(runtime)
    await visitor.open("/en/sign-in")
    await sign_in(visitor)
    await visitor.open("/en/security/identities")
    await visitor.press("#connect-eid")
    assert visitor.left_for is not None
    callback = eid.approve(visitor.left_for)
    await register(other_visitor, eid)
    await other_visitor.open(callback)
    assert other_visitor.text("#error-code") == "upstream_expired"


async def test_stopped_link_changes_nothing_and_says_so(
    visitor: Visitor, eid: MockProvider, runtime: Runtime
) -> None:
    await own_account(runtime)
    await visitor.open("/en/sign-in")
    await sign_in(visitor)
    await visitor.open("/en/security/identities")
    await visitor.press("#connect-eid")
    assert visitor.left_for is not None
    await visitor.open(eid.approve(visitor.left_for, code=None, error="access_denied"))
    assert "You stopped" in visitor.text("#outcome")
    eid.status = 503
    await visitor.press("#connect-eid")
    assert visitor.left_for is not None, "the metadata is still known"
    await visitor.open(eid.approve(visitor.left_for))
    assert "does not answer" in visitor.text("#outcome")
    assert visitor.has("#no-identities")


async def test_last_way_in_stays(visitor: Visitor, eid: MockProvider) -> None:
    await register(visitor, eid)
    await visitor.open("/en/security/identities")
    await visitor.press("#remove-1")
    assert visitor.has("#outcome")
    assert visitor.has("#remove-1")


async def test_removed_identity_opens_nothing(
    visitor: Visitor, other_visitor: Visitor, eid: MockProvider, runtime: Runtime
) -> None:
    await own_account(runtime)
    await prove(visitor, eid)
    await visitor.press("#connect-own")
    await sign_in(visitor)
    await visitor.press("#connect")
    await visitor.press("#remove-1")
    assert visitor.has("#no-identities")
    await prove(other_visitor, eid)
    assert other_visitor.path == "/en/sign-in/first-time"


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"error": "access_denied", "code": None}, "upstream_cancelled"),
        ({"error": "server_error", "code": None}, "upstream_refused"),
        ({"iss": "https://bank.example"}, "upstream_refused"),
        ({"iss": None}, "upstream_refused"),
        ({"state": "guessed"}, "upstream_expired"),
        ({"state": None}, "upstream_expired"),
        ({"state": "guessed", "error": "access_denied", "code": None}, "upstream_expired"),
        ({"code": None}, "upstream_expired"),
        ({"error": "access_denied"}, "upstream_expired"),
    ],
)
async def test_false_answer_is_told_and_signs_nobody_in(
    visitor: Visitor, eid: MockProvider, changes: dict[str, str | None], code: str
) -> None:
    await visitor.open(eid.approve(await leave(visitor), **changes))
    assert visitor.text("#error-code") == code
    assert visitor.has("#other-way")
    assert "code=" not in visitor.url
    assert "token" not in eid.requests


async def test_doubled_parameter_is_refused(visitor: Visitor, eid: MockProvider) -> None:
    callback = eid.approve(await leave(visitor))
    await visitor.open(f"{callback}&state=again")
    assert visitor.text("#error-code") == "upstream_expired"


async def test_answer_is_good_once(visitor: Visitor, eid: MockProvider) -> None:
    callback = eid.approve(await leave(visitor))
    await visitor.open(callback)
    await visitor.open(callback)
    assert visitor.text("#error-code") == "upstream_expired"


async def test_answer_fits_the_browser_that_asked(
    visitor: Visitor, other_visitor: Visitor, eid: MockProvider
) -> None:
    """Login CSRF: an attacker's answer signs nobody else in."""
    callback = eid.approve(await leave(visitor))
    await other_visitor.open("/en/sign-in")
    await other_visitor.open(callback)
    assert other_visitor.text("#error-code") == "upstream_expired"
    assert "token" not in eid.requests


async def test_answer_fits_the_provider_that_was_asked(
    visitor: Visitor, eid: MockProvider, bank: MockProvider
) -> None:
    """RFC 9700 section 4.4: mix-up."""
    callback = eid.approve(await leave(visitor))
    await visitor.open(callback.replace("/upstream/eid/", "/upstream/bank/"))
    assert visitor.text("#error-code") == "upstream_expired"
    assert "token" not in bank.requests
    assert "token" not in eid.requests


async def test_answer_that_took_too_long_is_refused(
    visitor: Visitor, eid: MockProvider, clock: Clock
) -> None:
    callback = eid.approve(await leave(visitor))
    clock.now += timedelta(minutes=11)
    await visitor.open(callback)
    assert visitor.text("#error-code") == "upstream_expired"


async def test_provider_that_is_down_leaves_the_other_ways(
    visitor: Visitor, eid: MockProvider
) -> None:
    eid.status = 503
    await visitor.open("/en/sign-in")
    await visitor.press("#sign-in-with-eid")
    assert visitor.status == 503
    assert visitor.last.headers["retry-after"] == "60"
    assert visitor.text("#error-code") == "upstream_unavailable"
    await visitor.press("#other-way")
    assert visitor.has("#password")


async def test_unknown_provider_does_not_exist(visitor: Visitor) -> None:
    await visitor.open("/upstream/attacker/callback?state=x&code=y")
    assert visitor.status == 404


async def test_foreign_form_starts_nothing(visitor: Visitor, eid: MockProvider) -> None:
    await visitor.open("/en/sign-in")
    answer = await visitor.http.post("/en/sign-in/with/eid", data={"form_token": "guessed"})
    assert answer.status_code == 403
    assert eid.requests == []


async def test_way_goes_on_where_it_was_going(visitor: Visitor, eid: MockProvider) -> None:
    await register(visitor, eid)
    await visitor.press("#sign-out")
    callback = eid.approve(await leave(visitor, at="/en/sign-in?next=/en/privacy"))
    await visitor.open(callback)
    assert visitor.path == "/en/privacy"


@pytest.mark.parametrize("place", ["https://attacker.example", "//attacker.example", "/\\evil"])
async def test_way_leads_to_no_other_site(visitor: Visitor, eid: MockProvider, place: str) -> None:
    await register(visitor, eid)
    await visitor.press("#sign-out")
    callback = eid.approve(await leave(visitor, at=f"/en/sign-in?next={place}"))
    await visitor.open(callback)
    assert visitor.path == "/en/dashboard"
