"""RFC 6749 section 4.4: a client asks for itself."""

import pytest

from citizen_account.bootstrap import Runtime
from tests.relying_party import Party
from tests.services import SECRET, register


@pytest.fixture
async def machine(runtime: Runtime, museum: Party) -> Party:
    """Return a service that has no residents."""
    await register(
        runtime,
        client_id="machine",
        redirect_uris=[],
        grant_types=["client_credentials"],
        scope="openid cases.read cases.write",
    )
    return Party(museum.http, "machine", SECRET)


async def test_4_4_3_token_comes_without_refresh_and_id_token(machine: Party) -> None:
    answer = await machine.ask_for_itself()
    assert answer.status_code == 200
    issued = answer.json()
    assert set(issued) == {"access_token", "token_type", "expires_in", "scope"}
    assert issued["scope"] == "cases.read cases.write"


async def test_4_4_2_scope_may_be_chosen(machine: Party) -> None:
    issued = (await machine.ask_for_itself({"scope": "cases.read"})).json()
    assert issued["scope"] == "cases.read"
    described = (await machine.introspect(issued["access_token"])).json()
    assert (described["active"], described["scope"]) == (True, "cases.read")
    assert "sub" not in described


@pytest.mark.parametrize("scope", ["openid", "cases.delete", "profile cases.read"])
async def test_4_4_2_other_scope_is_refused(machine: Party, scope: str) -> None:
    answer = await machine.ask_for_itself({"scope": scope})
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_scope")


async def test_rfc_6750_3_1_userinfo_is_not_for_machines(machine: Party) -> None:
    issued = (await machine.ask_for_itself()).json()
    answer = await machine.userinfo(issued["access_token"])
    assert (answer.status_code, answer.json()["error"]) == (403, "insufficient_scope")
    assert 'scope="openid"' in answer.headers["www-authenticate"]


async def test_5_2_grant_type_must_be_registered(museum: Party) -> None:
    answer = await museum.ask_for_itself()
    assert (answer.status_code, answer.json()["error"]) == (400, "unauthorized_client")
