"""RFC 9068: an API that asks for it gets access tokens that it reads by itself."""

from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import KeySet

from citizen_account.bootstrap import Runtime
from citizen_account.domain.grants import GrantEnd
from citizen_account.security.tokens import digest
from tests.authorizing import address, answer_of
from tests.factories import ISSUER, Clock
from tests.proofs import Prover, code_fields, send_proven
from tests.relying_party import Party
from tests.resource_servers import PARKING, register_api
from tests.services import authorize


async def issued(runtime: Runtime, library: Party) -> dict[str, Any]:  # Any: a token response
    code = await authorize(runtime, scope="openid parking.read", resources=(PARKING,))
    tokens: dict[str, Any] = (await library.redeem(code)).json()  # Any: as above
    return tokens


async def read(library: Party, token: str, algorithm: str = "ES256") -> jwt.Token:
    published = KeySet.import_key_set((await library.http.get("/jwks")).json())
    return jwt.decode(token, published, algorithms=[algorithm])


@pytest.mark.usefixtures("parking")
async def test_2_2_token_says_who_allowed_what_to_whom(
    runtime: Runtime, library: Party, clock: Clock
) -> None:
    tokens = await issued(runtime, library)
    token = await read(library, tokens["access_token"])
    now = int(clock.now.timestamp())
    # Section 2.1: the type keeps it from passing for an ID token.
    assert token.header["typ"] == "at+jwt"
    id_token = (await read(library, tokens["id_token"], "RS256")).claims
    assert token.claims == {
        "iss": ISSUER,
        "aud": PARKING,
        "sub": id_token["sub"],
        "client_id": "library",
        "iat": now,
        "exp": now + 600,
        "jti": token.claims["jti"],
        "scope": "parking.read",
        "auth_time": now,
        "acr": "http://eidas.europa.eu/LoA/low",
        "amr": ["pwd"],
    }
    assert (
        token.claims["jti"]
        != (await read(library, (await issued(runtime, library))["access_token"])).claims["jti"]
    )


@pytest.mark.usefixtures("parking")
async def test_2_2_client_s_own_token_names_the_client(library: Party) -> None:
    asked = {"scope": "parking.read", "resource": PARKING}
    answer = (await library.ask_for_itself(asked)).json()
    claims = (await read(library, answer["access_token"])).claims
    # Section 5: no client's id looks like a resident's `sub`.
    assert (claims["sub"], claims["client_id"]) == ("library", "library")
    assert not claims.keys() & {"auth_time", "acr", "amr", "cnf"}


@pytest.mark.usefixtures("parking")
async def test_2_1_resource_server_chooses_the_algorithm(runtime: Runtime, library: Party) -> None:
    await register_api(runtime, access_token_format="jwt", access_token_signing_alg="RS256")
    tokens = await issued(runtime, library)
    token = await read(library, tokens["access_token"], "RS256")
    assert token.header["alg"] == "RS256"


@pytest.mark.usefixtures("parking")
async def test_rfc9449_6_1_bound_token_names_its_key(
    runtime: Runtime, library: Party, clock: Clock
) -> None:
    prover = Prover(clock)
    code = await authorize(runtime, scope="openid parking.read", resources=(PARKING,))
    answer = (await send_proven(library, code_fields(code), prover.proof("/token"))).json()
    assert answer["token_type"] == "DPoP"
    claims = (await read(library, answer["access_token"])).claims
    assert claims["cnf"] == {"jkt": prover.thumbprint}


async def test_stored_token_is_the_issued_one(
    runtime: Runtime, library: Party, parking: Party
) -> None:
    token = (await issued(runtime, library))["access_token"]
    claims = (await read(library, token)).claims
    async with runtime.database.read() as uow:
        stored = await uow.grants.find_token(digest(token))
    assert stored is not None
    assert stored.token.resource == claims["aud"]
    assert int(stored.token.expires_at.timestamp()) == claims["exp"]
    described = (await parking.introspect(token)).json()
    assert described == {
        "active": True,
        "token_type": "Bearer",
        **{name: value for name, value in claims.items() if name not in {"jti", "amr"}},
    }


async def test_rfc7009_2_1_revoked_token_is_dead_to_who_asks(
    runtime: Runtime, library: Party, parking: Party
) -> None:
    token = (await issued(runtime, library))["access_token"]
    # A resource server reads tokens; it takes none back.
    await parking.revoke(token)
    assert (await parking.introspect(token)).json()["active"] is True
    await library.revoke(token)
    assert (await parking.introspect(token)).json() == {"active": False}


async def test_withdrawn_grant_is_dead_to_who_asks(
    runtime: Runtime, library: Party, parking: Party
) -> None:
    token = (await issued(runtime, library))["access_token"]
    async with runtime.database.begin() as uow:
        stored = await uow.grants.find_token(digest(token))
        assert stored is not None
        await uow.grants.end(stored.grant.id, GrantEnd.CONSENT_WITHDRAWN, uow.now)
    assert (await parking.introspect(token)).json() == {"active": False}


@pytest.mark.usefixtures("parking")
async def test_4_forged_token_is_nothing(runtime: Runtime, library: Party) -> None:
    token = (await issued(runtime, library))["access_token"]
    forged = f"{token[:-4]}AAAA"
    assert (await library.introspect(forged)).json() == {"active": False}
    assert (await library.userinfo(forged)).status_code == 401


@pytest.mark.usefixtures("parking")
async def test_rfc8725_3_11_access_token_is_no_hint(runtime: Runtime, library: Party) -> None:
    """RFC 8725 section 3.11: signed by the same keys, and of another type."""
    token = (await issued(runtime, library))["access_token"]
    refused = answer_of(await library.http.get(address({"id_token_hint": token})))
    assert refused["error"] == "invalid_request"
