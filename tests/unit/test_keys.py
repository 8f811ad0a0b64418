"""When a signing key is next, active and retired, and what is published of it."""

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import lru_cache

import pytest

from citizen_account.domain.keys import (
    KEY_KINDS,
    PUBLISH_LEAD,
    REMEMBERED,
    RETIREMENT,
    SIGNING_ALGORITHMS,
    KeyState,
    KeyUse,
    StoredKey,
    place_keys,
)
from citizen_account.security.signing import build_ring, generate_key
from tests.factories import START
from tests.services import provider

MINUTE = timedelta(minutes=1)
ROTATED_AT = START + timedelta(days=90)
SIGNS_AT = ROTATED_AT + PUBLISH_LEAD
GONE_AT = SIGNS_AT + RETIREMENT


@lru_cache(maxsize=1)
def keys() -> Sequence[StoredKey]:
    made = []
    for generation, begins in ((1, START), (2, SIGNS_AT)):
        kid, private_key = generate_key("ES256")
        made.append(StoredKey(kid, KeyUse.ACCESS, "ES256", generation, private_key, START, begins))
    return made


def states(now: datetime) -> list[KeyState]:
    return [place.state for place in place_keys(keys(), now)]


def published(now: datetime) -> list[str]:
    return [key["kid"] for key in json.loads(build_ring(keys(), now).jwks)["keys"]]


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        (ROTATED_AT, [KeyState.NEXT, KeyState.ACTIVE]),
        (SIGNS_AT - MINUTE, [KeyState.NEXT, KeyState.ACTIVE]),
        (SIGNS_AT, [KeyState.ACTIVE, KeyState.RETIRED]),
    ],
)
def test_next_key_becomes_active_by_the_clock(now: datetime, expected: list[KeyState]) -> None:
    assert states(now) == expected


def test_next_key_is_published_before_it_signs() -> None:
    old, new = keys()
    ring = build_ring(keys(), ROTATED_AT)
    assert published(ROTATED_AT) == [new.kid, old.kid]
    assert ring.signer(KeyUse.ACCESS, "ES256").kid == old.kid


def test_retired_key_is_published_as_long_as_its_tokens_live() -> None:
    old, new = keys()
    assert build_ring(keys(), SIGNS_AT).signer(KeyUse.ACCESS, "ES256").kid == new.kid
    assert published(GONE_AT - MINUTE) == [new.kid, old.kid]
    assert published(GONE_AT) == [new.kid]


def test_retired_key_is_remembered_for_hints() -> None:
    old, new = keys()

    def remembered(now: datetime) -> list[str]:
        return [key.kid for key in build_ring(keys(), now).remembered[KeyUse.ACCESS]]

    assert remembered(GONE_AT + REMEMBERED - MINUTE) == [new.kid, old.kid]
    assert remembered(GONE_AT + REMEMBERED) == [new.kid]


def test_key_set_holds_no_private_part() -> None:
    made = []
    for algorithm in SIGNING_ALGORITHMS:
        kid, private_key = generate_key(algorithm)
        made.append(StoredKey(kid, KeyUse.ANSWER, algorithm, 1, private_key, START, START))
    described = json.loads(build_ring(made, START).jwks)["keys"]
    rsa = ["alg", "e", "kid", "kty", "n", "use"]
    names = {key["alg"]: sorted(key) for key in described}
    assert names == {
        "RS256": rsa,
        "PS256": rsa,
        "ES256": ["alg", "crv", "kid", "kty", "use", "x", "y"],
        "EdDSA": ["alg", "crv", "kid", "kty", "use", "x"],
    }


def test_no_key_is_for_two_uses() -> None:
    ring = provider().keys
    assert len({signer.kid for signer in ring.active.values()}) == len(KEY_KINDS)
    for keys_of in (ring.published, ring.remembered):
        kids = [key.kid for keys in keys_of.values() for key in keys]
        assert len(kids) == len(set(kids)) == len(KEY_KINDS)


def test_key_from_before_uses_were_told_apart_signs_until_those_of_each_are_known() -> None:
    old = replace(keys()[0], use=None)
    new = []
    for generation, use in enumerate(KeyUse, 2):
        kid, private_key = generate_key("ES256")
        new.append(StoredKey(kid, use, "ES256", generation, private_key, ROTATED_AT, SIGNS_AT))
    for now, signing in ((ROTATED_AT, [old.kid] * 3), (SIGNS_AT, [key.kid for key in new])):
        ring = build_ring([old, *new], now)
        assert [ring.signer(use, "ES256").kid for use in KeyUse] == signing
        shown = [key["kid"] for key in json.loads(ring.jwks)["keys"]]
        assert sorted(shown) == sorted(key.kid for key in [old, *new])
        for use in KeyUse:
            assert old.kid in {key.kid for key in ring.published[use]}
    assert old.kid not in build_ring([old, *new], GONE_AT).jwks.decode()
