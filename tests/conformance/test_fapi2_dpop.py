"""fapi2-security-profile-final-dpop-negative-tests: at the resource, where the suite runs it."""

import hmac
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable
from hashlib import sha256
from typing import Any

import httpx2
import pytest
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.hashes import SHA256
from joserfc.jwk import RSAKey

from tests.conformance.fapi_requests import code_of
from tests.factories import ISSUER, Clock
from tests.fapi_party import HighParty
from tests.pages import Visitor
from tests.proofs import Prover
from tests.relying_party import bearer

HOUR = 3600
# RSA, so that a proof by RS256 is wrong for its algorithm alone.
KEY = RSAKey.generate_key(2048)
STRANGER = RSAKey.generate_key(2048)
Header = dict[str, Any]  # Any: a header may hold anything


@pytest.fixture
async def bound(high: HighParty, clock: Clock) -> HighParty:
    """Return the suite's first client, whose tokens are bound to the RSA key."""
    high.prover = Prover(clock, KEY, "PS256")
    return high


@pytest.fixture
async def token(visitor: Visitor, bound: HighParty) -> str:
    tokens = (await bound.redeem(await code_of(visitor, bound))).json()
    assert tokens["token_type"] == "DPoP"
    return str(tokens["access_token"])


def proof(prover: Prover, token: str, header: Header | None = None, **changes: object) -> str:
    return prover.proof("/userinfo", method="GET", token=token, header=header, **changes)


def by_hand(good: str, header: Header, sign: Callable[[bytes], bytes]) -> str:
    """Put another header before a good proof's claims, and sign both; None leaves a member out."""
    head, claims, _ = good.split(".")
    whole = json.loads(urlsafe_b64decode(head + "=" * (-len(head) % 4))) | header
    said = {name: value for name, value in whole.items() if value is not None}
    signed = b".".join([coded(json.dumps(said).encode()), claims.encode()])
    return b".".join([signed, coded(sign(signed))]).decode()


def coded(octets: bytes) -> bytes:
    return urlsafe_b64encode(octets).rstrip(b"=")


def by_ps256(octets: bytes) -> bytes:
    pss = padding.PSS(padding.MGF1(SHA256()), padding.PSS.DIGEST_LENGTH)
    assert KEY.private_key is not None
    return KEY.private_key.sign(octets, pss, SHA256())


def by_hmac(octets: bytes) -> bytes:
    # RFC 8725 section 2.1: the public key taken for a shared secret.
    return hmac.digest(KEY.as_pem(private=False), octets, sha256)


def wrong_proofs(prover: Prover, token: str) -> dict[str, str]:
    """Return proofs for /userinfo, each wrong in one point."""
    now = int(prover.clock.now.timestamp())
    good = proof(prover, token)
    unsigned, signature = good.rsplit(".", 1)
    private = KEY.as_dict(private=True)
    of_stranger = Prover(prover.clock, STRANGER, "PS256", prover.nonce)
    return {
        "not well-formed": unsigned,
        "no typ": proof(prover, token, {"typ": None}),
        "typ": proof(prover, token, {"typ": "dpop+jwt+wrongyousee"}),
        "no alg": by_hand(good, {"alg": None}, by_ps256),
        "alg none": by_hand(good, {"alg": "none"}, lambda _: b""),
        "RS256": proof(prover, token, {"alg": "RS256"}),
        "HS256": by_hand(good, {"alg": "HS256"}, by_hmac),
        "no jwk": proof(prover, token, {"jwk": None}),
        "private key in jwk": proof(prover, token, {"jwk": private}),
        "signature": f"{unsigned}.{('B' if signature[0] == 'A' else 'A')}{signature[1:]}",
        "signature of another key": proof(of_stranger, token, {"jwk": KEY.as_dict(private=False)}),
        "htm": proof(prover, token, htm="PUT"),
        "no htm": proof(prover, token, htm=None),
        "htu": proof(prover, token, htu=f"{ISSUER}/userinfoohnonotagain"),
        "no htu": proof(prover, token, htu=None),
        "no jti": proof(prover, token, jti=None),
        "no iat": proof(prover, token, iat=None),
        "iat an hour ago": proof(prover, token, iat=now - HOUR),
        "iat in an hour": proof(prover, token, iat=now + HOUR),
        # Told to take a nonce the suite would come again, and expect to be served.
        "iat an hour ago, no nonce": proof(prover, token, iat=now - HOUR, nonce=None),
        "iat in an hour, no nonce": proof(prover, token, iat=now + HOUR, nonce=None),
        "no ath": proof(prover, token, ath=None),
        "ath": proof(prover, f"{token}x"),
    }


