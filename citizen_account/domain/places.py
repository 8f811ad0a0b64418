"""Describe public places near home: what a source last said, and where home is."""

import math
from dataclasses import dataclass
from datetime import datetime, timedelta

REFRESH_EVERY = timedelta(minutes=1)
# What was said longer ago is shown as the last known state.
OLD = timedelta(minutes=5)
EARTH_METRES = 6_371_000


@dataclass(frozen=True, slots=True)
class Position:
    """WGS 84, in degrees."""

    latitude: float
    longitude: float


@dataclass(frozen=True, slots=True)
class Home:
    """The place that a resident chose as the one near her home."""

    place_id: str
    position: Position


@dataclass(frozen=True, slots=True)
class PublicSnapshot:
    """What a connector last said of public places; `payload` is JSON of the SDK's places."""

    connector_id: str
    payload: bytes
    as_of: datetime | None
    failing_since: datetime | None


def metres_between(one: Position, other: Position) -> int:
    """Return the great-circle distance, rounded to ten metres."""
    north = math.radians(other.latitude - one.latitude)
    east = math.radians(other.longitude - one.longitude)
    along = math.cos(math.radians(one.latitude)) * math.cos(math.radians(other.latitude))
    half = math.sin(north / 2) ** 2 + along * math.sin(east / 2) ** 2
    return int(round(2 * EARTH_METRES * math.asin(min(1.0, math.sqrt(half))), -1))
