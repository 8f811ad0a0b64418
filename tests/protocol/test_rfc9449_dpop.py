"""RFC 9449: tokens that only the holder of a key can use."""

import asyncio
from datetime import timedelta
from typing import Any

import httpx2
import pytest
from joserfc.jwk import ECKey, OctKey, OKPKey, RSAKey

from citizen_account.bootstrap import Runtime
from citizen_account.domain.accounts import AccountId
from tests.authorizing import address, allow, answer_in, sign_in
from tests.factories import ISSUER, Clock
from tests.pages import Visitor
from tests.proofs import Prover, SigningKey, code_fields, send_proven
from tests.relying_party import Party, bearer
from tests.services import authorize, register

CLICKS = 16


@pytest.fixture
def prover(clock: Clock) -> Prover:
    return Prover(clock)


@pytest.fixture
async def token(runtime: Runtime, library: Party, prover: Prover) -> str:
    """Return an access token that is bound to the prover's key."""
    fields = code_fields(await authorize(runtime))
    answer = await send_proven(library, fields, prover.proof("/token"))
    assert answer.json()["token_type"] == "DPoP"
    return str(answer.json()["access_token"])


def error_of(answer: httpx2.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["error"]


async def opens(library: Party, headers: dict[str, str]) -> int:
    return (await library.http.get("/userinfo", headers=headers)).status_code


# --- Section 5: asking for tokens ---


@pytest.mark.parametrize(
    ("key", "algorithm"),
    [
        (ECKey.generate_key("P-256"), "ES256"),
        (RSAKey.generate_key(2048), "PS256"),
        (OKPKey.generate_key("Ed25519"), "EdDSA"),
    ],
    ids=["ES256", "PS256", "EdDSA"],
)
async def test_5_token_is_bound_to_the_key_of_the_proof(
    runtime: Runtime, library: Party, clock: Clock, key: SigningKey, algorithm: str
) -> None:
    prover = Prover(clock, key, algorithm)
    fields = code_fields(await authorize(runtime))
    answer = await send_proven(library, fields, prover.proof("/token"))
    assert (answer.status_code, answer.json()["token_type"]) == (200, "DPoP")
    described = (await library.introspect(answer.json()["access_token"])).json()
    # Section 6.2.
    assert described["cnf"] == {"jkt": prover.thumbprint}
    assert described["token_type"] == "DPoP"


def other_than(prover: Prover) -> dict[str, str]:
    """Return proofs for /token, each wrong in one point of section 4.3."""
    stranger = ECKey.generate_key("P-256")
    secret = OctKey.generate_key(256)
    now = prover.clock.now.timestamp()
    private = prover.key.as_dict(private=True)
    good = prover.proof("/token")
    return {
        "no JWT": "rubbish",
        "two in one header": f"{good},{good}",
        "typ": prover.proof("/token", header={"typ": "JWT"}),
        "private key": prover.proof("/token", header={"jwk": private}),
        "key of another": prover.proof("/token", header={"jwk": stranger.as_dict(private=False)}),
        "secret key": prover.proof("/token", header={"jwk": secret.as_dict()}),
        "no key": prover.proof("/token", header={"jwk": {"kty": "EC"}}),
        "no jti": prover.proof("/token", jti=None),
        "jti a number": prover.proof("/token", jti=5),
        "no htm": prover.proof("/token", htm=None),
        "htm": prover.proof("/token", method="GET"),
        "htm in small letters": prover.proof("/token", method="post"),
        "no htu": prover.proof("/token", htu=None),
        "htu": prover.proof("/userinfo"),
        "htu of another server": prover.proof("https://evil.example/token"),
        "htu with a bad port": prover.proof("https://account.city.example:x/token"),
        "no iat": prover.proof("/token", iat=None),
        "iat true": prover.proof("/token", iat=True),
        "iat 61 s ago": prover.proof("/token", iat=now - 61),
        "iat in 61 s": prover.proof("/token", iat=now + 61),
        "expired": prover.proof("/token", exp=now - 60),
        "not yet": prover.proof("/token", nbf=now + 61),
        "altered": good[:-4] + ("AAAA" if not good.endswith("AAAA") else "BBBB"),
        "alg none": "eyJ0eXAiOiJkcG9wK2p3dCIsImFsZyI6Im5vbmUifQ.e30.",
    }


WRONG = sorted(other_than(Prover(Clock())))


@pytest.mark.parametrize("name", WRONG)
async def test_4_3_wrong_proof_is_refused(
    runtime: Runtime, library: Party, prover: Prover, name: str
) -> None:
    fields = code_fields(await authorize(runtime))
    answer = await send_proven(library, fields, other_than(prover)[name])
    assert error_of(answer) == (400, "invalid_dpop_proof")
    # The code is as good as before: who brings the right proof gets the tokens.
    assert (await send_proven(library, fields, prover.proof("/token"))).status_code == 200


async def test_4_3_1_two_headers_are_refused(
    runtime: Runtime, library: Party, prover: Prover
) -> None:
    proofs = (prover.proof("/token"), prover.proof("/token"))
    answer = await send_proven(library, code_fields(await authorize(runtime)), *proofs)
    assert error_of(answer) == (400, "invalid_dpop_proof")


@pytest.mark.parametrize(
    "changes",
    [
        {"htu": "HTTPS://ACCOUNT.city.example:443/token?a=b#c"},
        {"htu": f"{ISSUER}/tok%65n"},
        {"iat": 10},
        {"iat": -10},
        {"exp": 60, "nbf": 0},
    ],
    ids=str,
)
async def test_4_3_proof_that_differs_in_nothing_that_counts_is_accepted(
    runtime: Runtime, library: Party, prover: Prover, changes: dict[str, Any]
) -> None:  # Any: texts and numbers
    now = int(prover.clock.now.timestamp())
    said = {name: now + value if name != "htu" else value for name, value in changes.items()}
    fields = code_fields(await authorize(runtime))
    assert (await send_proven(library, fields, prover.proof("/token", **said))).status_code == 200


async def test_5_2_registered_client_gets_bound_tokens_only(
    runtime: Runtime, library: Party, prover: Prover
) -> None:
    await register(runtime, dpop_bound_access_tokens=True)
    code = await authorize(runtime)
    assert error_of(await library.redeem(code)) == (400, "invalid_request")
    answer = await send_proven(library, code_fields(code), prover.proof("/token"))
    refresh_token = answer.json()["refresh_token"]
    assert error_of(await library.refresh(refresh_token)) == (400, "invalid_request")
    fields = {"grant_type": "refresh_token", "refresh_token": refresh_token}
    for _ in range(2):
        # FAPI 2.0 section 5.3.2.1 clause 9: not rotated.
        again = await send_proven(library, fields, prover.proof("/token"))
        assert (again.status_code, again.json()["token_type"]) == (200, "DPoP")


async def test_5_confidential_client_may_take_a_new_key_but_no_bearer_token(
    runtime: Runtime, library: Party, prover: Prover, clock: Clock
) -> None:
    fields = code_fields(await authorize(runtime))
    answer = await send_proven(library, fields, prover.proof("/token"))
    token = answer.json()["refresh_token"]
    assert error_of(await library.refresh(token)) == (400, "invalid_grant")
    fields = {"grant_type": "refresh_token", "refresh_token": token}
    new = Prover(clock)
    renewed = await send_proven(library, fields, new.proof("/token"))
    described = (await library.introspect(renewed.json()["access_token"])).json()
    assert described["cnf"] == {"jkt": new.thumbprint}


async def test_5_refresh_token_of_a_public_client_is_bound_to_the_key(
    runtime: Runtime, library: Party, prover: Prover, clock: Clock
) -> None:
    await register(runtime, token_endpoint_auth_method="none", client_secret=None)
    public = Party(library.http, "library")
    fields = code_fields(await authorize(runtime))
    answer = await send_proven(public, fields, prover.proof("/token"))
    fields = {"grant_type": "refresh_token", "refresh_token": answer.json()["refresh_token"]}
    other = await send_proven(public, fields, Prover(clock).proof("/token"))
    assert error_of(other) == (400, "invalid_grant")
    rotated = await send_proven(public, fields, prover.proof("/token"))
    assert rotated.json()["refresh_token"] != fields["refresh_token"]


async def test_5_client_s_own_token_is_bound_too(
    runtime: Runtime, library: Party, prover: Prover
) -> None:
    await register(
        runtime, grant_types=["client_credentials"], redirect_uris=[], scope="cases.read"
    )
    fields = {"grant_type": "client_credentials"}
    answer = await send_proven(library, fields, prover.proof("/token"))
    described = (await library.introspect(answer.json()["access_token"])).json()
    assert described["cnf"] == {"jkt": prover.thumbprint}


# --- Section 7: using tokens ---


@pytest.mark.parametrize("scheme", ["DPoP", "dpop", "DPOP"])
async def test_7_1_proof_opens_userinfo(
    library: Party, prover: Prover, token: str, scheme: str
) -> None:
    headers = prover.headers("/userinfo", token)
    assert await opens(library, {**headers, "Authorization": f"{scheme} {token}"}) == 200


async def test_7_1_proof_opens_the_api(library: Party, prover: Prover, token: str) -> None:
    path = "/api/v1/me/permission"
    headers = prover.headers(path, token)
    # The invented grant has no consent behind it: 403 comes after the token was accepted.
    assert (await library.http.get(path, headers=headers)).status_code == 403
    refused = await library.http.get(path, headers=headers)
    assert refused.status_code == 401
    assert 'error="invalid_dpop_proof"' in refused.headers["www-authenticate"]


async def test_7_2_bound_token_is_no_bearer_token(library: Party, token: str) -> None:
    answer = await library.http.get("/userinfo", headers=bearer(token))
    assert answer.status_code == 401
    assert 'error="invalid_token"' in answer.headers["www-authenticate"]
    posted = await library.http.post("/userinfo", data={"access_token": token})
    assert posted.status_code == 401
    assert (
        await library.http.get("/api/v1/me/permission", headers=bearer(token))
    ).status_code == 401


async def test_7_1_bearer_token_is_no_bound_token(
    runtime: Runtime, library: Party, prover: Prover
) -> None:
    token = (await library.redeem(await authorize(runtime))).json()["access_token"]
    assert await opens(library, prover.headers("/userinfo", token)) == 401


async def test_7_1_token_without_proof_or_with_another_s_opens_nothing(
    library: Party, prover: Prover, token: str, clock: Clock
) -> None:
    answer = await library.http.get("/userinfo", headers={"Authorization": f"DPoP {token}"})
    assert answer.headers["www-authenticate"] == (
        'DPoP realm="userinfo", error="invalid_dpop_proof", algs="PS256 ES256 EdDSA"'
    )
    assert await opens(library, Prover(clock).headers("/userinfo", token)) == 401
    # Section 4.3 point 12: the proof is for this very token.
    assert await opens(library, prover.headers("/userinfo", token, ath="x" * 43)) == 401
    assert await opens(library, prover.headers("/userinfo", token, ath=None)) == 401
    assert await opens(library, prover.headers("/token", token)) == 401
    assert await opens(library, prover.headers("/userinfo", token)) == 200


# --- Section 8: nonces ---


async def test_8_answer_to_a_proof_brings_the_next_nonce(
    runtime: Runtime, library: Party, prover: Prover, clock: Clock
) -> None:
    fields = code_fields(await authorize(runtime))
    prover.nonce = "of another server"
    refused = await send_proven(library, fields, prover.proof("/token"))
    assert error_of(refused) == (400, "use_dpop_nonce")
    prover.nonce = refused.headers["dpop-nonce"]
    given = await send_proven(library, fields, prover.proof("/token"))
    assert given.status_code == 200
    clock.now += timedelta(minutes=5)
    token = given.json()["access_token"]
    late = await library.http.get("/userinfo", headers=prover.headers("/userinfo", token))
    # Section 9.
    assert 'error="use_dpop_nonce"' in late.headers["www-authenticate"]
    prover.nonce = late.headers["dpop-nonce"]
    assert await opens(library, prover.headers("/userinfo", token)) == 200


async def test_8_who_sends_no_proof_hears_of_no_nonce(runtime: Runtime, library: Party) -> None:
    answer = await library.redeem(await authorize(runtime))
    assert "dpop-nonce" not in answer.headers


# --- Section 10: the code is for a key ---


async def test_10_code_is_for_the_key_of_the_request(
    runtime: Runtime, library: Party, reader: AccountId, visitor: Visitor, prover: Prover
) -> None:
    await sign_in(runtime, library.http, reader)
    code = (await allow(visitor, {"dpop_jkt": prover.thumbprint}))["code"]
    assert error_of(await library.redeem(code)) == (400, "invalid_grant")
    stolen = await send_proven(library, code_fields(code), Prover(prover.clock).proof("/token"))
    assert error_of(stolen) == (400, "invalid_grant")
    ours = await send_proven(library, code_fields(code), prover.proof("/token"))
    assert ours.json()["token_type"] == "DPoP"


async def test_10_malformed_thumbprint_is_refused(
    runtime: Runtime, library: Party, reader: AccountId
) -> None:
    await sign_in(runtime, library.http, reader)
    answer = await library.http.get(address({"dpop_jkt": "short"}))
    assert answer_in(answer.headers["location"])["error"] == "invalid_request"


# --- Section 11.1: replay ---


async def test_11_1_proof_is_good_once(
    runtime: Runtime, library: Party, prover: Prover, token: str
) -> None:
    headers = prover.headers("/userinfo", token)
    assert await opens(library, headers) == 200
    assert await opens(library, headers) == 401
    proof = prover.proof("/token")
    fields = code_fields(await authorize(runtime))
    assert (await send_proven(library, fields, proof)).status_code == 200
    replayed = await send_proven(library, code_fields(await authorize(runtime)), proof)
    assert error_of(replayed) == (400, "invalid_dpop_proof")


async def test_11_1_another_key_may_use_the_same_jti(
    library: Party, prover: Prover, token: str, runtime: Runtime, clock: Clock
) -> None:
    assert await opens(library, prover.headers("/userinfo", token, jti="same")) == 200
    proof = Prover(clock).proof("/token", jti="same")
    fields = code_fields(await authorize(runtime))
    assert (await send_proven(library, fields, proof)).status_code == 200


@pytest.mark.slow
async def test_11_1_of_many_at_once_one_passes(library: Party, prover: Prover, token: str) -> None:
    for _ in range(3):
        headers = prover.headers("/userinfo", token)
        answers = await asyncio.gather(*(opens(library, headers) for _ in range(CLICKS)))
        assert sorted(answers) == [200, *[401] * (CLICKS - 1)]
