"""RFC 8707: a token is for one API, holds what that API understands, and opens no other."""

import httpx2
import pytest

from citizen_account.bootstrap import Runtime
from citizen_account.domain.accounts import AccountId
from citizen_account.usecases.resources import disable_resource
from tests.authorizing import BY_EID, address, answer_in, answer_of, request_fields, sign_in
from tests.pages import Visitor
from tests.relying_party import Party
from tests.resource_servers import GRANT_TYPES, PARKING, PERMITS, SCOPE, register_api
from tests.services import SECRET, authorize, register

BOTH = [("resource", PARKING), ("resource", PERMITS)]
ASKED = {"scope": "openid parking.read parking.write permits.read"}


@pytest.fixture
async def parking(runtime: Runtime, library: Party, http: httpx2.AsyncClient) -> Party:
    """Return the API's own client; the library may use it and the permits' API."""
    await register(runtime, grant_types=GRANT_TYPES, scope=SCOPE)
    await register_api(runtime)
    await register_api(
        runtime, resource=PERMITS, resource_name="Permits", scopes_supported=["permits.read"]
    )
    assert library
    return Party(http, "parking", SECRET)


@pytest.fixture
async def signed_in(runtime: Runtime, http: httpx2.AsyncClient, reader: AccountId) -> None:
    await sign_in(runtime, http, reader)


async def code_for_both(visitor: Visitor) -> str:
    await visitor.open(address(ASKED, more=BOTH))
    if visitor.left_for is None:
        await visitor.press("#allow")
    return answer_in(visitor.left_for)["code"]


