"""Answers that another provider, an attacker or another browser sends to our callback.

RFC 6749 section 10.12 (state), RFC 9207 (iss), RFC 9700 section 4.4 (mix-up).
"""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from citizen_account.bootstrap import Runtime
from tests.factories import Clock
from tests.mock_provider import MockProvider
from tests.pages import Visitor
from tests.upstream_city import city_bank, leave, national_eid, runtime_with


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


async def test_unknown_provider_does_not_exist(visitor: Visitor) -> None:
    await visitor.open("/upstream/attacker/callback?state=x&code=y")
    assert visitor.status == 404


async def test_foreign_form_starts_nothing(visitor: Visitor, eid: MockProvider) -> None:
    await visitor.open("/en/sign-in")
    answer = await visitor.http.post("/en/sign-in/with/eid", data={"form_token": "guessed"})
    assert answer.status_code == 403
    assert eid.requests == []
