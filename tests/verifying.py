"""Verify what the provider signs by the keys that it publishes, sharing no code with `openid/`."""

import json
import warnings
from base64 import urlsafe_b64decode

import httpx2
from joserfc import jwt
from joserfc.errors import SecurityWarning
from joserfc.jwk import JWKRegistry

ALGORITHMS = ("RS256", "PS256", "ES256", "EdDSA")


async def verified(http: httpx2.AsyncClient, token: str, algorithm: str = "RS256") -> jwt.Token:
    """Return the token once the published key that its header names has signed it."""
    described = (await http.get("/.well-known/openid-configuration")).json()
    published = (await http.get(described["jwks_uri"])).json()["keys"]
    head = token.partition(".")[0]
    header = json.loads(urlsafe_b64decode(head + "=" * (-len(head) % 4)))
    # OIDC Core section 10.1: of several keys `kid` says which one has signed.
    [key] = [each for each in published if each["kid"] == header["kid"]]
    assert header["alg"] == key["alg"] == algorithm
    with warnings.catch_warnings():
        # RFC 9864 prefers the name Ed25519; FAPI 2.0 and its clients say EdDSA.
        warnings.simplefilter("ignore", SecurityWarning)
        return jwt.decode(token, JWKRegistry.import_key(key), algorithms=[algorithm])
