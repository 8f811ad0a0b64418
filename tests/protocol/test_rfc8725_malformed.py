"""RFC 8725: a malformed JWT is refused wherever one is read, and nobody falls over it."""

import json
from collections.abc import Awaitable, Callable, Mapping
from uuid import uuid4

import httpx2
import pytest
from joserfc.jwk import ECKey, OKPKey

from citizen_account.bootstrap import Runtime
from citizen_account.domain.accounts import AccountId
from citizen_account.domain.keys import KeyUse
from citizen_account.domain.registrations import RegistrationMode
from citizen_account.security.strict_json import MAX_DEPTH, read_object
from citizen_account.upstream.errors import UpstreamRefusedError
from citizen_account.upstream.id_tokens import Expected, check_signature
from tests.authorizing import address, request_fields
from tests.factories import ISSUER, Clock
from tests.fapi_party import TYPE, HighParty
from tests.malformed_jwts import CHANGES, Change, sign, unchanged
from tests.proofs import Prover, code_fields, half_hash, send_proven
from tests.registering import MINIMAL, opened, send
from tests.relying_party import Party
from tests.services import authorize, register

Ask = Callable[[Change], Awaitable[httpx2.Response]]
"""Sends a JWT with that change, where one is read."""
REFUSALS = frozenset(
    {"invalid_client", "invalid_request", "invalid_request_object", "invalid_dpop_proof"}
)
P256 = ECKey.generate_key("P-256").as_dict(private=False)
ED25519 = OKPKey.generate_key("Ed25519").as_dict(private=False)
BAD_KEYS: Mapping[str, tuple[str, dict[str, object]]] = {
    "unknown curve": ("ES256", {**P256, "crv": "nope"}),
    "curve of another kind": ("ES256", {**P256, "crv": "P-521"}),
    "curve a list": ("ES256", {**P256, "crv": ["P-256"]}),
    "off the curve": ("ES256", {**P256, "y": P256["x"]}),
    "numbers for coordinates": ("ES256", {**P256, "x": 5, "y": 6}),
    "no coordinates": ("ES256", {"kty": "EC", "crv": "P-256"}),
    "kid an object": ("ES256", {**P256, "kid": {}, "x": ""}),
    "unknown octet curve": ("EdDSA", {**ED25519, "crv": "nope"}),
    "octet curve an object": ("EdDSA", {**ED25519, "crv": {}}),
    "X25519": ("EdDSA", {**ED25519, "crv": "X25519"}),
    "octets too short": ("EdDSA", {**ED25519, "x": "AA"}),
    "RSA without an exponent": ("PS256", {"kty": "RSA", "n": "_" * 400}),
    "RSA with the exponent 0": ("PS256", {"kty": "RSA", "n": "_" * 400, "e": "AA"}),
    "RSA with a list": ("PS256", {"kty": "RSA", "n": "_" * 400, "e": ["AQAB"]}),
    "RSA of nothing": ("PS256", {"kty": "RSA", "n": "A" * 400, "e": "AQAB"}),
}


@pytest.fixture
def runtime(runtime: Runtime) -> Runtime:
    return opened(runtime, RegistrationMode.OPEN)


@pytest.fixture
async def high(runtime: Runtime, library: Party, reader: AccountId, clock: Clock) -> HighParty:
    assert reader
    party = HighParty(library.http, clock, Prover(clock))
    await register(
        runtime,
        profile="high",
        client_secret=None,
        token_endpoint_auth_method="private_key_jwt",
        jwks={"keys": [party.key.as_dict(private=False)]},
        grant_types=["authorization_code", "refresh_token", "client_credentials"],
        scope="openid profile cases.read",
    )
    return party


def assertion_claims(high: HighParty) -> dict[str, object]:
    now = int(high.clock.now.timestamp())
    parties = {"iss": high.client_id, "sub": high.client_id, "aud": ISSUER}
    return {**parties, "iat": now, "nbf": now, "exp": now + 60, "jti": uuid4().hex}


def asserting(high: HighParty) -> Ask:
    """RFC 7523: a client's proof, at /par."""

    async def ask(change: Change) -> httpx2.Response:
        assertion = sign(change, {}, assertion_claims(high), high.key)
        proof = {"client_assertion": assertion, "client_assertion_type": TYPE}
        return await high.http.post("/par", data={**request_fields(), **proof})

    return ask


def requesting(high: HighParty) -> Ask:
    """RFC 9101: a request object, at /par."""

    async def ask(change: Change) -> httpx2.Response:
        now = int(high.clock.now.timestamp())
        said = {"iss": high.client_id, "aud": ISSUER, "iat": now, "nbf": now, "exp": now + 300}
        claims = {**request_fields(), **said}
        return await high.push({"request": sign(change, {}, claims, high.key)})

    return ask


def proof_claims(prover: Prover, url: str, method: str) -> dict[str, object]:
    now = int(prover.clock.now.timestamp())
    times = {"iat": now, "nbf": now, "exp": now + 30}
    return {"jti": uuid4().hex, "htm": method, "htu": f"{ISSUER}{url}", **times}


def proving(high: HighParty) -> Ask:
    """RFC 9449: a proof of possession, at /par."""

    async def ask(change: Change) -> httpx2.Response:
        first = await high.push(request_fields(), high.prover.proof("/par"))
        claims = proof_claims(high.prover, "/par", "POST")
        claims["nonce"] = first.headers["dpop-nonce"]
        key = high.prover.key
        header = {"typ": "dpop+jwt", "jwk": key.as_dict(private=False)}
        return await high.push(request_fields(), sign(change, header, claims, key))

    return ask


