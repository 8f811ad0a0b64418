"""RFC 7662: a client asks what its tokens are worth."""

from datetime import timedelta

import pytest

from citizen_account.bootstrap import Runtime
from tests.factories import ISSUER, START, Clock
from tests.relying_party import Party
from tests.services import SECRET, authorize, register

INACTIVE = {"active": False}
NOW = int(START.timestamp())


@pytest.fixture
async def issued(runtime: Runtime, library: Party) -> dict[str, str]:
    answer = await library.redeem(await authorize(runtime))
    tokens: dict[str, str] = answer.json()
    return tokens


async def test_2_2_living_token_is_described(library: Party, issued: dict[str, str]) -> None:
    answer = await library.introspect(issued["access_token"])
    assert answer.headers["cache-control"] == "no-store"
    described = answer.json()
    subject = (await library.userinfo(issued["access_token"])).json()["sub"]
    assert described == {
        "active": True,
        "iss": ISSUER,
        "client_id": "library",
        "scope": "openid profile email",
        "token_type": "Bearer",
        "iat": NOW,
        "exp": NOW + 600,
        "acr": "http://eidas.europa.eu/LoA/low",
        "auth_time": NOW,
        "sub": subject,
    }


async def test_2_2_refresh_token_is_described_too(library: Party, issued: dict[str, str]) -> None:
    described = (await library.introspect(issued["refresh_token"])).json()
    assert described["active"]
    assert described["exp"] == NOW + timedelta(days=30).total_seconds()
    assert "token_type" not in described


async def test_2_2_dead_tokens_are_inactive_and_nothing_more(
    library: Party, issued: dict[str, str], clock: Clock
) -> None:
    assert (await library.introspect("unknown")).json() == INACTIVE
    await library.refresh(issued["refresh_token"])
    assert (await library.introspect(issued["refresh_token"])).json() == INACTIVE
    clock.now += timedelta(minutes=10)
    assert (await library.introspect(issued["access_token"])).json() == INACTIVE


async def test_4_token_of_another_client_looks_unknown(
    museum: Party, issued: dict[str, str]
) -> None:
    answer = await museum.introspect(issued["access_token"])
    assert (answer.status_code, answer.json()) == (200, INACTIVE)


async def test_2_1_client_must_prove_itself(library: Party, issued: dict[str, str]) -> None:
    thief = Party(library.http, "library", SECRET[::-1])
    answer = await thief.introspect(issued["access_token"])
    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")


async def test_2_1_public_client_may_not_ask(runtime: Runtime, library: Party) -> None:
    await register(runtime, token_endpoint_auth_method="none", client_secret=None)
    public = Party(library.http, "library")
    answer = await public.introspect("any")
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_client")


async def test_2_1_token_in_the_query_is_not_read(library: Party) -> None:
    answer = await library.send("/introspect?token=x", {})
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")
