"""Keys change while services sign in, and no service ever meets a token that it cannot verify."""

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import datetime, timedelta

import pytest
from joserfc import jwt
from joserfc.jwk import KeySet
from sqlalchemy import delete, update

from citizen_account.bootstrap import Runtime, build_runtime
from citizen_account.domain.keys import (
    JWKS_CACHE,
    KEY_KINDS,
    LONGEST_TOKEN,
    PUBLISH_LEAD,
    ROTATE_EVERY,
    SIGNING_ALGORITHMS,
    KeyState,
    KeyUse,
)
from citizen_account.jobs.schedule import rotate_keys
from citizen_account.openid.id_token import read_hint
from citizen_account.storage.keys import KeyRow
from citizen_account.usecases.keys import list_keys, revoke_key
from tests.factories import Clock, settings_for
from tests.relying_party import Party
from tests.services import authorize

MINUTE = timedelta(minutes=1)
# EdDSA's name makes joserfc warn; the three others stand for it.
ALGORITHMS = ("RS256", "PS256", "ES256")
KINDS = len(KEY_KINDS)


class Service:
    """A relying party that keeps the key set for as long as it may."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._fetched_at: datetime | None = None
        self._keys = KeySet([])

    async def verify(self, token: str, runtime: Runtime) -> None:
        now = self._clock.now
        if self._fetched_at is None or now >= self._fetched_at + JWKS_CACHE:
            described = json.loads((await runtime.keys.load()).jwks)
            described["keys"] = [key for key in described["keys"] if key["alg"] != "EdDSA"]
            self._keys = KeySet.import_key_set(described)
            self._fetched_at = now
        jwt.decode(token, self._keys, algorithms=list(ALGORITHMS))


@pytest.fixture
async def second(database_url: str, clock: Clock) -> AsyncIterator[Runtime]:
    """Yield another process of the same city, with a ring of its own."""
    built = build_runtime(settings_for(database_url), clock)
    yield built
    await built.database.close()


async def states(runtime: Runtime) -> list[KeyState]:
    async with runtime.database.read() as uow:
        return [place.state for place in await list_keys(uow)]


async def test_job_makes_a_next_key_once_and_only_when_it_is_due(
    runtime: Runtime, clock: Clock
) -> None:
    await rotate_keys(runtime)
    assert await states(runtime) == [KeyState.ACTIVE] * KINDS
    clock.now += ROTATE_EVERY
    for _ in range(2):
        await rotate_keys(runtime)
        assert await states(runtime) == [KeyState.NEXT, KeyState.ACTIVE] * KINDS
    clock.now += timedelta(hours=1)
    await rotate_keys(runtime)
    assert await states(runtime) == [KeyState.ACTIVE, KeyState.RETIRED] * KINDS


@pytest.mark.slow
async def test_rotation_under_load_fails_no_verification(
    runtime: Runtime, second: Runtime, clock: Clock
) -> None:
    clock.now += ROTATE_EVERY
    services = [Service(clock) for _ in range(4)]
    alive: list[tuple[datetime, str]] = []
    kids = set()
    for minute in range(80):
        if minute == 5:
            await asyncio.gather(rotate_keys(runtime), rotate_keys(second))
        for process in (runtime, second):
            ring = await process.keys.load()
            for algorithm in ALGORITHMS:
                kids.add(ring.signer(KeyUse.ACCESS, algorithm).kid)
                # Around the rotation each minute's, else some: each is verified again and again.
                if minute % 12 == 0 or minute in {4, 5, 6}:
                    token = ring.signer(KeyUse.ACCESS, algorithm).sign({"minute": minute})
                    alive.append((clock.now + LONGEST_TOKEN, token))
        alive = [(until, token) for until, token in alive if until > clock.now]
        for number, service in enumerate(services):
            # Each fetches in a minute of its own, from either process.
            if minute >= number:
                for _, token in alive:
                    await service.verify(token, second if number % 2 else runtime)
        clock.now += MINUTE
    assert len(kids) == 2 * len(ALGORITHMS)


async def test_revoked_key_is_gone_at_once_and_another_one_signs(
    runtime: Runtime, clock: Clock
) -> None:
    """OIDC Core section 10.1.1: services fetch the set again when they meet a new key."""
    lost = (await runtime.keys.load()).signer(KeyUse.ACCESS, "ES256").kid
    async with runtime.database.begin() as uow:
        assert await revoke_key(uow, lost)
        assert not await revoke_key(uow, lost)
    clock.now += MINUTE
    ring = await runtime.keys.load()
    assert ring.signer(KeyUse.ACCESS, "ES256").kid != lost
    assert lost not in ring.jwks.decode()
    assert lost not in {key.kid for key in ring.remembered[KeyUse.ACCESS]}
    assert await states(runtime) == [KeyState.ACTIVE] * KINDS


async def test_upgrade_tells_uses_apart_without_a_failed_request(
    runtime: Runtime, library: Party, clock: Clock
) -> None:
    """Keys of the version before have no use: they sign until services can know the new ones."""
    async with runtime.database.engines.writer.begin() as connection:
        await connection.execute(delete(KeyRow).where(KeyRow.use != KeyUse.IDENTITY))
        await connection.execute(update(KeyRow).values(use=None))
    ring = await runtime.keys.load()
    old = {key.kid for key in ring.active.values()}
    assert len(old) == len(SIGNING_ALGORITHMS)
    # The new ones are shown from the first moment.
    assert len(json.loads(ring.jwks)["keys"]) == len(old) + KINDS
    hint = (await library.redeem(await authorize(runtime))).json()["id_token"]
    clock.now += PUBLISH_LEAD
    ring = await runtime.keys.load()
    assert not {key.kid for key in ring.active.values()} & old
    assert read_hint(hint, ring, runtime.issuer) is not None
    assert sorted(await states(runtime)) == sorted([KeyState.ACTIVE, KeyState.RETIRED] * KINDS)
