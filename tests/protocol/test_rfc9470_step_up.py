"""RFC 9470: a resource that needs a better sign-in gets one, and the resident reads why."""

from datetime import timedelta

import pytest

from citizen_account.bootstrap import Runtime
from citizen_account.domain.accounts import AccountId
from tests.authorizing import BY_EID, address, allow, answer_in, sign_in
from tests.factories import Clock
from tests.pages import Visitor
from tests.relying_party import Party

LOW = "http://eidas.europa.eu/LoA/low"
HIGH = "http://eidas.europa.eu/LoA/high"


@pytest.fixture
async def resident(runtime: Runtime, library: Party, reader: AccountId) -> AccountId:
    """Return a resident whose browser is signed in by a password."""
    await sign_in(runtime, library.http, reader)
    return reader


async def acr_of(library: Party, code: str) -> str:
    """Return what a resource server learns of the sign-in (section 6.2)."""
    token = (await library.redeem(code)).json()["access_token"]
    described = (await library.introspect(token)).json()
    assert isinstance(described["auth_time"], int)
    return str(described["acr"])


async def test_5_acr_values_lead_to_a_stronger_sign_in(
    runtime: Runtime, resident: AccountId, visitor: Visitor, library: Party, clock: Clock
) -> None:
    assert await acr_of(library, (await allow(visitor))["code"]) == LOW
    await visitor.open(address({"acr_values": HIGH}))
    assert visitor.path.endswith("/sign-in")
    assert "stronger way" in visitor.text("#why-again") or "silnejším" in visitor.text("#why-again")
    waiting = f"/authorize/continue?{visitor.last.url.query.decode()}"
    clock.now += timedelta(seconds=1)
    await sign_in(runtime, library.http, resident, BY_EID)
    await visitor.open(waiting)
    assert await acr_of(library, answer_in(visitor.left_for)["code"]) == HIGH


async def test_5_sign_in_that_is_no_stronger_is_told_as_it_is(
    runtime: Runtime, resident: AccountId, visitor: Visitor, library: Party, clock: Clock
) -> None:
    await allow(visitor)
    await visitor.open(address({"acr_values": HIGH}))
    waiting = f"/authorize/continue?{visitor.last.url.query.decode()}"
    clock.now += timedelta(seconds=1)
    await sign_in(runtime, library.http, resident)
    await visitor.open(waiting)
    assert await acr_of(library, answer_in(visitor.left_for)["code"]) == LOW


@pytest.mark.usefixtures("resident")
@pytest.mark.parametrize(
    ("changes", "why"),
    [({"max_age": "60"}, "priveľa času"), ({"prompt": "login"}, "žiada")],
    ids=["max_age", "prompt"],
)
async def test_page_says_why_it_asks_again(
    visitor: Visitor, clock: Clock, changes: dict[str, str], why: str
) -> None:
    clock.now += timedelta(minutes=5)
    await visitor.open(address({**changes, "ui_locales": "sk"}))
    assert why in visitor.text("#why-again")


async def test_page_says_nothing_to_who_was_not_signed_in(library: Party, visitor: Visitor) -> None:
    assert library
    await visitor.open(address({"acr_values": HIGH}))
    assert visitor.path.endswith("/sign-in")
    with pytest.raises(LookupError):
        visitor.text("#why-again")
