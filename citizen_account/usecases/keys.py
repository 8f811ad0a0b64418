"""Keep the provider's signing keys: make them, rotate them, hand out the ring."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from citizen_account.domain.errors import DomainError, ErrorCode
from citizen_account.domain.events import KeysRotated
from citizen_account.domain.keys import (
    KEY_KINDS,
    LAST_KNOWN,
    PUBLISH_LEAD,
    RING_CACHE,
    ROTATE_EVERY,
    KeyPlace,
    KeyState,
    KeyUse,
    StoredKey,
    place_keys,
)
from citizen_account.domain.operations import KeyRevoked
from citizen_account.security.signing import KeyRing, build_ring, generate_key
from citizen_account.storage.unit_of_work import Database, UnitOfWork


@dataclass(frozen=True, slots=True)
class Rotated:
    key: StoredKey


@dataclass(frozen=True, slots=True)
class AlreadyRotating:
    """A next key waits already, or somebody else made one just now."""

    use: KeyUse
    algorithm: str


Rotation = Rotated | AlreadyRotating
ASK_AGAIN = timedelta(seconds=5)
"""How long a database that was away is left alone."""


@dataclass(frozen=True, slots=True)
class Known:
    """The keys as they were read last."""

    keys: Sequence[StoredKey]
    read_at: datetime


class KeyRings:
    """Hand out the ring, remembered for a minute: one of these serves a whole process."""

    def __init__(self, database: Database, clock: Callable[[], datetime]) -> None:
        self._database = database
        self._clock = clock
        self._ring: KeyRing | None = None
        self._known: Known | None = None
        self._asked_in_vain_at: datetime | None = None
        self._loading = asyncio.Lock()

    async def load(self) -> KeyRing:
        """Return the ring; while the database is away, by the keys that were read last.

        Must not be called while a transaction is open. Raises: temporarily_unavailable.
        """
        ring = self._ring
        if ring is not None and _is_fresh(ring, self._clock()):
            return ring
        async with self._loading:
            if self._ring is None or not _is_fresh(self._ring, self._clock()):
                self._ring = await self._make()
            return self._ring

    async def _make(self) -> KeyRing:
        if not self._was_asked_in_vain():
            try:
                self._known = await self._read()
            except DomainError:
                self._asked_in_vain_at = self._clock()
                if not self._is_known_well_enough():
                    raise
        return await self._built()

    def _was_asked_in_vain(self) -> bool:
        """Say whether the database was away a moment ago: not every request waits for it."""
        asked_at = self._asked_in_vain_at
        if asked_at is None or not self._is_known_well_enough():
            return False
        return asked_at <= self._clock() < asked_at + ASK_AGAIN

    def _is_known_well_enough(self) -> bool:
        known = self._known
        return known is not None and self._clock() < known.read_at + LAST_KNOWN

    async def _built(self) -> KeyRing:
        if self._known is None:
            raise DomainError(ErrorCode.TEMPORARILY_UNAVAILABLE, why="no key was ever read")
        # Which key signs, and which are published, is a matter of the clock. Importing an RSA key
        # takes 43 ms, too long for the loop.
        ring = await asyncio.to_thread(build_ring, self._known.keys, self._clock())
        return replace(ring, loaded_at=self._known.read_at)

    async def _read(self) -> Known:
        async with self._database.read() as uow:
            keys, now = await uow.keys.all(), uow.now
        if missing_kinds(keys):
            async with self._database.begin() as writing:
                # Their own instant: a moment ago they would not have been in force yet.
                keys, now = await ensure_keys(writing), writing.now
        return Known(keys, now)


async def ensure_keys(uow: UnitOfWork) -> Sequence[StoredKey]:
    """Make the first key of each use and algorithm that has none; return all keys. Idempotent.

    Where keys of before uses were told apart go on signing, they do so until every client can
    know the new ones.
    """
    keys = await uow.keys.all()
    while missing := missing_kinds(keys):
        use, algorithm = missing[0]
        is_first = not any(key.algorithm == algorithm and key.use is None for key in keys)
        begins = uow.now if is_first else uow.now + PUBLISH_LEAD
        await uow.keys.add(await _generate(uow, use, algorithm, keys, active_from=begins))
        # Another process may make them all at the same time: what is there now is looked at again.
        keys = await uow.keys.all()
    return keys


async def rotate_keys(uow: UnitOfWork) -> Sequence[Rotation]:
    """Publish a next key for each use and algorithm; it signs once every client can know it."""
    await ensure_keys(uow)
    return [await _rotate(uow, use, algorithm) for use, algorithm in KEY_KINDS]


async def rotate_due_keys(uow: UnitOfWork) -> Sequence[Rotation]:
    """Publish a next key of each kind whose key has signed long enough. Idempotent."""
    places = place_keys(await ensure_keys(uow), uow.now)
    due = [place for place in places if _is_due(place, places, uow.now)]
    return [await _rotate(uow, place.use, place.key.algorithm) for place in due]


async def revoke_key(uow: UnitOfWork, kid: str) -> bool:
    """Forget a key that may have leaked; a new one signs at once. False when there is none such.

    What it signed fails from now on, and services fetch the new key set when they meet the new
    key: OpenID Connect Core section 10.1.1.
    """
    keys = await uow.keys.all()
    lost = next((key for key in keys if key.kid == kid), None)
    if lost is None:
        return False
    for use in KeyUse if lost.use is None else (lost.use,):
        key = await _generate(uow, use, lost.algorithm, keys, active_from=uow.now)
        await uow.keys.add(key)
        keys = [*keys, key]
    await uow.keys.remove(kid)
    uow.record(KeyRevoked(lost.algorithm, kid))
    return True


async def list_keys(uow: UnitOfWork) -> Sequence[KeyPlace]:
    """Return every key with its state, newest first within its use and algorithm."""
    return place_keys(await uow.keys.all(), uow.now)


def missing_kinds(keys: Sequence[StoredKey]) -> Sequence[tuple[KeyUse, str]]:
    made = {(key.use, key.algorithm) for key in keys}
    return [kind for kind in KEY_KINDS if kind not in made]


async def _rotate(uow: UnitOfWork, use: KeyUse, algorithm: str) -> Rotation:
    # Read anew each time: another process may have rotated all of them just now.
    keys = await uow.keys.all()
    if _newest(place_keys(keys, uow.now), use, algorithm).state is KeyState.NEXT:
        return AlreadyRotating(use, algorithm)
    key = await _generate(uow, use, algorithm, keys, active_from=uow.now + PUBLISH_LEAD)
    if not await uow.keys.add(key):
        return AlreadyRotating(use, algorithm)
    uow.record(KeysRotated(algorithm, key.kid))
    return Rotated(key)


async def _generate(
    uow: UnitOfWork,
    use: KeyUse,
    algorithm: str,
    keys: Sequence[StoredKey],
    *,
    active_from: datetime,
) -> StoredKey:
    newest = max((key.generation for key in keys if key.algorithm == algorithm), default=0)
    kid, private_key = await asyncio.to_thread(generate_key, algorithm)
    return StoredKey(kid, use, algorithm, newest + 1, private_key, uow.now, active_from)


def _newest(places: Sequence[KeyPlace], use: KeyUse, algorithm: str) -> KeyPlace:
    return next(each for each in places if (each.use, each.key.algorithm) == (use, algorithm))


def _is_due(place: KeyPlace, places: Sequence[KeyPlace], now: datetime) -> bool:
    newest = _newest(places, place.use, place.key.algorithm)
    # Only an active key that nothing waits to follow.
    return place is newest and place.key.active_from + ROTATE_EVERY <= now


def _is_fresh(ring: KeyRing, now: datetime) -> bool:
    # A clock set back, as in a test, makes it stale too.
    return ring.loaded_at <= now < ring.loaded_at + RING_CACHE
