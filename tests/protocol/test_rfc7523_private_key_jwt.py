"""RFC 7523 section 2.2: a client proves itself with a key of its own."""

import asyncio
from uuid import uuid4

import httpx2
import pytest
from joserfc import jwt
from joserfc.jwk import ECKey

from citizen_account.bootstrap import Runtime
from tests.factories import ISSUER, Clock
from tests.relying_party import Party
from tests.services import authorize, register

KEY = ECKey.generate_key("P-256")
TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


@pytest.fixture
async def signer(runtime: Runtime, library: Party) -> Party:
    """Return the library, registered again with a key."""
    await register(
        runtime,
        client_secret=None,
        token_endpoint_auth_method="private_key_jwt",
        jwks={"keys": [{**KEY.as_dict(private=False), "kid": "1"}]},
        grant_types=["authorization_code", "refresh_token", "client_credentials"],
        scope="openid profile email cases.read",
    )
    return Party(library.http, "library")


def proof(clock: Clock, jti: str | None = None) -> dict[str, str]:
    now = clock.now.timestamp()
    claims: dict[str, object] = {
        "iss": "library",
        "sub": "library",
        "aud": ISSUER,
        "iat": now,
        "exp": now + 60,
        "jti": jti or uuid4().hex,
    }
    signed = jwt.encode({"alg": "ES256", "kid": "1"}, claims, KEY)
    return {"client_assertion": signed, "client_assertion_type": TYPE}


def error_of(answer: httpx2.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["error"]


async def test_key_opens_every_endpoint(runtime: Runtime, signer: Party, clock: Clock) -> None:
    redeemed = await signer.redeem(await authorize(runtime), proof(clock))
    assert redeemed.status_code == 200
    token = redeemed.json()["refresh_token"]
    assert (await signer.introspect(token, proof(clock))).json()["active"]
    assert (await signer.refresh(token, proof(clock))).status_code == 200
    assert (await signer.ask_for_itself(proof(clock))).status_code == 200
    assert (await signer.revoke(token, proof(clock))).status_code == 200


async def test_client_id_beside_the_assertion_may_be_left_out(signer: Party, clock: Clock) -> None:
    fields = {"grant_type": "client_credentials", **proof(clock)}
    assert (await signer.http.post("/token", data=fields)).status_code == 200


async def test_3_7_assertion_is_good_once(signer: Party, clock: Clock) -> None:
    used = proof(clock)
    assert (await signer.ask_for_itself(used)).status_code == 200
    assert error_of(await signer.ask_for_itself(used)) == (400, "invalid_client")
    assert error_of(await signer.introspect("any", used)) == (400, "invalid_client")


async def test_3_7_assertion_is_used_up_by_a_refused_request_too(
    signer: Party, clock: Clock
) -> None:
    used = proof(clock)
    assert error_of(await signer.redeem("unknown", used)) == (400, "invalid_grant")
    assert error_of(await signer.ask_for_itself(used)) == (400, "invalid_client")


async def test_3_7_of_many_at_once_one_passes(signer: Party, clock: Clock) -> None:
    used = proof(clock)
    answers = await asyncio.gather(*(signer.ask_for_itself(used) for _ in range(8)))
    assert sorted(answer.status_code for answer in answers) == [200, *[400] * 7]


async def test_other_client_may_use_the_same_jti(
    runtime: Runtime, signer: Party, clock: Clock
) -> None:
    await register(
        runtime,
        client_id="machine",
        client_secret=None,
        token_endpoint_auth_method="private_key_jwt",
        jwks={"keys": [KEY.as_dict(private=False)]},
        redirect_uris=[],
        grant_types=["client_credentials"],
        scope="cases.read",
    )
    assert (await signer.ask_for_itself(proof(clock, "same"))).status_code == 200
    now = clock.now.timestamp()
    claims = {"iss": "machine", "sub": "machine", "aud": ISSUER, "exp": now + 60, "jti": "same"}
    signed = jwt.encode({"alg": "ES256"}, claims, KEY)
    fields = {"client_assertion": signed, "client_assertion_type": TYPE}
    assert (await Party(signer.http, "machine").ask_for_itself(fields)).status_code == 200


async def test_old_secret_opens_nothing(signer: Party) -> None:
    guess = Party(signer.http, "library", "x" * 40)
    assert error_of(await guess.ask_for_itself()) == (401, "invalid_client")
