"""Clients that registered themselves: modules of Basic, and what of the plan Dynamic passes."""

from typing import Any

import httpx2
import pytest

from citizen_account.bootstrap import Runtime
from citizen_account.domain.accounts import AccountId
from citizen_account.domain.registrations import RegistrationMode
from tests.authorizing import Fields, address, allow, sign_in
from tests.factories import ISSUER
from tests.pages import Visitor
from tests.registering import MINIMAL, Registered, opened
from tests.relying_party import Party
from tests.verifying import ALGORITHMS, verified

PLAIN: Fields = {"code_challenge": None, "code_challenge_method": None}
PAGES = {
    "logo_uri": "https://library.example/logo.png",
    "policy_uri": "https://library.example/privacy",
    "tos_uri": "https://library.example/terms",
}


@pytest.fixture
def runtime(runtime: Runtime) -> Runtime:
    """Return a city with the settings of docs/conformance.md."""
    return opened(runtime, RegistrationMode.OPEN, requires_pkce=False)


@pytest.fixture
async def signed_in(runtime: Runtime, http: httpx2.AsyncClient, reader: AccountId) -> AccountId:
    await sign_in(runtime, http, reader)
    return reader


async def flow(
    visitor: Visitor, **metadata: str
) -> tuple[Party, dict[str, Any]]:  # Any: a token response
    """Register, ask and redeem; return the client and its tokens."""
    body = (await Registered.new(visitor.http, {**MINIMAL, **metadata})).body
    party = Party(visitor.http, body["client_id"], body["client_secret"])
    received = await allow(visitor, {**PLAIN, "client_id": party.client_id})
    answer = await party.redeem(received["code"], {"code_verifier": None})
    assert answer.status_code == 200, answer.text
    return party, answer.json()


@pytest.mark.usefixtures("signed_in")
@pytest.mark.parametrize("algorithm", [None, *ALGORITHMS])
async def test_id_token_is_signed_as_registered(visitor: Visitor, algorithm: str | None) -> None:
    """OIDC Registration section 2: who says nothing gets RS256."""
    asked = {} if algorithm is None else {"id_token_signed_response_alg": algorithm}
    party, tokens = await flow(visitor, **asked)
    claims = (await verified(visitor.http, tokens["id_token"], algorithm or "RS256")).claims
    assert (claims["iss"], claims["aud"], claims["nonce"]) == (ISSUER, party.client_id, "a-nonce")


@pytest.mark.usefixtures("signed_in")
@pytest.mark.parametrize("algorithm", ALGORITHMS)
async def test_userinfo_is_signed_as_registered(visitor: Visitor, algorithm: str) -> None:
    party, tokens = await flow(visitor, userinfo_signed_response_alg=algorithm)
    answer = await party.userinfo(tokens["access_token"])
    assert answer.headers["content-type"] == "application/jwt"
    told = (await verified(visitor.http, answer.text, algorithm)).claims
    subject = (await verified(visitor.http, tokens["id_token"])).claims["sub"]
    assert (told["iss"], told["aud"], told["sub"]) == (ISSUER, party.client_id, subject)
    # The suite takes a nonce here for a mistake.
    assert "nonce" not in told


# --- what the table says is not there, so that the table changes with it ---


async def test_what_the_plans_left_out_demand_is_not_offered(http: httpx2.AsyncClient) -> None:
    described = (await http.get("/.well-known/openid-configuration")).json()
    assert described["response_types_supported"] == ["code"]
    assert "implicit" not in described["grant_types_supported"]
    assert described["request_uri_parameter_supported"] is False
    assert "check_session_iframe" not in described


async def test_client_s_pages_are_linked_on_the_consent_page_alone(
    runtime: Runtime, visitor: Visitor, reader: AccountId
) -> None:
    client = await Registered.new(visitor.http, {**MINIMAL, **PAGES})
    await visitor.open(address({**PLAIN, "client_id": client.client_id}))
    assert visitor.path.endswith("/sign-in")
    assert not [page for page in PAGES.values() if page in visitor.last.text]
    await sign_in(runtime, visitor.http, reader)
    await visitor.open(address({**PLAIN, "client_id": client.client_id}))
    linked = {link.attributes["href"] for link in visitor.page.find("a")}
    assert {PAGES["policy_uri"], PAGES["tos_uri"]} <= linked
    # No picture of elsewhere is loaded on any page of ours.
    assert PAGES["logo_uri"] not in {image.attributes["src"] for image in visitor.page.find("img")}