def error_of(answer: httpx2.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["error"]


@pytest.mark.usefixtures("parking")
async def test_2_unknown_or_malformed_is_an_invalid_target(library: Party) -> None:
    for resource in (
        "https://unknown.example",
        "no-uri",
        f"{PARKING}#part",
        f"{PARKING}/",
        "https://a b",
    ):
        refused = await library.http.get(address({**ASKED, "resource": resource}))
        assert answer_of(refused)["error"] == "invalid_target"
        asked = await library.ask_for_itself({"scope": "parking.read", "resource": resource})
        assert error_of(asked) == (400, "invalid_target")


@pytest.mark.usefixtures("parking")
async def test_2_resource_that_knows_nothing_of_the_scope_is_refused(library: Party) -> None:
    asked = {"scope": "openid email", "resource": PARKING}
    assert answer_of(await library.http.get(address(asked)))["error"] == "invalid_scope"
    refused = await library.ask_for_itself({"scope": "permits.read", "resource": PARKING})
    assert error_of(refused) == (400, "invalid_scope")


@pytest.mark.usefixtures("signed_in", "parking")
async def test_2_resident_reads_where_the_service_may_act(visitor: Visitor) -> None:
    await visitor.open(address(ASKED, more=BOTH))
    assert "Parkovanie" in visitor.text("#main-content")
    assert "Permits" in visitor.text("#main-content")


@pytest.mark.usefixtures("signed_in")
async def test_2_yes_to_one_api_is_none_to_another_with_equal_scopes(
    runtime: Runtime, parking: Party, visitor: Visitor
) -> None:
    assert parking
    other = "https://garages.example"
    await register_api(runtime, resource=other, scopes_supported=["parking.read"])
    asked = {"scope": "openid parking.read"}
    await visitor.open(address({**asked, "resource": PARKING}))
    await visitor.press("#allow")
    await visitor.open(address({**asked, "resource": PARKING}))
    assert visitor.left_for is not None
    await visitor.open(address({**asked, "resource": other}))
    assert visitor.path.endswith("/consent")


@pytest.mark.usefixtures("signed_in")
async def test_2_2_code_of_two_resources_gives_a_token_for_one_at_a_time(
    visitor: Visitor, library: Party, parking: Party
) -> None:
    code = await code_for_both(visitor)
    # A token for both could be used by the one at the other. The refusal leaves the code alive.
    assert error_of(await library.redeem(code)) == (400, "invalid_target")
    tokens = (await library.redeem(code, {"resource": PARKING})).json()
    assert tokens["scope"] == "parking.read parking.write"
    assert tokens["id_token"]
    described = (await parking.introspect(tokens["access_token"])).json()
    assert (described["aud"], described["scope"]) == (PARKING, "parking.read parking.write")
    narrowed = await library.refresh(tokens["refresh_token"], {"resource": PERMITS})
    assert narrowed.json()["scope"] == "permits.read"


@pytest.mark.usefixtures("parking")
@pytest.mark.parametrize("granted", [(), (PERMITS,)], ids=["none", "another"])
async def test_2_2_resource_that_was_not_granted_is_refused(
    runtime: Runtime, library: Party, granted: tuple[str, ...]
) -> None:
    scope = "openid parking.read permits.read"
    code = await authorize(runtime, scope=scope, resources=granted)
    assert error_of(await library.redeem(code, {"resource": PARKING})) == (400, "invalid_target")
    tokens = (await library.redeem(code)).json()
    refused = await library.refresh(tokens["refresh_token"], {"resource": PARKING})
    assert error_of(refused) == (400, "invalid_target")
    assert (await library.refresh(tokens["refresh_token"])).status_code == 200


async def test_2_2_token_for_ourselves_is_asked_for_by_the_issuer(
    runtime: Runtime, library: Party, parking: Party
) -> None:
    scope = "openid email parking.read"
    code = await authorize(runtime, scope=scope, resources=(PARKING,))
    token = (await library.redeem(code, {"resource": runtime.issuer})).json()["access_token"]
    assert (await library.userinfo(token)).status_code == 200
    assert (await parking.introspect(token)).json() == {"active": False}


@pytest.mark.parametrize("token_format", ["opaque", "jwt"])
async def test_4_token_of_an_api_opens_nothing_of_ours(
    runtime: Runtime, library: Party, parking: Party, token_format: str
) -> None:
    assert parking
    await register_api(runtime, access_token_format=token_format)
    code = await authorize(runtime, scope="openid parking.read", resources=(PARKING,))
    token = (await library.redeem(code)).json()["access_token"]
    assert (await library.userinfo(token)).status_code == 401
    me = await library.http.get(
        "/api/v1/me/permission", headers={"Authorization": f"Bearer {token}"}
    )
    assert me.status_code == 401


async def test_rfc7662_4_resource_server_sees_its_own_tokens_alone(
    runtime: Runtime, library: Party, parking: Party, museum: Party
) -> None:
    for scope, resource, seen in (
        ("parking.read", PARKING, True),
        ("permits.read", PERMITS, True),
        ("parking.read", None, False),
    ):
        asked = {"scope": scope, "resource": resource}
        token = (await library.ask_for_itself(asked)).json()["access_token"]
        # Both APIs introspect by the client `parking`, the museum is no resource server.
        assert (await parking.introspect(token)).json()["active"] is seen
        assert (await museum.introspect(token)).json() == {"active": False}
        assert (await library.introspect(token)).json()["active"] is True
    assert runtime


async def test_rfc7662_4_refresh_token_is_nothing_to_a_resource_server(
    runtime: Runtime, library: Party, parking: Party
) -> None:
    code = await authorize(runtime, scope="openid parking.read", resources=(PARKING,))
    tokens = (await library.redeem(code)).json()
    assert (await parking.introspect(tokens["refresh_token"])).json() == {"active": False}


async def test_rfc7662_2_2_opaque_token_speaks_of_the_resident_as_the_api_knows_her(
    runtime: Runtime, library: Party, parking: Party
) -> None:
    code = await authorize(runtime, scope="openid parking.read", resources=(PARKING,))
    token = (await library.redeem(code)).json()["access_token"]
    theirs = (await parking.introspect(token)).json()["sub"]
    assert theirs != (await library.introspect(token)).json()["sub"]


@pytest.mark.usefixtures("parking")
async def test_lifetime_is_the_resource_server_s(runtime: Runtime, library: Party) -> None:
    for lifetime, token_format in ((None, "opaque"), (60, "opaque"), (3600, "jwt")):
        await register_api(
            runtime, access_token_lifetime=lifetime, access_token_format=token_format
        )
        answer = await library.ask_for_itself({"resource": PARKING})
        assert answer.json()["expires_in"] == (lifetime or 600)


async def test_disabled_resource_server_gets_no_token_and_learns_nothing(
    runtime: Runtime, library: Party, parking: Party
) -> None:
    token = (await library.ask_for_itself({"resource": PARKING})).json()["access_token"]
    assert (await parking.introspect(token)).json()["active"] is True
    async with runtime.database.begin() as uow:
        assert await disable_resource(uow, PARKING)
        assert not await disable_resource(uow, "https://unknown.example")
    assert (await parking.introspect(token)).json() == {"active": False}
    refused = await library.ask_for_itself({"resource": PARKING})
    assert error_of(refused) == (400, "invalid_target")


# --- RFC 9470: what the API demands of the sign-in is asked for with the request ---


async def test_rfc9470_5_api_that_needs_a_better_sign_in_asks_for_it_at_once(
    runtime: Runtime, library: Party, parking: Party, reader: AccountId, visitor: Visitor
) -> None:
    assert parking
    await register_api(runtime, acr="http://eidas.europa.eu/LoA/high", max_age=600)
    await sign_in(runtime, library.http, reader)
    await visitor.open(address({**ASKED, "resource": PARKING, "ui_locales": "en"}))
    assert visitor.path.endswith("/sign-in")
    assert "stronger way" in visitor.text("#why-again")
    waiting = f"/authorize/continue?{visitor.last.url.query.decode()}"
    await sign_in(runtime, library.http, reader, BY_EID)
    await visitor.open(waiting)
    await visitor.press("#allow")
    answer = await library.redeem(answer_in(visitor.left_for)["code"])
    assert answer.status_code == 200
    described = (await library.introspect(answer.json()["access_token"])).json()
    assert described["acr"] == "http://eidas.europa.eu/LoA/high"


async def test_rfc9470_3_weaker_sign_in_gets_no_token_that_would_be_sent_back(
    runtime: Runtime, library: Party, parking: Party
) -> None:
    assert parking
    await register_api(runtime, acr="http://eidas.europa.eu/LoA/high")
    code = await authorize(runtime, scope="openid parking.read", resources=(PARKING,))
    assert error_of(await library.redeem(code)) == (400, "invalid_target")
    refused = await library.ask_for_itself({"resource": PARKING})
    assert error_of(refused) == (400, "invalid_target")


async def test_pushed_request_names_resources_too(library: Party, parking: Party) -> None:
    assert parking
    fields = {**request_fields(ASKED), "resource": "https://unknown.example"}
    assert error_of(await library.send("/par", fields)) == (400, "invalid_target")
    assert (await library.send("/par", {**fields, "resource": PARKING})).status_code == 201
