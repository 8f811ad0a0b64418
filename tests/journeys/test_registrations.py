"""A service registers itself; an administrator lets it in or not; residents see what it is."""

from dataclasses import replace
from typing import Any

import httpx2
import pytest

from citizen_account.bootstrap import Runtime
from citizen_account.domain.accounts import Role
from citizen_account.domain.registrations import RegistrationMode, RegistrationPolicy
from citizen_account.usecases.administration import grant_role
from tests.authorizing import address, allow, error_code
from tests.factories import REDIRECT_URI
from tests.journeys.steps import register
from tests.pages import Visitor

ROBERT = "robert@example.sk"
METADATA = {
    "client_name": "Chess club",
    "redirect_uris": [REDIRECT_URI],
    "client_uri": "https://library.example/",
    "policy_uri": "https://library.example/privacy",
    "tos_uri#sk": "https://library.example/sk/podmienky",
    "logo_uri": "https://library.example/logo.png",
    "contacts": ["team@library.example"],
    "scope": "openid email",
}
Body = dict[str, Any]  # Any: what a member may be


@pytest.fixture
def mode() -> RegistrationMode:
    return RegistrationMode.QUEUE


@pytest.fixture
def runtime(runtime: Runtime, mode: RegistrationMode) -> Runtime:
    return replace(runtime, registration=RegistrationPolicy(mode))


@pytest.fixture
async def administrator(other_visitor: Visitor, runtime: Runtime) -> Visitor:
    await register(other_visitor, runtime, ROBERT)
    async with runtime.database.begin() as uow:
        assert await grant_role(uow, ROBERT, Role.ADMINISTRATOR)
    other_visitor.http.headers["Accept-Language"] = "en"
    return other_visitor


@pytest.fixture
async def club(http: httpx2.AsyncClient) -> Body:
    """Return the answer to a club that registered itself."""
    answer = await http.post("/register", json=METADATA)
    assert answer.status_code == 201, answer.text
    body: Body = answer.json()
    return body


async def status_of(http: httpx2.AsyncClient, club: Body) -> Body:
    token = {"Authorization": f"Bearer {club['registration_access_token']}"}
    body: Body = (await http.get(f"/register/{club['client_id']}", headers=token)).json()
    return body


async def test_club_that_is_let_in_signs_residents_in(
    administrator: Visitor, visitor: Visitor, runtime: Runtime, club: Body
) -> None:
    await register(visitor, runtime)
    await visitor.open(address({"client_id": club["client_id"]}))
    assert (visitor.status, error_code(visitor)) == (403, "client_pending")
    await administrator.open("/admin")
    assert "1 service asks to come in" in administrator.text()
    await administrator.open("/admin/registrations")
    [place] = [path for path in administrator.links() if club["client_id"] in path]
    await administrator.open(place)
    said = administrator.text("#said")
    assert REDIRECT_URI in said
    assert "team@library.example" in said
    assert "https://library.example/logo.png" in said
    # RFC 7591 section 5: a picture from elsewhere is never loaded.
    assert not administrator.has("img")
    await administrator.press("#let-in")
    assert "The service is let in" in administrator.text()
    assert "Nothing waits" in administrator.text("#waiting")
    await visitor.open(address({"client_id": club["client_id"]}))
    assert visitor.text("#standing") == "Registered itself, the city has let it in"
    assert "Address: library.example" in visitor.text()
    links = {each.attributes["href"] for each in visitor.find("#service-links").find("a")}
    assert "https://library.example/privacy" in links
    assert not visitor.has("img")
    await visitor.press("#allow")
    assert visitor.left_for is not None
    await administrator.open("/admin/audit?event=client_decided")
    assert f"client_id {club['client_id']}" in administrator.text("table")


async def test_refusal_needs_a_reason_which_the_club_reads(
    administrator: Visitor, http: httpx2.AsyncClient, visitor: Visitor, club: Body
) -> None:
    await administrator.open(f"/admin/registrations/{club['client_id']}")
    await administrator.press("#refuse")
    assert administrator.status == 422
    administrator.fill({"#reason": "Name the club in full."})
    await administrator.press("#refuse")
    assert "The service is refused" in administrator.text()
    told = await status_of(http, club)
    assert told["registration_status"] == "refused"
    assert told["registration_reason"] == "Name the club in full."
    await visitor.open(address({"client_id": club["client_id"]}))
    assert error_code(visitor) == "client_unknown"
    # RFC 7592 section 2.2: it may mend what was wrong, and is looked at again.
    token = {"Authorization": f"Bearer {club['registration_access_token']}"}
    mended = {**METADATA, "client_id": club["client_id"], "client_name": "Chess club Dunaj"}
    answer = await http.put(f"/register/{club['client_id']}", json=mended, headers=token)
    assert answer.json()["registration_status"] == "pending"
    await administrator.open("/admin/registrations")
    assert "Chess club Dunaj" in administrator.text("#waiting")


async def test_second_decision_changes_nothing(
    administrator: Visitor, http: httpx2.AsyncClient, club: Body
) -> None:
    place = f"/admin/registrations/{club['client_id']}"
    await administrator.open(place)
    await administrator.press("#let-in")
    await administrator.open(place)
    assert not administrator.has("#let-in")
    assert "Let in" in administrator.text()
    assert (await status_of(http, club))["registration_status"] == "approved"


async def test_helper_sees_the_queue_and_decides_nothing(
    other_visitor: Visitor, runtime: Runtime, club: Body
) -> None:
    await register(other_visitor, runtime, ROBERT)
    async with runtime.database.begin() as uow:
        assert await grant_role(uow, ROBERT, Role.HELPER)
    await other_visitor.open(f"/admin/registrations/{club['client_id']}")
    assert other_visitor.status == 200
    assert not other_visitor.has("#let-in")


async def test_unknown_applicant_does_not_exist(administrator: Visitor) -> None:
    await administrator.open("/admin/registrations/nothing")
    assert administrator.status == 404


@pytest.mark.parametrize("mode", [RegistrationMode.OPEN])
async def test_club_that_nobody_checked_says_so_and_is_no_service_of_the_city(
    visitor: Visitor, runtime: Runtime, club: Body
) -> None:
    await register(visitor, runtime)
    await visitor.open(address({"client_id": club["client_id"]}))
    assert visitor.text("#standing") == "Registered itself, the city has not checked it"
    received = await allow(visitor, {"client_id": club["client_id"]})
    assert "code" in received
    await visitor.open("/en/services")
    assert "Chess club" not in visitor.text()
    catalogue = await visitor.http.get("/api/v1/services")
    assert "Chess club" not in catalogue.text
