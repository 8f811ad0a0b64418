"""A city that lists two other providers, both told what to do, and residents who use them."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

from citizen_account.bootstrap import Runtime, build_runtime
from citizen_account.domain.accounts import Account, AccountId, Level, Profile
from citizen_account.domain.emails import EmailAddress
from citizen_account.security.tokens import new_id
from citizen_account.storage.accounts import NewAccount
from citizen_account.usecases.accounts import open_account
from tests.factories import ISSUER, PASSWORD, Clock, settings_for
from tests.mock_provider import HIGH, MockProvider, upstreams_of
from tests.pages import Visitor

EMAIL = "jana@example.sk"


def national_eid(clock: Clock) -> MockProvider:
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


def city_bank(clock: Clock) -> MockProvider:
    """Return another provider, which knows somebody by the same subject."""
    return MockProvider(
        issuer="https://bank.example",
        client_id="city-at-bank",
        clock=lambda: clock().timestamp(),
        claims={"sub": "subject-1", "given_name": "Peter", "family_name": "Iný"},
    )


@asynccontextmanager
async def runtime_with(
    database_url: str, clock: Clock, **providers: MockProvider
) -> AsyncIterator[Runtime]:
    built = build_runtime(settings_for(database_url), clock)
    await built.upstreams.close()
    yield replace(built, upstreams=upstreams_of(ISSUER, **providers))
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
