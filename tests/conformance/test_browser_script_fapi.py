"""The browser script of the FAPI plans gets through our pages, by the document's own clients."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

import httpx2
import pytest

from citizen_account.bootstrap import Runtime
from citizen_account.domain.accounts import AccountId, Level
from citizen_account.domain.emails import EmailAddress
from citizen_account.storage.accounts import NewAccount
from citizen_account.usecases.accounts import open_account
from tests.authorizing import answer_in, request_fields
from tests.conformance.browser_script import (
    EMAIL,
    SUITE,
    ScriptedBrowser,
    read_client,
    read_plan,
)
from tests.conformance.conftest import FULL
from tests.conformance.plans_fapi import PREFIX
from tests.factories import ISSUER, PASSWORD, Clock
from tests.fapi_party import Changes, HighParty
from tests.pages import Visitor
from tests.proofs import Prover
from tests.services import register

CALLBACK = f"{SUITE}/callback"
WITH_QUERY = f"{CALLBACK}?dummy1=lorem&dummy2=ipsum"


@pytest.fixture
async def residents(runtime: Runtime) -> None:
    """Open the accounts of the document: who allows, and who refuses."""
    for number, email in enumerate((EMAIL, "suite-no@example.org"), 1):
        name = EmailAddress(email)
        account = NewAccount(AccountId(UUID(int=number)), name, FULL, "sk", Level.LOW)
        password_hash = await runtime.hasher.hash(PASSWORD)
        async with runtime.database.begin() as uow:
            assert await open_account(uow, account, password_hash)


def browser_of(visitor: Visitor, module: str = "") -> ScriptedBrowser:
    """Return the browser with the module's own script, where it has one."""
    own = read_plan("fapi plan")["override"].get(f"{PREFIX}{module}")
    return ScriptedBrowser(visitor, own["browser"]) if own else ScriptedBrowser(visitor)


async def client_of(
    runtime: Runtime, http: httpx2.AsyncClient, clock: Clock, name: str
) -> HighParty:
    """Register a client of the document with a key of these tests."""
    party = HighParty(http, clock, Prover(clock), client_id=name)
    ours = {
        "jwks": {"keys": [party.key.as_dict(private=False)]},
        "token_endpoint_auth_signing_alg": "ES256",
    }
    await register(runtime, **{**UNSET, **read_client(name), **ours})
    return party


# What `register` would add for the library.
UNSET: Mapping[str, Any] = {"client_secret": None, "post_logout_redirect_uris": None}


@pytest.fixture
async def first(
    runtime: Runtime, http: httpx2.AsyncClient, clock: Clock, residents: None
) -> HighParty:
    del residents
    return await client_of(runtime, http, clock, "suite-fapi")


@pytest.fixture
async def second(
    runtime: Runtime, http: httpx2.AsyncClient, clock: Clock, first: HighParty
) -> HighParty:
    assert first
    return await client_of(runtime, http, clock, "suite-fapi-2")


async def pushed(party: HighParty, changes: Changes) -> str:
    """Return the address that the suite sends its browser to."""
    scope = read_plan("fapi plan")["client"]["scope"]
    fields = request_fields({"redirect_uri": CALLBACK, "scope": scope, **changes})
    return f"{ISSUER}{await party.pushed({**fields, 'client_id': party.client_id})}"


async def test_both_clients_arrive(visitor: Visitor, first: HighParty, second: HighParty) -> None:
    """happy-flow, and each that succeeds: the second client by its address with a query."""
    browser = browser_of(visitor)
    for party, address in ((first, CALLBACK), (second, WITH_QUERY)):
        place = await browser.go_to(await pushed(party, {"redirect_uri": address}))
        assert place.startswith(address)
        assert answer_in(place, address)["code"]


async def test_who_refuses_is_asked_each_time(
    visitor: Visitor, first: HighParty, second: HighParty
) -> None:
    browser = browser_of(visitor, "user-rejects-authentication")
    for party in (first, second, first):
        place = await browser.go_to(await pushed(party, {}))
        assert answer_in(place, CALLBACK)["error"] == "access_denied"


async def test_first_visit_only_looks(visitor: Visitor, first: HighParty) -> None:
    module = "par-ensure-reused-request-uri-prior-to-auth-completion-succeeds"
    browser, address = browser_of(visitor, module), await pushed(first, {})
    assert "/sign-in" in await browser.go_to(address)
    assert browser.pictures == ["sign-in"]
    assert answer_in(await browser.go_to(address), CALLBACK)["code"]


async def test_page_of_a_wrong_name_is_pictured(
    visitor: Visitor, first: HighParty, second: HighParty
) -> None:
    """par-attempt-reuse-request_uri, …-for-different-client."""
    browser, address = browser_of(visitor), await pushed(first, {})
    assert answer_in(await browser.go_to(address), CALLBACK)["code"]
    browser.pictures.clear()
    await browser.go_to(address)
    other = (await pushed(first, {})).replace(first.client_id, second.client_id)
    await browser.go_to(other)
    assert browser.pictures == ["error-code", "error-code"]
