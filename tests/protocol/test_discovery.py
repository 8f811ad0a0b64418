"""OpenID Connect Discovery 1.0 and RFC 8414: the provider says what works, and nothing else."""

import json
from typing import Any

import httpx2
import pytest
from cryptography.hazmat.primitives.serialization import load_der_private_key
from joserfc.util import urlsafe_b64decode
from sqlalchemy import select

from citizen_account.bootstrap import Runtime
from citizen_account.domain.keys import (
    KEY_KINDS,
    PUBLISH_LEAD,
    RETIREMENT,
    RING_CACHE,
)
from citizen_account.storage.keys import KeyRow
from citizen_account.usecases.keys import AlreadyRotating, rotate_keys
from tests.factories import ISSUER, Clock
from tests.relying_party import Party
from tests.services import authorize

OPENID = "/.well-known/openid-configuration"
OAUTH = "/.well-known/oauth-authorization-server"


@pytest.fixture
async def described(http: httpx2.AsyncClient) -> dict[str, Any]:
    answer = await http.get(OPENID)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"
    assert "max-age" in answer.headers["cache-control"]
    document: dict[str, Any] = answer.json()
    return document


async def test_both_documents_are_one(http: httpx2.AsyncClient, described: dict[str, Any]) -> None:
    assert (await http.get(OAUTH)).json() == described


async def test_3_issuer_is_exact_and_every_address_is_ours(described: dict[str, Any]) -> None:
    assert described["issuer"] == ISSUER
    addresses = [value for name, value in described.items() if name.endswith(("_endpoint", "_uri"))]
    assert len(addresses) == 8
    assert all(address.startswith(f"{ISSUER}/") for address in addresses)


async def test_every_endpoint_exists(http: httpx2.AsyncClient, described: dict[str, Any]) -> None:
    for name, address in described.items():
        if name.endswith(("_endpoint", "_uri")):
            answer = await http.post(address)
            assert answer.status_code != 404, name


async def test_what_openid_connect_requires_is_there(described: dict[str, Any]) -> None:
    assert "openid" in described["scopes_supported"]
    assert described["response_types_supported"] == ["code"]
    assert described["response_modes_supported"] == [
        "query",
        "form_post",
        "jwt",
        "query.jwt",
        "form_post.jwt",
    ]
    assert described["code_challenge_methods_supported"] == ["S256"]
    assert described["subject_types_supported"] == ["pairwise", "public"]
    assert described["id_token_signing_alg_values_supported"] == [
        "RS256",
        "PS256",
        "ES256",
        "EdDSA",
    ]
    assert described["dpop_signing_alg_values_supported"] == ["PS256", "ES256", "EdDSA"]
    assert described["authorization_response_iss_parameter_supported"] is True
    assert described["backchannel_logout_supported"] is True
    assert described["backchannel_logout_session_supported"] is True
    assert described["claims_parameter_supported"] is True
    assert described["request_parameter_supported"] is False
    assert described["request_uri_parameter_supported"] is False
    assert "create" in described["prompt_values_supported"]
    assert described["ui_locales_supported"] == ["sk", "en"]
    assert len(described["acr_values_supported"]) == 3


async def test_each_advertised_grant_type_is_known_and_no_other(
    library: Party, described: dict[str, Any]
) -> None:
    for grant_type in (*described["grant_types_supported"], "password", "implicit"):
        answer = await library.send("/token", {"grant_type": grant_type})
        is_known = answer.json()["error"] != "unsupported_grant_type"
        assert is_known == (grant_type in described["grant_types_supported"])


async def test_no_algorithm_without_a_key_is_advertised(
    http: httpx2.AsyncClient, described: dict[str, Any]
) -> None:
    keys = (await http.get("/jwks")).json()["keys"]
    assert {key["alg"] for key in keys} == set(described["id_token_signing_alg_values_supported"])
    assert not {"none", "HS256"} & set(
        described["token_endpoint_auth_signing_alg_values_supported"]
    )


async def kids(http: httpx2.AsyncClient) -> set[str]:
    answer = await http.get("/jwks")
    assert "max-age=300" in answer.headers["cache-control"]
    return {key["kid"] for key in answer.json()["keys"]}


async def test_rotation_publishes_first_signs_later_and_retires_last(
    runtime: Runtime, library: Party, clock: Clock
) -> None:
    async def signing_kid() -> str:
        issued = (await library.redeem(await authorize(runtime))).json()
        header = issued["id_token"].split(".")[0]
        return str(_decoded(header)["kid"])

    old_kids, old = await kids(library.http), await signing_kid()
    async with runtime.database.begin() as uow:
        await rotate_keys(uow)
        assert all(isinstance(each, AlreadyRotating) for each in await rotate_keys(uow))
    clock.now += RING_CACHE
    both = await kids(library.http)
    assert len(both) == 2 * len(KEY_KINDS)
    assert old_kids < both
    assert await signing_kid() == old
    clock.now += PUBLISH_LEAD
    assert await signing_kid() in both - old_kids
    assert await kids(library.http) == both
    clock.now += RETIREMENT
    assert await kids(library.http) == both - old_kids


async def test_private_parts_are_sealed_at_rest(runtime: Runtime) -> None:
    ring = await runtime.keys.load()
    async with runtime.database.engines.reader.connect() as connection:
        rows = (await connection.execute(select(KeyRow.private_key))).scalars().all()
    assert len(rows) == len(json.loads(ring.jwks)["keys"]) == len(KEY_KINDS)
    for row in rows:
        # PKCS 8 in DER begins with a sequence; what is kept begins otherwise, and opens to no key.
        with pytest.raises(ValueError, match=r"deserialize|parse"):
            load_der_private_key(row, password=None)


def _decoded(part: str) -> dict[str, Any]:
    decoded: dict[str, Any] = json.loads(urlsafe_b64decode(part.encode()))
    return decoded
