"""OIDC Core section 3.1.2: prompt, max_age, hints, claims and levels at /authorize."""

import json
from base64 import urlsafe_b64decode
from datetime import timedelta
from typing import Any

import httpx2
import pytest

from citizen_account.bootstrap import Runtime
from citizen_account.domain.accounts import AccountId
from citizen_account.domain.emails import EmailAddress
from citizen_account.security.tokens import new_id
from citizen_account.usecases.consents import list_access, withdraw_consent
from citizen_account.usecases.logout import end_session
from tests.authorizing import (
    BY_EID,
    address,
    allow,
    answer_in,
    answer_of,
    sign_in,
)
from tests.factories import Clock
from tests.pages import Visitor
from tests.relying_party import Party
from tests.services import open_account

SUBSTANTIAL = "http://eidas.europa.eu/LoA/substantial"
LOW = "http://eidas.europa.eu/LoA/low"
OFFLINE = {"scope": "openid email offline_access"}


@pytest.fixture
async def resident(runtime: Runtime, library: Party, reader: AccountId) -> AccountId:
    """Return a resident whose browser is signed in."""
    await sign_in(runtime, library.http, reader)
    return reader


async def claims_of(library: Party, code: str) -> dict[str, Any]:
    """Redeem the code and read the ID token, trusting the channel it came by."""
    token = (await library.redeem(code)).json()["id_token"]
    payload = token.split(".")[1]
    claims: dict[str, Any] = json.loads(urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    return claims | {"itself": token}


async def test_prompt_none_without_a_session_is_login_required(library: Party) -> None:
    answer = answer_of(await library.http.get(address({"prompt": "none"})))
    assert answer["error"] == "login_required"


async def test_prompt_none_without_consent_is_consent_required(
    resident: AccountId, http: httpx2.AsyncClient
) -> None:
    assert resident
    assert answer_of(await http.get(address({"prompt": "none"})))["error"] == "consent_required"


async def test_prompt_none_gives_a_code_for_the_same_sign_in(
    resident: AccountId, visitor: Visitor, library: Party, clock: Clock
) -> None:
    assert resident
    first = await claims_of(library, (await allow(visitor))["code"])
    clock.now += timedelta(minutes=5)
    silent = answer_of(await library.http.get(address({"prompt": "none"})))
    second = await claims_of(library, silent["code"])
    for claim in ("sub", "auth_time", "sid", "acr"):
        assert first[claim] == second[claim]


async def test_prompt_login_asks_once_and_tells_a_later_time(
    resident: AccountId, visitor: Visitor, library: Party, runtime: Runtime, clock: Clock
) -> None:
    first = await claims_of(library, (await allow(visitor))["code"])
    clock.now += timedelta(minutes=5)
    await visitor.open(address({"prompt": "login"}))
    assert visitor.path.endswith("/sign-in")
    waiting = visitor.last.url.query.decode()
    # Going on without a new sign-in leads to it again.
    await visitor.open(f"/authorize/continue?{waiting}")
    assert visitor.path.endswith("/sign-in")
    clock.now += timedelta(seconds=5)
    await sign_in(runtime, library.http, resident)
    await visitor.open(f"/authorize/continue?{waiting}")
    second = await claims_of(library, answer_in(visitor.left_for)["code"])
    assert second["auth_time"] > first["auth_time"]


async def test_max_age_asks_for_a_new_sign_in_when_the_last_is_older(
    resident: AccountId, visitor: Visitor, library: Party, clock: Clock
) -> None:
    assert resident
    await allow(visitor)
    clock.now += timedelta(seconds=2)
    silent = answer_of(await library.http.get(address({"max_age": "10000"})))
    assert "auth_time" in await claims_of(library, silent["code"])
    await visitor.open(address({"max_age": "1"}))
    assert visitor.path.endswith("/sign-in")
    refused = answer_of(await library.http.get(address({"max_age": "1", "prompt": "none"})))
    assert refused["error"] == "login_required"


@pytest.mark.parametrize("prompt", ["create", "create consent"])
async def test_prompt_create_leads_to_registration(
    library: Party, visitor: Visitor, prompt: str
) -> None:
    assert library
    await visitor.open(address({"prompt": prompt}))
    assert visitor.path.endswith("/register")


async def test_prompt_consent_asks_again(resident: AccountId, visitor: Visitor) -> None:
    assert resident
    await allow(visitor)
    assert "code" in await allow(visitor, {"prompt": "consent"})


async def test_offline_access_is_given_with_prompt_consent_only(
    resident: AccountId, visitor: Visitor, library: Party
) -> None:
    """OIDC Core section 11."""
    assert resident
    received = await allow(visitor, OFFLINE)
    assert (await library.redeem(received["code"])).json()["scope"] == "openid email"
    received = await allow(visitor, {**OFFLINE, "prompt": "consent"})
    issued = (await library.redeem(received["code"])).json()
    assert issued["scope"] == "openid email offline_access"
    assert "refresh_token" in issued


async def test_offline_grant_outlives_the_session_and_the_others_do_not(
    resident: AccountId, visitor: Visitor, library: Party, runtime: Runtime
) -> None:
    await allow(visitor)
    session = await sign_in(runtime, library.http, resident)
    short = (await library.redeem(answer_of(await library.http.get(address()))["code"])).json()
    received = await allow(visitor, {**OFFLINE, "prompt": "consent"})
    long = (await library.redeem(received["code"])).json()
    async with runtime.database.begin() as uow:
        await end_session(uow, session)
    assert (await library.refresh(short["refresh_token"])).status_code == 400
    assert (await library.refresh(long["refresh_token"])).status_code == 200


# --- id_token_hint ---


async def test_hint_of_the_same_resident_is_answered_in_silence(
    resident: AccountId, visitor: Visitor, library: Party, clock: Clock
) -> None:
    assert resident
    told = await claims_of(library, (await allow(visitor))["code"])
    # Also when the token has expired: only who it is about counts.
    clock.now += timedelta(minutes=20)
    changes = {"prompt": "none", "id_token_hint": told["itself"]}
    assert "code" in answer_of(await library.http.get(address(changes)))


async def test_hint_of_another_resident_is_login_required(
    resident: AccountId, visitor: Visitor, library: Party, runtime: Runtime
) -> None:
    assert resident
    told = await claims_of(library, (await allow(visitor))["code"])
    other = AccountId(new_id())
    await open_account(runtime, other, id=other, email=EmailAddress("peter@example.sk"))
    await sign_in(runtime, library.http, other)
    changes = {"prompt": "none", "id_token_hint": told["itself"]}
    refused = answer_of(await library.http.get(address(changes)))
    assert refused["error"] == "login_required"
    await visitor.open(address({"id_token_hint": told["itself"]}))
    assert visitor.path.endswith("/sign-in")


async def test_forged_hint_is_refused(
    resident: AccountId, visitor: Visitor, library: Party
) -> None:
    assert resident
    told = await claims_of(library, (await allow(visitor))["code"])
    head, payload, _ = told["itself"].split(".")
    for forged in (f"{head}.{payload}.", f"eyJhbGciOiJub25lIn0.{payload}.", "x" * 10_000):
        refused = answer_of(await library.http.get(address({"id_token_hint": forged})))
        assert refused["error"] == "invalid_request"


# --- claims and acr ---


async def test_claims_parameter_reaches_userinfo_and_the_id_token(
    resident: AccountId, visitor: Visitor, library: Party
) -> None:
    """OIDC Core section 5.5: besides what the scopes ask for."""
    assert resident
    wish = {
        "userinfo": {"name": {"essential": True}, "unheard_of": None},
        "id_token": {"given_name": None, "auth_time": {"essential": True}},
    }
    received = await allow(visitor, {"scope": "openid", "claims": json.dumps(wish)})
    issued = (await library.redeem(received["code"])).json()
    told = (await library.userinfo(issued["access_token"])).json()
    assert told["name"] == "Jana Nováková"
    payload = issued["id_token"].split(".")[1]
    claims = json.loads(urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    assert claims["given_name"] == "Jana"
    assert "name" not in claims
    assert "auth_time" in claims


async def test_acr_values_are_a_wish_and_the_token_tells_the_truth(
    resident: AccountId, visitor: Visitor, library: Party
) -> None:
    assert resident
    received = await allow(visitor, {"acr_values": f"{SUBSTANTIAL} {LOW}"})
    assert (await claims_of(library, received["code"]))["acr"] == LOW


async def test_essential_acr_asks_for_a_better_sign_in(
    resident: AccountId, visitor: Visitor, library: Party, runtime: Runtime, clock: Clock
) -> None:
    """OIDC Core section 5.5.1.1."""
    await allow(visitor)
    wish = {"id_token": {"acr": {"essential": True, "values": [SUBSTANTIAL]}}}
    changes = {"claims": json.dumps(wish)}
    await visitor.open(address(changes))
    assert visitor.path.endswith("/sign-in")
    waiting = f"/authorize/continue?{visitor.last.url.query.decode()}"
    clock.now += timedelta(seconds=1)
    await sign_in(runtime, library.http, resident, BY_EID)
    await visitor.open(waiting)
    told = await claims_of(library, answer_in(visitor.left_for)["code"])
    assert told["acr"] == SUBSTANTIAL


async def test_essential_acr_that_the_new_sign_in_misses_fails(
    resident: AccountId, visitor: Visitor, library: Party, runtime: Runtime, clock: Clock
) -> None:
    wish = {"id_token": {"acr": {"essential": True, "values": [SUBSTANTIAL]}}}
    await visitor.open(address({"claims": json.dumps(wish)}))
    waiting = f"/authorize/continue?{visitor.last.url.query.decode()}"
    clock.now += timedelta(seconds=1)
    await sign_in(runtime, library.http, resident)
    await visitor.open(waiting)
    assert answer_in(visitor.left_for)["error"] == "unmet_authentication_requirements"


# --- what ends before the code is given ---


async def test_withdrawal_between_two_requests_asks_again(
    resident: AccountId, visitor: Visitor, runtime: Runtime, http: httpx2.AsyncClient
) -> None:
    await allow(visitor)
    async with runtime.database.begin() as uow:
        [access] = await list_access(uow, resident)
        await withdraw_consent(uow, resident, access.consent.id)
    assert answer_of(await http.get(address({"prompt": "none"})))["error"] == "consent_required"


async def test_code_of_a_session_that_ended_is_worth_nothing(
    resident: AccountId, visitor: Visitor, library: Party, runtime: Runtime
) -> None:
    received = await allow(visitor)
    session = await sign_in(runtime, library.http, resident)
    async with runtime.database.begin() as uow:
        await end_session(uow, session)
    assert (await library.redeem(received["code"])).json()["error"] == "invalid_grant"


async def test_session_remembers_its_services(
    resident: AccountId, visitor: Visitor, library: Party, runtime: Runtime
) -> None:
    """One single sign-on session: back-channel logout tells each of its services."""
    await allow(visitor)
    session = await sign_in(runtime, library.http, resident)
    async with runtime.database.begin() as uow:
        await end_session(uow, session)
        [told] = await uow.client_sessions.of_session(session.id)
    assert (told.client_id, told.account_id) == ("library", resident)
    assert told.ended_at is not None
