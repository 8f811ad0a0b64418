"""Make and use signing keys: JWTs out, and JWTs of others in, by a closed list of algorithms."""

import copy
import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import ClassVar

from cryptography.exceptions import UnsupportedAlgorithm
from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, JWKRegistry, Key, OKPKey, RSAKey
from joserfc.jws import JWSRegistry
from joserfc.util import to_bytes, urlsafe_b64decode
from pydantic_core import to_json

from citizen_account.domain.keys import KeyPlace, KeyState, KeyUse, StoredKey, place_keys
from citizen_account.security.strict_json import read_object

ACCEPTED_ALGORITHMS = ("RS256", "PS256", "ES256", "EdDSA")
"""What clients may sign with; RFC 8725 section 3.1: a closed list, `none` and HMAC not in it."""
MAX_TOKEN_CHARACTERS = 16_384
PRIVATE_MEMBERS = frozenset({"d", "p", "q", "dp", "dq", "qi", "k"})
_RSA_BITS = 2048
_KEY_TYPES: Mapping[str, str] = {"RS256": "RSA", "PS256": "RSA", "ES256": "EC", "EdDSA": "OKP"}
# RFC 7518 section 3.4; FAPI 2.0 section 5.4.1: EdDSA in its variant Ed25519.
_CURVES: Mapping[str, str] = {"ES256": "P-256", "EdDSA": "Ed25519"}
_KINDS: Mapping[str, type[ECKey | OKPKey | RSAKey]] = {"RSA": RSAKey, "EC": ECKey, "OKP": OKPKey}
_RSA_ALGORITHMS = frozenset({"RS256", "PS256"})

# What joserfc lets through of members that have a wrong type, and of curves that do not exist.
UNREADABLE = (
    JoseError,
    ValueError,
    TypeError,
    KeyError,
    AttributeError,
    OverflowError,
    RecursionError,
    UnsupportedAlgorithm,
)
Claims = dict[str, object]


class BadTokenError(Exception):
    """The token is malformed, or no key that we hold has signed it."""


class _Registry(JWSRegistry):
    # A DPoP proof carries an RSA key in its header.
    max_header_length = 4096
    # RFC 9864 prefers the name Ed25519; FAPI 2.0 and our clients say EdDSA, so it is no warning.
    algorithms: ClassVar = {  # type: ignore[misc]  # a class variable there too, but not named so
        name: copy.copy(JWSRegistry.algorithms[name]) for name in ACCEPTED_ALGORITHMS
    }


_Registry.algorithms["EdDSA"].security_warning = None


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A key ready for use: importing an RSA key costs 43 ms, so it is done once."""

    kid: str
    algorithm: str
    key: Key

    def sign(self, claims: Mapping[str, object], typ: str = "JWT") -> str:
        """Return a JWT. RFC 8725 section 3.11: `typ` keeps the kinds of token apart."""
        header = {"alg": self.algorithm, "kid": self.kid, "typ": typ}
        return jws.serialize_compact(
            header, to_json(claims), self.key, registry=_registry(self.algorithm)
        )

    def public_jwk(self) -> dict[str, object]:
        public = self.key.as_dict(private=False)
        return {**public, "kid": self.kid, "alg": self.algorithm, "use": "sig"}


@dataclass(frozen=True, slots=True)
class KeyRing:
    """The keys as they stood when the ring was loaded."""

    active: Mapping[tuple[KeyUse, str], SigningKey]
    """By use and algorithm."""
    published: Mapping[KeyUse, tuple[SigningKey, ...]]
    remembered: Mapping[KeyUse, tuple[SigningKey, ...]]
    """The published ones, and retired ones for what comes back to us."""
    jwks: bytes
    """RFC 7517 section 5, made once."""
    loaded_at: datetime

    def signer(self, use: KeyUse, algorithm: str) -> SigningKey:
        return self.active[use, algorithm]


def build_ring(keys: Sequence[StoredKey], now: datetime) -> KeyRing:
    places = place_keys(keys, now)
    ready = {place.key.kid: _ready(place.key) for place in places if place.is_remembered(now)}
    published = [place for place in places if place.is_published(now)]
    # One of before uses were told apart has a place for each.
    shown = {place.key.kid: ready[place.key.kid].public_jwk() for place in published}
    return KeyRing(
        active={
            (place.use, place.key.algorithm): ready[place.key.kid]
            for place in places
            if place.state is KeyState.ACTIVE
        },
        published=_by_use(published, ready),
        remembered=_by_use([place for place in places if place.is_remembered(now)], ready),
        jwks=json.dumps({"keys": list(shown.values())}).encode(),
        loaded_at=now,
    )


def _by_use(
    places: Sequence[KeyPlace], ready: Mapping[str, SigningKey]
) -> Mapping[KeyUse, tuple[SigningKey, ...]]:
    return {
        use: tuple(ready[place.key.kid] for place in places if place.use is use) for use in KeyUse
    }


def generate_key(algorithm: str) -> tuple[str, bytes]:
    """Return the key's id, its RFC 7638 thumbprint, and its private part in DER."""
    key: ECKey | OKPKey | RSAKey
    match _KEY_TYPES[algorithm]:
        case "EC":
            key = ECKey.generate_key("P-256")
        case "OKP":
            key = OKPKey.generate_key("Ed25519")
        case _:
            key = RSAKey.generate_key(_RSA_BITS)
    return key.thumbprint(), key.as_der(private=True)


