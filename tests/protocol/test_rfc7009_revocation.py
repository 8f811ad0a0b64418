"""RFC 7009: a client takes back its tokens."""

import pytest

from citizen_account.bootstrap import Runtime
from tests.relying_party import Party
from tests.services import SECRET, authorize, register


@pytest.fixture
async def issued(runtime: Runtime, library: Party) -> dict[str, str]:
    answer = await library.redeem(await authorize(runtime))
    tokens: dict[str, str] = answer.json()
    return tokens


async def test_2_1_revoked_refresh_token_ends_all_that_the_grant_gave(
    library: Party, issued: dict[str, str]
) -> None:
    answer = await library.revoke(issued["refresh_token"])
    assert answer.status_code == 200
    assert (await library.userinfo(issued["access_token"])).status_code == 401
    again = await library.refresh(issued["refresh_token"])
    assert (again.status_code, again.json()["error"]) == (400, "invalid_grant")


async def test_2_1_revoked_access_token_leaves_the_refresh_token(
    library: Party, issued: dict[str, str]
) -> None:
    assert (await library.revoke(issued["access_token"])).status_code == 200
    assert (await library.userinfo(issued["access_token"])).status_code == 401
    assert (await library.refresh(issued["refresh_token"])).status_code == 200


@pytest.mark.parametrize("hint", ["access_token", "refresh_token", "unheard_of"])
async def test_2_1_wrong_hint_does_no_harm(
    library: Party, issued: dict[str, str], hint: str
) -> None:
    await library.revoke(issued["access_token"], {"token_type_hint": hint})
    assert (await library.userinfo(issued["access_token"])).status_code == 401


async def test_2_2_revoking_twice_and_the_unknown_are_no_errors(
    library: Party, issued: dict[str, str]
) -> None:
    for token in (issued["refresh_token"], issued["refresh_token"], "unknown"):
        assert (await library.revoke(token)).status_code == 200


@pytest.mark.parametrize("kind", ["access_token", "refresh_token"])
async def test_2_1_token_of_another_client_is_unharmed(
    library: Party, museum: Party, issued: dict[str, str], kind: str
) -> None:
    answer = await museum.revoke(issued[kind])
    unknown = await museum.revoke("unknown")
    assert (answer.status_code, answer.content) == (unknown.status_code, unknown.content)
    assert (await library.userinfo(issued["access_token"])).status_code == 200
    assert (await library.refresh(issued["refresh_token"])).status_code == 200


async def test_2_1_public_client_may_revoke_its_own(runtime: Runtime, library: Party) -> None:
    await register(runtime, token_endpoint_auth_method="none", client_secret=None)
    public = Party(library.http, "library")
    issued = (await public.redeem(await authorize(runtime))).json()
    assert (await public.revoke(issued["refresh_token"])).status_code == 200
    assert (await public.userinfo(issued["access_token"])).status_code == 401


async def test_2_1_client_must_prove_itself(library: Party, issued: dict[str, str]) -> None:
    thief = Party(library.http, "library", SECRET[::-1])
    answer = await thief.revoke(issued["refresh_token"])
    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")
    assert (await library.userinfo(issued["access_token"])).status_code == 200


async def test_2_1_token_is_required(library: Party) -> None:
    answer = await library.send("/revoke", {})
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")
