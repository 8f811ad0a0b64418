"""Check an ID token that another provider sent (OIDC Core section 3.1.3.7)."""

import base64
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from hmac import compare_digest

from citizen_account.security.signing import BadTokenError, client_keys, read_header, verify
from citizen_account.upstream.errors import UpstreamRefusedError

LEEWAY_SECONDS = 60
MAX_AGE_SECONDS = 600
MAX_SUBJECT = 255
"""OIDC Core section 2: 255 ASCII characters."""


class KeyUnknownError(UpstreamRefusedError):
    """None of the published keys fits: they may have been renewed."""


@dataclass(frozen=True, slots=True)
class Expected:
    issuer: str
    client_id: str
    nonce: str
    algorithms: tuple[str, ...]
    access_token: str


def check_signature(
    token: str, jwks: Mapping[str, object], expected: Expected
) -> Mapping[str, object]:
    """Return the claims, unjudged. Raises: KeyUnknownError, UpstreamRefusedError."""
    try:
        header = read_header(token)
        algorithm = header.get("alg")
        # OWASP ASVS 5.0 section 9.1.2: a closed list; `none` and HMAC are not in it.
        if not isinstance(algorithm, str) or algorithm not in expected.algorithms:
            raise UpstreamRefusedError("id_token alg")
        # Section 9.2.2: a token of another kind does not pass for an ID token.
        if str(header.get("typ", "JWT")).upper() != "JWT":
            raise UpstreamRefusedError("id_token typ")
        keys = client_keys(jwks, algorithm)
        kid = header.get("kid")
        # A tuple: what another provider wrote there need not be hashable.
        if not any(kid in (None, key.kid) for key in keys):
            raise KeyUnknownError("id_token kid")
        return verify(token, keys, expected.algorithms)
    except BadTokenError as error:
        raise UpstreamRefusedError("id_token signature") from error


def check_claims(claims: Mapping[str, object], expected: Expected, now: float) -> str:
    """Return the subject. Raises: UpstreamRefusedError with the names of what is wrong."""
    audience = claims.get("aud")
    audiences = audience if isinstance(audience, list) else [audience]
    issued, expires, not_before = claims.get("iat"), claims.get("exp"), claims.get("nbf", 0)
    subject, nonce = claims.get("sub"), claims.get("nonce")
    rules = {
        "iss": claims.get("iss") == expected.issuer,
        "aud": expected.client_id in audiences,
        # Rules 4 and 5: with several audiences it says for whom it was made, and that is us.
        "azp": claims.get("azp", expected.client_id if len(audiences) == 1 else None)
        == expected.client_id,
        "exp": _is_number(expires) and float(str(expires)) > now - LEEWAY_SECONDS,
        "iat": _is_number(issued)
        and -LEEWAY_SECONDS <= now - float(str(issued)) <= MAX_AGE_SECONDS,
        "nbf": _is_number(not_before) and float(str(not_before)) <= now + LEEWAY_SECONDS,
        "nonce": isinstance(nonce, str) and compare_digest(nonce.encode(), expected.nonce.encode()),
        "sub": isinstance(subject, str) and 0 < len(subject) <= MAX_SUBJECT and subject.isascii(),
        # A logout token is no ID token (OIDC Back-Channel Logout section 2.4).
        "events": "events" not in claims,
    }
    broken = [name for name, holds in rules.items() if not holds]
    if broken:
        raise UpstreamRefusedError(f"id_token {' '.join(broken)}")
    return str(subject)


def check_access_token(claims: Mapping[str, object], algorithm: str, access_token: str) -> None:
    """Hold the access token against `at_hash` (section 3.1.3.8). Raises: UpstreamRefusedError."""
    if "at_hash" not in claims:
        return
    # EdDSA on Ed25519 hashes with SHA-512; every other algorithm of ours with SHA-256.
    hashed = (hashlib.sha512 if algorithm == "EdDSA" else hashlib.sha256)(access_token.encode())
    half = hashed.digest()[: hashed.digest_size // 2]
    if claims["at_hash"] != base64.urlsafe_b64encode(half).rstrip(b"=").decode():
        raise UpstreamRefusedError("id_token at_hash")


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
