"""Say which signing key is next, active or retired: a matter of the clock, no state to flip."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

DEFAULT_ALGORITHM = "RS256"
SIGNING_ALGORITHMS = (DEFAULT_ALGORITHM, "PS256", "ES256", "EdDSA")

RING_CACHE = timedelta(seconds=60)
"""How long a process may use a key ring that it has loaded."""
LAST_KNOWN = timedelta(hours=1)
"""How long the last ring answers while the database is away: nothing that it verifies lives longer.
"""
JWKS_CACHE = timedelta(minutes=5)
"""How long a client may use a key set that it has fetched: our Cache-Control."""
PUBLISH_LEAD = timedelta(minutes=15)
"""How long a key is published before it signs: more than both caches together."""
LONGEST_TOKEN = timedelta(hours=1)
"""The longest life of anything that others verify by our key set: so long an API may ask for."""
RETIREMENT = LONGEST_TOKEN + RING_CACHE + JWKS_CACHE
"""How long a key is published after its successor signs."""
ROTATE_EVERY = timedelta(days=90)
"""How long a key signs before a next one is made by itself."""
REMEMBERED = timedelta(days=30)
"""How long we ourselves still verify what comes back: ID tokens as hints, clients' own JWTs."""


class KeyUse(StrEnum):
    """What a key signs: what it has signed for one use is worth nothing in another."""

    IDENTITY = "identity"
    """ID tokens and logout tokens."""
    ACCESS = "access"
    """Access tokens."""
    ANSWER = "answer"
    """Answers: of authorization (JARM), of userinfo, of introspection."""


KEY_KINDS = tuple((use, algorithm) for use in KeyUse for algorithm in SIGNING_ALGORITHMS)
"""There is a key for each."""


class KeyState(StrEnum):
    NEXT = "next"
    ACTIVE = "active"
    RETIRED = "retired"


@dataclass(frozen=True, slots=True)
class StoredKey:
    """A signing key as it is kept. `generation` counts from 1 for each algorithm."""

    kid: str
    use: KeyUse | None
    """None for one that was made before uses were told apart: it goes before those of each."""
    algorithm: str
    generation: int
    private_key: bytes
    """PKCS 8 in DER, opened."""
    created_at: datetime
    active_from: datetime


@dataclass(frozen=True, slots=True)
class KeyPlace:
    """Where a key stands at an instant, for one use."""

    key: StoredKey
    use: KeyUse
    state: KeyState
    published_until: datetime | None
    """When it leaves the published set; None while no successor has an appointed hour."""

    def is_published(self, now: datetime) -> bool:
        return self.published_until is None or now < self.published_until

    def is_remembered(self, now: datetime) -> bool:
        return self.published_until is None or now < self.published_until + REMEMBERED


def place_keys(keys: Sequence[StoredKey], now: datetime) -> tuple[KeyPlace, ...]:
    """Place every key, newest first within its use and algorithm."""
    return tuple(
        place
        for use, algorithm in KEY_KINDS
        for place in _place_chain(
            use,
            [key for key in keys if key.algorithm == algorithm and key.use in {use, None}],
            now,
        )
    )


def _place_chain(use: KeyUse, chain: Sequence[StoredKey], now: datetime) -> list[KeyPlace]:
    ordered = sorted(chain, key=lambda key: (key.use is not None, key.generation), reverse=True)
    places: list[KeyPlace] = []
    successor: StoredKey | None = None
    for key in ordered:
        until = None if successor is None else successor.active_from + RETIREMENT
        places.append(KeyPlace(key, use, _state(key, successor, now), until))
        successor = key
    return places


def _state(key: StoredKey, successor: StoredKey | None, now: datetime) -> KeyState:
    if key.active_from > now:
        return KeyState.NEXT
    if successor is not None and successor.active_from <= now:
        return KeyState.RETIRED
    return KeyState.ACTIVE
