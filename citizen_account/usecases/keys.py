"""Keep the provider's signing keys: make them, rotate them, hand out the ring."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from citizen_account.domain.events import KeysRotated
from citizen_account.domain.keys import (
    PUBLISH_LEAD,
    RING_CACHE,
    ROTATE_EVERY,
    SIGNING_ALGORITHMS,
    KeyPlace,
    KeyState,
    StoredKey,
    place_keys,
)
from citizen_account.security.signing import KeyRing, build_ring, generate_key
from citizen_account.storage.unit_of_work import Database, UnitOfWork


@dataclass(frozen=True, slots=True)
class Rotated:
    key: StoredKey


@dataclass(frozen=True, slots=True)
class AlreadyRotating:
    """A next key waits already, or somebody else made one just now."""

    algorithm: str


Rotation = Rotated | AlreadyRotating


class KeyRings:
    """Hand out the ring, remembered for a minute: one of these serves a whole process."""

    def __init__(self, database: Database, clock: Callable[[], datetime]) -> None:
        self._database = database
        self._clock = clock
        self._ring: KeyRing | None = None
        self._loading = asyncio.Lock()

    async def load(self) -> KeyRing:
        """Return the ring. Must not be called while a transaction is open."""
        ring = self._ring
        if ring is not None and _is_fresh(ring, self._clock()):
            return ring
        async with self._loading:
            if self._ring is None or not _is_fresh(self._ring, self._clock()):
                self._ring = await self._read()
            return self._ring

    async def _read(self) -> KeyRing:
        async with self._database.read() as uow:
            keys, now = await uow.keys.all(), uow.now
        if missing_algorithms(keys):
            async with self._database.begin() as writing:
                # Their own instant: a moment ago they would not have been in force yet.
                keys, now = await ensure_keys(writing), writing.now
        # Importing an RSA key takes 43 ms, too long for the loop.
        return await asyncio.to_thread(build_ring, keys, now)


async def ensure_keys(uow: UnitOfWork) -> Sequence[StoredKey]:
    """Make the first key of each algorithm that has none, and return all keys. Idempotent."""
    for algorithm in missing_algorithms(await uow.keys.all()):
        key = await _generate(algorithm, generation=1, created_at=uow.now, active_from=uow.now)
        await uow.keys.add(key)
    return await uow.keys.all()


async def rotate_keys(uow: UnitOfWork) -> Sequence[Rotation]:
    """Publish a next key for each algorithm; it signs once every client can know it."""
    places = place_keys(await ensure_keys(uow), uow.now)
    return [await _rotate(uow, algorithm, places) for algorithm in SIGNING_ALGORITHMS]


async def rotate_due_keys(uow: UnitOfWork) -> Sequence[Rotation]:
    """Publish a next key for each algorithm whose key has signed long enough. Idempotent."""
    places = place_keys(await ensure_keys(uow), uow.now)
    due = [place for place in places if _is_due(place, places, uow.now)]
    return [await _rotate(uow, place.key.algorithm, places) for place in due]


async def list_keys(uow: UnitOfWork) -> Sequence[KeyPlace]:
    """Return every key with its state, newest first within its algorithm."""
    return place_keys(await uow.keys.all(), uow.now)


def missing_algorithms(keys: Sequence[StoredKey]) -> Sequence[str]:
    made = {key.algorithm for key in keys}
    return [algorithm for algorithm in SIGNING_ALGORITHMS if algorithm not in made]


async def _rotate(uow: UnitOfWork, algorithm: str, places: Sequence[KeyPlace]) -> Rotation:
    newest = next(place for place in places if place.key.algorithm == algorithm)
    if newest.state is KeyState.NEXT:
        return AlreadyRotating(algorithm)
    key = await _generate(
        algorithm,
        generation=newest.key.generation + 1,
        created_at=uow.now,
        active_from=uow.now + PUBLISH_LEAD,
    )
    if not await uow.keys.add(key):
        return AlreadyRotating(algorithm)
    uow.record(KeysRotated(algorithm, key.kid))
    return Rotated(key)


async def _generate(
    algorithm: str, *, generation: int, created_at: datetime, active_from: datetime
) -> StoredKey:
    kid, private_key = await asyncio.to_thread(generate_key, algorithm)
    return StoredKey(kid, algorithm, generation, private_key, created_at, active_from)


def _is_due(place: KeyPlace, places: Sequence[KeyPlace], now: datetime) -> bool:
    newest = next(each for each in places if each.key.algorithm == place.key.algorithm)
    # Only an active key that nothing waits to follow.
    return place is newest and place.key.active_from + ROTATE_EVERY <= now


def _is_fresh(ring: KeyRing, now: datetime) -> bool:
    # A clock set back, as in a test, makes it stale too.
    return ring.loaded_at <= now < ring.loaded_at + RING_CACHE