@pytest.mark.parametrize("name", CHANGES)
async def test_malformed_jwt_of_a_client_is_refused(high: HighParty, name: str) -> None:
    for ask in (asserting(high), requesting(high), proving(high)):
        assert (await ask(unchanged)).status_code == 201
        answer = await ask(CHANGES[name])
        assert answer.status_code in {400, 401}, answer.text
        assert answer.json()["error"] in REFUSALS


@pytest.mark.parametrize("name", CHANGES)
async def test_malformed_proof_opens_no_resource(
    runtime: Runtime, library: Party, clock: Clock, name: str
) -> None:
    """RFC 9449 section 7: the resource's own reader."""
    prover = Prover(clock)
    fields = code_fields(await authorize(runtime))
    token = (await send_proven(library, fields, prover.proof("/token"))).json()["access_token"]
    claims = proof_claims(prover, "/userinfo", "GET") | {"ath": half_hash(token)}
    header = {"typ": "dpop+jwt", "jwk": prover.key.as_dict(private=False)}
    for change, status in ((CHANGES[name], 401), (unchanged, 200)):
        proof = sign(change, header, claims, prover.key)
        headers = {"Authorization": f"DPoP {token}", "DPoP": proof}
        answer = await library.http.get("/userinfo", headers=headers)
        assert answer.status_code == status


@pytest.mark.parametrize("ath", ["\ud800", "é", "a\0", 5, None, [], {}], ids=ascii)
async def test_proof_for_a_token_of_any_shape_is_refused(
    runtime: Runtime, library: Party, clock: Clock, ath: object
) -> None:
    """RFC 9449 section 4.3 point 12."""
    prover = Prover(clock)
    fields = code_fields(await authorize(runtime))
    token = (await send_proven(library, fields, prover.proof("/token"))).json()["access_token"]
    claims = proof_claims(prover, "/userinfo", "GET") | {"ath": ath}
    header = {"typ": "dpop+jwt", "jwk": prover.key.as_dict(private=False)}
    proof = sign(unchanged, header, claims, prover.key)
    headers = {"Authorization": f"DPoP {token}", "DPoP": proof}
    assert (await library.http.get("/userinfo", headers=headers)).status_code == 401


@pytest.mark.parametrize("name", CHANGES)
async def test_malformed_token_of_our_own_is_nobody_s(
    runtime: Runtime, library: Party, name: str
) -> None:
    """Also where our key has signed it: a hint at who leaves or comes, a token to look at."""
    ring = await runtime.keys.load()
    ours, opener = (ring.signer(use, "ES256") for use in (KeyUse.IDENTITY, KeyUse.ACCESS))
    now = int(runtime.clock().timestamp())
    said = {"iss": ISSUER, "aud": library.client_id, "sub": "nobody", "iat": now, "exp": now + 60}
    hint = sign(CHANGES[name], {"typ": "JWT", "kid": ours.kid}, said, ours.key)  # type: ignore[arg-type]  # no secret key is among them
    for path in ("/logout?", f"{address()}&"):
        answer = await library.http.get(f"{path}id_token_hint={hint}")
        assert answer.status_code < 500
    access = {**said, "client_id": "library", "sub": "library", "scope": "a", "jti": str(uuid4())}
    token = sign(CHANGES[name], {"typ": "at+jwt", "kid": opener.kid}, access, opener.key)  # type: ignore[arg-type]  # no secret key is among them
    assert (await library.introspect(token)).json() == {"active": False}
    assert (await library.revoke(token)).status_code < 500
    opened = await library.http.get("/userinfo", headers={"Authorization": f"Bearer {token}"})
    assert opened.status_code == 401


async def test_key_that_is_none_proves_nothing(high: HighParty) -> None:
    """RFC 9449 section 4.3: the key in the header is a stranger's own."""
    for algorithm, jwk in BAD_KEYS.values():
        header = {"typ": "dpop+jwt", "alg": algorithm, "jwk": jwk}
        proof = sign(unchanged, header, proof_claims(high.prover, "/par", "POST"), high.key)
        answer = await high.push(request_fields(), proof)
        assert (answer.status_code, answer.json()["error"]) == (400, "invalid_dpop_proof"), jwk


async def test_key_that_is_none_cannot_be_registered(
    runtime: Runtime, http: httpx2.AsyncClient
) -> None:
    """RFC 7591 section 3.2.2."""
    assert runtime.registration.mode is RegistrationMode.OPEN
    for _, jwk in BAD_KEYS.values():
        jwks = {"keys": [{"kid": "1", **jwk}]}
        keyed = {"token_endpoint_auth_method": "private_key_jwt", "jwks": jwks}
        answer = await send(http, {**MINIMAL, **keyed})
        assert (answer.status_code, answer.json().get("error")) == (400, "invalid_client_metadata")


@pytest.mark.parametrize("name", CHANGES)
def test_malformed_id_token_of_another_provider_is_refused(name: str) -> None:
    """OIDC Core section 3.1.3.7."""
    key = ECKey.generate_key("P-256")
    jwks = {"keys": [key.as_dict(private=False)]}
    expected = Expected("https://eid.example", "account", "n", ("ES256",), "token")
    claims = {"iss": expected.issuer}
    assert check_signature(sign(unchanged, {}, claims, key), jwks, expected) == claims
    with pytest.raises(UpstreamRefusedError):
        check_signature(sign(CHANGES[name], {}, claims, key), jwks, expected)


def test_depth_has_an_end() -> None:
    """RFC 8259 section 9: a reader may set a limit to it."""
    whole: dict[str, object] = {}
    for _ in range(MAX_DEPTH - 1):
        whole = {"a": whole}
    assert read_object(json.dumps(whole).encode()) == whole
    with pytest.raises(ValueError, match="nested"):
        read_object(json.dumps({"a": whole}).encode())
