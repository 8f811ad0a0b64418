"""JWT Secured Authorization Response Mode: the answer is signed for the client alone."""

import json
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from joserfc import jwt
from joserfc.jwk import KeySet

from citizen_account.bootstrap import Runtime
from citizen_account.domain.accounts import AccountId
from tests.authorizing import address, sign_in
from tests.factories import ISSUER, Clock
from tests.pages import Visitor
from tests.relying_party import Party
from tests.services import register


async def opened(library: Party, response: str, algorithm: str = "RS256") -> dict[str, Any]:
    """Return what the answer says, once its signature is proven by the published keys."""
    described = (await library.http.get("/jwks")).json()
    keys = KeySet.import_key_set(
        {"keys": [key for key in described["keys"] if key["alg"] == algorithm]}
    )
    token = jwt.decode(response, keys, algorithms=[algorithm])
    assert token.header["alg"] == algorithm
    return dict(token.claims)


def response_in(location: str | None) -> str:
    """Return the only parameter of a signed answer (section 2.3.1)."""
    fields = parse_qs(urlsplit(location or "").query)
    assert list(fields) == ["response"], location
    return fields["response"][0]


@pytest.fixture
async def resident(runtime: Runtime, library: Party, reader: AccountId) -> AccountId:
    """Return a resident whose browser is signed in."""
    await sign_in(runtime, library.http, reader)
    return reader


@pytest.mark.usefixtures("resident")
@pytest.mark.parametrize("mode", ["jwt", "query.jwt"])
async def test_2_1_code_comes_in_a_jwt_for_the_client(
    library: Party, visitor: Visitor, clock: Clock, mode: str
) -> None:
    await visitor.open(address({"response_mode": mode}))
    await visitor.press("#allow")
    claims = await opened(library, response_in(visitor.left_for))
    code, now = claims.pop("code"), int(clock.now.timestamp())
    assert claims == {
        "iss": ISSUER,
        "aud": "library",
        "exp": now + 600,
        "iat": now,
        "state": "a-state",
    }
    assert (await library.redeem(code)).status_code == 200


@pytest.mark.usefixtures("resident")
async def test_2_3_form_post_carries_the_jwt(library: Party, visitor: Visitor) -> None:
    await visitor.open(address({"response_mode": "form_post.jwt"}))
    await visitor.press("#allow")
    form = visitor.find("#form-post")
    [field] = [each for each in form.find("input") if each.attributes.get("type") == "hidden"]
    assert field.attributes["name"] == "response"
    assert "code" in await opened(library, field.attributes["value"])


async def test_2_1_error_comes_in_a_jwt_too(library: Party) -> None:
    answer = await library.http.get(address({"response_mode": "jwt", "prompt": "none"}))
    claims = await opened(library, response_in(answer.headers["location"]))
    assert (claims["error"], claims["iss"], claims["aud"]) == ("login_required", ISSUER, "library")


@pytest.mark.parametrize("algorithm", ["PS256", "ES256"])
async def test_3_client_chooses_the_algorithm(
    runtime: Runtime, library: Party, algorithm: str
) -> None:
    await register(runtime, authorization_signed_response_alg=algorithm)
    answer = await library.http.get(address({"response_mode": "jwt", "prompt": "none"}))
    assert await opened(library, response_in(answer.headers["location"]), algorithm)


async def test_4_metadata_names_modes_and_algorithms(library: Party) -> None:
    described = json.loads((await library.http.get("/.well-known/openid-configuration")).text)
    assert {"jwt", "query.jwt", "form_post.jwt"} <= set(described["response_modes_supported"])
    assert described["authorization_signing_alg_values_supported"] == [
        "RS256",
        "PS256",
        "ES256",
        "EdDSA",
    ]


async def test_mode_of_a_fragment_is_refused(library: Party) -> None:
    answer = await library.http.get(address({"response_mode": "fragment.jwt"}))
    assert "error=invalid_request" in answer.headers["location"]
