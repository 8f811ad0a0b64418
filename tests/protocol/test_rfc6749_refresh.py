"""RFC 6749 section 6 and RFC 9700 section 4.14: refresh tokens."""

from datetime import timedelta

import httpx2
import pytest

from citizen_account.bootstrap import Runtime
from citizen_account.domain.accounts import AccountId
from citizen_account.domain.grants import GrantEnd
from citizen_account.domain.transactions import LostRaceError
from citizen_account.security.tokens import digest
from citizen_account.usecases.clients import disable_client
from tests.factories import START, Clock
from tests.relying_party import Party, bearer
from tests.services import GRANT, authorize

INVALID = (400, "invalid_grant")
REFRESH_LIFETIME = timedelta(days=30)


def error_of(answer: httpx2.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["error"]


async def signed_in(runtime: Runtime, library: Party, **changes: object) -> dict[str, str]:
    answer = await library.redeem(await authorize(runtime, **changes))
    issued: dict[str, str] = answer.json()
    return issued


async def test_6_refresh_gives_new_tokens_of_the_same_scope(
    runtime: Runtime, library: Party
) -> None:
    first = await signed_in(runtime, library)
    answer = await library.refresh(first["refresh_token"])
    assert answer.status_code == 200
    second = answer.json()
    assert second["scope"] == first["scope"]
    assert not {first["access_token"], first["refresh_token"]} & set(second.values())
    assert (await library.userinfo(second["access_token"])).status_code == 200


async def test_rfc_9700_4_14_2_reused_token_ends_the_family(
    runtime: Runtime, library: Party
) -> None:
    first = await signed_in(runtime, library)
    second = (await library.refresh(first["refresh_token"])).json()
    assert error_of(await library.refresh(first["refresh_token"])) == INVALID
    assert error_of(await library.refresh(second["refresh_token"])) == INVALID
    assert (await library.userinfo(second["access_token"])).status_code == 401
    async with runtime.database.read() as uow:
        noted = await uow.audit.page(before=None, size=50, event="refresh_token_reused")
    assert len(noted) == 1


async def test_6_token_of_another_client_is_refused_and_unharmed(
    runtime: Runtime, library: Party, museum: Party
) -> None:
    issued = await signed_in(runtime, library)
    assert error_of(await museum.refresh(issued["refresh_token"])) == INVALID
    assert (await library.refresh(issued["refresh_token"])).status_code == 200


async def test_6_scope_may_be_narrowed(runtime: Runtime, library: Party) -> None:
    issued = await signed_in(runtime, library)
    answer = await library.refresh(issued["refresh_token"], {"scope": "openid"})
    narrowed = answer.json()
    assert narrowed["scope"] == "openid"
    assert set((await library.userinfo(narrowed["access_token"])).json()) == {"sub"}
    # The refresh token itself keeps what was granted.
    again = (await library.refresh(narrowed["refresh_token"])).json()
    assert again["scope"] == issued["scope"]
    assert "email" in (await library.userinfo(again["access_token"])).json()


async def test_6_scope_may_not_be_widened(runtime: Runtime, library: Party) -> None:
    issued = await signed_in(runtime, library)
    wider = await library.refresh(issued["refresh_token"], {"scope": "openid phone"})
    assert error_of(wider) == (400, "invalid_scope")
    assert (await library.refresh(issued["refresh_token"])).status_code == 200


async def test_access_token_is_no_refresh_token(runtime: Runtime, library: Party) -> None:
    issued = await signed_in(runtime, library)
    assert error_of(await library.refresh(issued["access_token"])) == INVALID
    assert (await library.userinfo(issued["refresh_token"])).status_code in {401, 403}


async def test_lifetime_is_absolute(runtime: Runtime, library: Party, clock: Clock) -> None:
    issued = await signed_in(runtime, library, is_offline=True)
    clock.now += REFRESH_LIFETIME - timedelta(minutes=1)
    issued = (await library.refresh(issued["refresh_token"])).json()
    clock.now += timedelta(minutes=1)
    assert error_of(await library.refresh(issued["refresh_token"])) == INVALID


async def test_without_offline_access_refreshing_ends_with_the_session(
    runtime: Runtime, library: Party, clock: Clock
) -> None:
    ends_at = START + timedelta(hours=12)
    bound = await signed_in(runtime, library, session_ends_at=ends_at)
    offline = await signed_in(runtime, library, session_ends_at=ends_at, is_offline=True)
    clock.now = ends_at
    assert error_of(await library.refresh(bound["refresh_token"])) == INVALID
    assert (await library.refresh(offline["refresh_token"])).status_code == 200


async def test_sign_out_ends_what_is_not_offline(runtime: Runtime, library: Party) -> None:
    bound = await signed_in(runtime, library)
    offline = await signed_in(runtime, library, is_offline=True)
    assert GRANT.session_id is not None
    async with runtime.database.begin() as uow:
        await uow.grants.end_of_session(GRANT.session_id, uow.now)
    assert error_of(await library.refresh(bound["refresh_token"])) == INVALID
    assert (await library.userinfo(bound["access_token"])).status_code == 401
    assert (await library.refresh(offline["refresh_token"])).status_code == 200


async def test_closed_account_ends_everything(
    runtime: Runtime, library: Party, reader: AccountId
) -> None:
    issued = await signed_in(runtime, library, is_offline=True)
    async with runtime.database.begin() as uow:
        await uow.grants.end_of_account(reader, GrantEnd.ACCOUNT_CLOSED, uow.now)
    assert error_of(await library.refresh(issued["refresh_token"])) == INVALID


async def test_disabled_client_is_shut_out(runtime: Runtime, library: Party) -> None:
    issued = await signed_in(runtime, library)
    async with runtime.database.begin() as uow:
        assert await disable_client(uow, "library")
    assert error_of(await library.refresh(issued["refresh_token"])) == (401, "invalid_client")
    assert (await library.userinfo(issued["access_token"])).status_code == 401


@pytest.mark.parametrize("scope", ['a"b', "a  b", " ", "é", "\x01"])
async def test_3_3_malformed_scope_is_refused(runtime: Runtime, library: Party, scope: str) -> None:
    issued = await signed_in(runtime, library)
    status, error = error_of(await library.refresh(issued["refresh_token"], {"scope": scope}))
    assert (status, error) == (400, "invalid_scope")


@pytest.mark.parametrize("path", ["/userinfo", "/api/v1/me/permission"])
async def test_1_5_refresh_token_opens_no_resource(
    runtime: Runtime, library: Party, path: str
) -> None:
    tokens = await signed_in(runtime, library)
    for name, is_refused in (("access_token", False), ("refresh_token", True)):
        answer = await library.http.get(path, headers=bearer(tokens[name]))
        assert (answer.status_code == 401) is is_refused


async def test_6_token_that_was_found_before_its_grant_ended_is_not_used(
    runtime: Runtime, library: Party
) -> None:
    """Finding and using are two statements: in between another process may end the grant."""
    tokens = await signed_in(runtime, library)
    code = await authorize(runtime)
    asked = {"code": code, "token": tokens["refresh_token"]}
    digests = {name: digest(value) for name, value in asked.items()}
    async with runtime.database.begin() as uow:
        await disable_client(uow, "library")
    with pytest.raises(LostRaceError):
        async with runtime.database.begin_hot() as uow:
            await uow.grants.win_code(digests["code"], uow.now)
    with pytest.raises(LostRaceError):
        async with runtime.database.begin_hot() as uow:
            await uow.grants.win_token(digests["token"], uow.now)