async def read(bound: HighParty, token: str, *proofs: str, scheme: str = "DPoP") -> httpx2.Response:
    headers = [("Authorization", f"{scheme} {token}"), *(("DPoP", each) for each in proofs)]
    return await bound.http.get("/userinfo", headers=headers)


async def check_refused(
    bound: HighParty, token: str, answer: httpx2.Response, error: str = "invalid_dpop_proof"
) -> None:
    """RFC 9449 section 7.1: 401, and the challenge says why; the token itself is still good."""
    assert (answer.status_code, answer.json()) == (401, {"error": error})
    told = f'DPoP realm="userinfo", error="{error}", algs="PS256 ES256 EdDSA"'
    assert answer.headers["www-authenticate"] == told
    assert (await read(bound, token, proof(bound.prover, token))).status_code == 200


@pytest.mark.parametrize("name", wrong_proofs(Prover(Clock(), KEY, "PS256"), ""))
async def test_wrong_proof_is_refused(bound: HighParty, token: str, name: str) -> None:
    answer = await read(bound, token, wrong_proofs(bound.prover, token)[name])
    await check_refused(bound, token, answer)


async def test_proof_is_good_once(bound: HighParty, token: str) -> None:
    first, again = [proof(bound.prover, token, jti="the-same") for _ in range(2)]
    assert (await read(bound, token, first)).status_code == 200
    await check_refused(bound, token, await read(bound, token, again))


async def test_two_headers_are_refused(bound: HighParty, token: str) -> None:
    proofs = [proof(bound.prover, token) for _ in range(2)]
    await check_refused(bound, token, await read(bound, token, *proofs))


async def test_proof_of_another_key_is_refused(bound: HighParty, token: str, clock: Clock) -> None:
    stranger = Prover(clock, STRANGER, "PS256", bound.prover.nonce)
    answer = await read(bound, token, proof(stranger, token))
    await check_refused(bound, token, answer, "invalid_token")


async def test_token_without_a_proof_is_refused(bound: HighParty, token: str) -> None:
    await check_refused(bound, token, await read(bound, token))


async def test_bound_token_is_no_bearer_token(bound: HighParty, token: str) -> None:
    """RFC 9449 section 7.2: by the scheme Bearer it opens nothing, with a proof or without."""
    for proofs in ((), (proof(bound.prover, token),)):
        answer = await read(bound, token, *proofs, scheme="Bearer")
        assert answer.status_code == 401
        # The challenge of the scheme that was tried says why.
        told = 'Bearer realm="userinfo", error="invalid_token"'
        assert answer.headers["www-authenticate"] == told
    assert (await bound.http.get("/userinfo", headers=bearer(token))).status_code == 401


FINE: dict[str, dict[str, Any]] = {  # Any: changes of a proof
    "more in the header": {"header": {"tx_id": 1}},
    "more among the claims": {"tx_id_key": 1},
    "htu with query and fragment": {"htu": f"{ISSUER}/userinfo?all#the-doors"},
    "htu in capitals": {"htu": "HTTPS://ACCOUNT.CITY.EXAMPLE/userinfo"},
    "htu with its port": {"htu": f"{ISSUER}:443/userinfo"},
}


@pytest.mark.parametrize("name", FINE)
async def test_difference_that_does_not_count_is_accepted(
    bound: HighParty, token: str, name: str
) -> None:
    good = proof(bound.prover, token, **FINE[name])
    assert (await read(bound, token, good)).status_code == 200