def verify(
    token: str, keys: Collection[SigningKey], algorithms: Collection[str] = ACCEPTED_ALGORITHMS
) -> Claims:
    """Return the claims once one of the keys proves to have signed them. No claim is judged.

    Only the key's own algorithm counts, whatever the header says (RFC 8725 section 3.1), and keys
    or addresses of keys in the header are never looked at. Raises: BadTokenError.
    """
    header = read_header(token)
    fitting = [
        key
        for key in keys
        if key.algorithm == header.get("alg")
        and key.algorithm in algorithms
        # A tuple: what a stranger wrote there need not be hashable.
        and header.get("kid") in (None, key.kid)
    ]
    for key in fitting:
        if _has_signed(key, token):
            return read_unproven_claims(token)
    raise BadTokenError


def verify_by_embedded_key(token: str, algorithms: Collection[str]) -> tuple[Claims, str]:
    """Return the claims, and the RFC 7638 thumbprint of the key that the header itself holds.

    For proofs of possession alone (RFC 9449 section 4.2): the key says nothing of who holds it.
    Raises: BadTokenError.
    """
    header = read_header(token)
    algorithm, member = header.get("alg"), header.get("jwk")
    if algorithm not in algorithms or not isinstance(member, dict):
        raise BadTokenError
    # RFC 9449 section 4.3 point 7: public parts only.
    key = None if PRIVATE_MEMBERS & member.keys() else _client_key(member, str(algorithm))
    if key is None or not _has_signed(key, token):
        raise BadTokenError
    return read_unproven_claims(token), key.key.thumbprint()


def read_header(token: str) -> Claims:
    """Return the header, unproven. Raises: BadTokenError."""
    header = _read_part(token, 0)
    # RFC 7515 section 4.1.11: no extension is understood here, so whoever needs one is refused.
    if "crit" in header:
        raise BadTokenError
    return header


def read_unproven_claims(token: str) -> Claims:
    """Return what the token says before anything of it is proven. Raises: BadTokenError."""
    return _read_part(token, 1)


def client_keys(jwks: Mapping[str, object], algorithm: str) -> tuple[SigningKey, ...]:
    """Return a client's public keys that fit the algorithm; what cannot be read is left out."""
    return _client_keys(json.dumps(jwks, sort_keys=True), algorithm)


@lru_cache(maxsize=256)
def _client_keys(jwks: str, algorithm: str) -> tuple[SigningKey, ...]:
    members = json.loads(jwks).get("keys", [])
    found = (_client_key(member, algorithm) for member in members if isinstance(member, dict))
    return tuple(key for key in found if key is not None)


def _client_key(member: dict[str, object], algorithm: str) -> SigningKey | None:
    # RFC 7517 section 4: what the owner says of a key's use and algorithm binds us.
    if member.get("kty") != _KEY_TYPES.get(algorithm) or member.get("use", "sig") != "sig":
        return None
    if member.get("alg", algorithm) != algorithm:
        return None
    if algorithm in _CURVES and member.get("crv") != _CURVES[algorithm]:
        return None
    if algorithm in _RSA_ALGORITHMS and not _is_long_enough(member.get("n")):
        return None
    public = {name: value for name, value in member.items() if name not in {"alg", "key_ops"}}
    try:
        key = JWKRegistry.import_key(public)  # type: ignore[arg-type]  # checked by the import
        kid = member.get("kid")
        return SigningKey(str(kid) if kid is not None else key.thumbprint(), algorithm, key)
    except UNREADABLE:
        return None


def _has_signed(key: SigningKey, token: str) -> bool:
    try:
        jws.deserialize_compact(token, key.key, registry=_registry(key.algorithm))
    except UNREADABLE:
        return False
    return True


def _is_long_enough(modulus: object) -> bool:
    # RFC 7518 section 3.3: 2048 bits or more.
    return isinstance(modulus, str) and len(modulus) * 6 >= _RSA_BITS


@lru_cache(maxsize=128)
def _import(kid: str, algorithm: str, private_key: bytes) -> SigningKey:
    kind = _KINDS[_KEY_TYPES[algorithm]]
    return SigningKey(kid, algorithm, kind.import_key(private_key))


def _ready(key: StoredKey) -> SigningKey:
    return _import(key.kid, key.algorithm, key.private_key)


@lru_cache(maxsize=len(ACCEPTED_ALGORITHMS))
def _registry(algorithm: str) -> _Registry:
    # RFC 7515 section 4: header members that we do not know are ignored, `crit` excepted.
    return _Registry(algorithms=[algorithm], strict_check_header=False)


def _read_part(token: str, part: int) -> Claims:
    pieces = token.split(".")
    # RFC 7515 section 7.1: three parts.
    if len(pieces) != 3 or len(token) > MAX_TOKEN_CHARACTERS:  # noqa: PLR2004  # the RFC's
        raise BadTokenError
    try:
        return read_object(urlsafe_b64decode(to_bytes(pieces[part])))
    except ValueError:
        raise BadTokenError from None
