"""RFC 9701: what a token is worth, signed."""

import httpx2
from joserfc import jwt
from joserfc.jwk import KeySet

from citizen_account.bootstrap import Runtime
from tests.factories import ISSUER, Clock
from tests.relying_party import Party, basic_header
from tests.services import authorize, register

MEDIA = "application/token-introspection+jwt"


async def ask(party: Party, token: str, accept: str = MEDIA) -> httpx2.Response:
    headers = {"Accept": accept, "Authorization": basic_header(party.client_id, party.secret or "")}
    return await party.http.post("/introspect", data={"token": token}, headers=headers)


async def opened(party: Party, answer: httpx2.Response, algorithm: str) -> jwt.Token:
    described = (await party.http.get("/jwks")).json()
    mine = [key for key in described["keys"] if key["alg"] == algorithm]
    return jwt.decode(answer.text, KeySet.import_key_set({"keys": mine}), algorithms=[algorithm])


async def test_5_answer_is_a_jwt_for_who_asks(
    runtime: Runtime, library: Party, clock: Clock
) -> None:
    token = (await library.redeem(await authorize(runtime))).json()["access_token"]
    answer = await ask(library, token)
    assert answer.headers["content-type"] == MEDIA
    assert answer.headers["cache-control"] == "no-store"
    signed = await opened(library, answer, "RS256")
    assert signed.header["typ"] == "token-introspection+jwt"
    plain = (await library.introspect(token)).json()
    assert signed.claims == {
        "iss": ISSUER,
        "aud": "library",
        "iat": int(clock.now.timestamp()),
        "token_introspection": plain,
    }
    assert plain["active"] is True


async def test_5_dead_token_says_no_more_than_that(library: Party) -> None:
    signed = await opened(library, await ask(library, "unknown"), "RS256")
    assert signed.claims["token_introspection"] == {"active": False}
    # Section 8.1: it must not pass as an access token, so it says nothing about itself.
    assert not {"sub", "exp"} & signed.claims.keys()


async def test_6_client_chooses_the_algorithm(runtime: Runtime, library: Party) -> None:
    await register(runtime, introspection_signed_response_alg="ES256")
    assert await opened(library, await ask(library, "unknown"), "ES256")


async def test_4_who_does_not_ask_for_it_gets_json(library: Party) -> None:
    for accept in ("*/*", "application/json", "application/jwt"):
        answer = await ask(library, "unknown", accept)
        assert answer.json() == {"active": False}


async def test_errors_stay_json(library: Party) -> None:
    stranger = Party(library.http, "library", "x" * 40)
    assert (await ask(stranger, "any")).json()["error"] == "invalid_client"
