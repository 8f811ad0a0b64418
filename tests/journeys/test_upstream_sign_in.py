"""A resident signs in through another provider: for the first time, again, and linked.

OWASP ASVS 5.0 section 6.8: known by issuer and subject alone; linked with both proofs.
"""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from citizen_account.bootstrap import Runtime
from citizen_account.domain.accounts import Level
from citizen_account.domain.emails import EmailAddress
from tests.factories import PASSWORD, Clock, mailbox
from tests.mock_provider import MockProvider
from tests.pages import Visitor
from tests.upstream_city import (
    EMAIL,
    account_of,
    city_bank,
    leave,
    national_eid,
    own_account,
    prove,
    register,
    runtime_with,
    sign_in,
)


@pytest.fixture
def eid(clock: Clock) -> MockProvider:
    return national_eid(clock)


@pytest.fixture
def bank(clock: Clock) -> MockProvider:
    return city_bank(clock)


@pytest.fixture
async def runtime(
    database_url: str, clock: Clock, eid: MockProvider, bank: MockProvider
) -> AsyncIterator[Runtime]:
    async with runtime_with(database_url, clock, eid=eid, bank=bank) as built:
        yield built


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


async def test_claims_that_the_file_names_are_shown_and_come_with_the_new_account(
    visitor: Visitor, eid: MockProvider
) -> None:
    # Gender is not in the file, and the picture has no address of the web.
    eid.claims |= {"nickname": "Janka", "gender": "female", "picture": "file:///jana.jpg"}
    await prove(visitor, eid)
    assert "Nickname Janka" in visitor.text("#proven")
    await visitor.press("#create-account")
    await visitor.open("/en/profile")
    assert visitor.has("#remove-nickname")
    assert not visitor.has("#remove-gender")
    assert not visitor.has("#remove-picture")


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
