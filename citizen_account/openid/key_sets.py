"""Read the key set behind a client's `jwks_uri`, and say when it must be read again."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from citizen_account.domain.clients import Client
from citizen_account.security.signing import PRIVATE_MEMBERS, BadTokenError, read_header

MAXIMUM_AGE = timedelta(minutes=15)
MAXIMUM_BYTES = 64_000
MOST_KEYS = 50


def needs_reading(client: Client, tokens: Sequence[str], now: datetime) -> bool:
    """Say whether the keys at hand may not do for the JWTs that the client has just sent."""
    if client.jwks_uri is None or not tokens:
        return False
    if client.jwks is None or client.jwks_tried_at is None:
        return True
    if now - client.jwks_tried_at >= MAXIMUM_AGE:
        return True
    known = _kids(client.jwks)
    # OIDC Core section 10.1.1: an unknown `kid` means that the client has rotated its keys. A JWT
    # without one may be signed by any key.
    return any(kid is not None and kid not in known for kid in map(_kid, tokens))


def read_key_set(answer: object) -> Mapping[str, object] | None:
    """Return the key set of RFC 7517 section 5, or None for anything else."""
    if not isinstance(answer, dict):
        return None
    keys = answer.get("keys")
    if not isinstance(keys, list) or len(keys) > MOST_KEYS:
        return None
    if not all(isinstance(key, dict) for key in keys):
        return None
    # A client that publishes its private key has none any more.
    if any(PRIVATE_MEMBERS & key.keys() for key in keys):
        return None
    return {"keys": [text_members(key) for key in keys]}


def text_members(key: Mapping[str, object]) -> Mapping[str, object]:
    """Keep what makes a key a key (RFC 7517 section 4): all of it is text."""
    return {name: value for name, value in key.items() if isinstance(value, str)}


def _kid(token: str) -> str | None:
    try:
        kid = read_header(token).get("kid")
    except BadTokenError:
        return None
    return kid if isinstance(kid, str) else None


def _kids(jwks: Mapping[str, object]) -> frozenset[str]:
    keys = jwks.get("keys")
    found = keys if isinstance(keys, list) else []
    return frozenset(str(key["kid"]) for key in found if "kid" in key)
