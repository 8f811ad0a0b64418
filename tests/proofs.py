"""Make DPoP proofs and other JWTs as clients do, sharing no code with `openid/`."""

import hashlib
import warnings
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import httpx2
from joserfc import jwt
from joserfc.errors import SecurityWarning
from joserfc.jwk import ECKey, OKPKey, RSAKey
from joserfc.jws import JWSRegistry

from tests.factories import ISSUER, REDIRECT_URI, VERIFIER, Clock
from tests.relying_party import UNCHANGED, Fields, Party, basic_header

SigningKey = ECKey | OKPKey | RSAKey


@dataclass
class Prover:
    """A client's key for DPoP, and the nonce that it was given last."""

    clock: Clock
    key: SigningKey = field(default_factory=lambda: ECKey.generate_key("P-256"))
    algorithm: str = "ES256"
    nonce: str | None = None

    @property
    def thumbprint(self) -> str:
        return self.key.thumbprint()

    def proof(
        self,
        url: str,
        *,
        method: str = "POST",
        token: str | None = None,
        header: dict[str, Any] | None = None,  # Any: a header may hold anything
        **changes: object,
    ) -> str:
        """Return a good proof (RFC 9449 section 4.2); a change to None leaves a member out."""
        claims: dict[str, object] = {
            "jti": uuid4().hex,
            "htm": method,
            "htu": url if "://" in url else f"{ISSUER}{url}",
            "iat": int(self.clock.now.timestamp()),
            "nonce": self.nonce,
            "ath": None if token is None else half_hash(token),
            **changes,
        }
        public = self.key.as_dict(private=False)
        said = {"typ": "dpop+jwt", "alg": self.algorithm, "jwk": public, **(header or {})}
        return encode(given_of(said), given_of(claims), self.key)

    def headers(self, url: str, token: str, **changes: Any) -> dict[str, str]:  # noqa: ANN401  # of a proof
        """Return what opens a resource."""
        proof = self.proof(url, token=token, method="GET", **changes)
        return {"Authorization": f"DPoP {token}", "DPoP": proof}


def encode(
    header: dict[str, Any], claims: Mapping[str, object], key: SigningKey
) -> str:  # Any: as above
    """Return a JWT signed as its header says, whatever may be thought of what stands there."""
    with warnings.catch_warnings():
        # RFC 9864 prefers the name Ed25519; FAPI 2.0 and its clients say EdDSA.
        warnings.simplefilter("ignore", SecurityWarning)
        registry = JWSRegistry(algorithms=[str(header["alg"])], strict_check_header=False)
        return jwt.encode(header, dict(claims), key, registry=registry)


def given_of(members: Mapping[str, Any]) -> dict[str, Any]:  # Any: as above
    return {name: value for name, value in members.items() if value is not None}


def half_hash(token: str) -> str:
    return urlsafe_b64encode(hashlib.sha256(token.encode()).digest()).rstrip(b"=").decode()


async def send_proven(
    party: Party, fields: Fields, *proofs: str, path: str = "/token"
) -> httpx2.Response:
    """Post a form with DPoP proofs."""
    sent = {name: value for name, value in fields.items() if value is not None}
    headers = [("DPoP", proof) for proof in proofs]
    if party.secret is None:
        sent = {"client_id": party.client_id, **sent}
    else:
        headers.append(("Authorization", basic_header(party.client_id, party.secret)))
    return await party.http.post(path, data=sent, headers=headers)


def code_fields(code: str, changes: Fields = UNCHANGED) -> Fields:
    return {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": REDIRECT_URI,
        "code_verifier": VERIFIER,
        **changes,
    }
