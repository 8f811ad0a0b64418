"""OIDC Core section 4, as the modules of third-party-initiated login ask for it."""

import httpx2
import pytest

from citizen_account.bootstrap import Runtime
from citizen_account.domain.registrations import RegistrationMode
from tests.journeys.steps import register as open_account
from tests.pages import Visitor
from tests.registering import MINIMAL, Registered, opened, send
from tests.services import register

LOGIN = "https://library.example/login"


@pytest.fixture
def runtime(runtime: Runtime) -> Runtime:
    return opened(runtime, RegistrationMode.OPEN)


async def test_place_is_registered_read_back_and_https(http: httpx2.AsyncClient) -> None:
    registered = await Registered.new(http, {**MINIMAL, "initiate_login_uri": LOGIN})
    assert registered.body["initiate_login_uri"] == LOGIN
    assert (await registered.ask("GET")).json()["initiate_login_uri"] == LOGIN
    plain = {**MINIMAL, "initiate_login_uri": "http://library.example/login"}
    refused = await send(http, plain)
    assert (refused.status_code, refused.json()["error"]) == (400, "invalid_client_metadata")


async def test_services_page_leads_there(runtime: Runtime, visitor: Visitor) -> None:
    await register(runtime, initiate_login_uri=LOGIN)
    await open_account(visitor, runtime)
    await visitor.open("/en/services")
    went = httpx2.URL(visitor.find("#site-1").attributes["href"])
    assert str(went.copy_with(query=None)) == LOGIN
    assert dict(went.params) == {
        "iss": runtime.issuer,
        "target_link_uri": "https://library.example/",
    }
