"""A service of the profile `high`, as FAPI 2.0 wants it, sharing no code with `openid/`."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import httpx2
from joserfc.jwk import ECKey

from tests.authorizing import request_fields
from tests.factories import ISSUER, Clock
from tests.proofs import Prover, SigningKey, code_fields, encode

TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
Changes = Mapping[str, Any]  # Any: what a claim may be
UNCHANGED: Changes = {}


@dataclass
class HighParty:
    """A service of the profile `high`, with its key."""

    http: httpx2.AsyncClient
    clock: Clock
    prover: Prover
    key: SigningKey = field(default_factory=lambda: ECKey.generate_key("P-256"))
    client_id: str = "library"
    algorithm: str = "ES256"

    def sign(self, claims: Changes) -> str:
        return encode({"alg": self.algorithm}, claims, self.key)

    def assertion(self, changes: Changes = UNCHANGED) -> dict[str, str]:
        now = int(self.clock.now.timestamp())
        claims = {
            "iss": self.client_id,
            "sub": self.client_id,
            "aud": ISSUER,
            "iat": now,
            "exp": now + 60,
            "jti": uuid4().hex,
            **changes,
        }
        given = {name: value for name, value in claims.items() if value is not None}
        return {"client_assertion": self.sign(given), "client_assertion_type": TYPE}

    def signed(self, changes: Changes = UNCHANGED) -> dict[str, str]:
        """Return a request object, as FAPI 2.0 Message Signing wants it."""
        now = int(self.clock.now.timestamp())
        times = {"iss": self.client_id, "aud": ISSUER, "nbf": now, "exp": now + 300}
        claims = {**request_fields(), **times, **changes}
        given = {name: value for name, value in claims.items() if value is not None}
        return {"request": self.sign(given)}

    async def push(self, fields: Changes, *proofs: str) -> httpx2.Response:
        given = {name: value for name, value in fields.items() if value is not None}
        headers = [("DPoP", proof) for proof in proofs]
        return await self.http.post("/par", data={**self.assertion(), **given}, headers=headers)

    async def pushed(self, fields: Changes) -> str:
        """Return the address that the browser opens."""
        answer = await self.push(fields)
        assert answer.status_code == 201, answer.text
        return self.address(answer.json()["request_uri"])

    def address(self, request_uri: str) -> str:
        return str(
            httpx2.URL("/authorize").copy_merge_params(
                {"client_id": self.client_id, "request_uri": request_uri}
            )
        )

    async def redeem(self, code: str, prover: Prover | None = None) -> httpx2.Response:
        """Redeem the code, with the nonce where one is asked for."""
        prover = prover or self.prover
        answer = None
        for _ in range(2):
            fields = {**code_fields(code), **self.assertion()}
            headers = {"DPoP": prover.proof("/token")}
            answer = await self.http.post("/token", data=fields, headers=headers)
            prover.nonce = answer.headers["dpop-nonce"]
            if answer.json().get("error") != "use_dpop_nonce":
                break
        assert answer is not None
        return answer
