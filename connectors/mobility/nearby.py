"""Say which bike stations are near, and what can be done there."""

import math
from collections.abc import Sequence
from datetime import datetime, timedelta

from citizen_account.connector_sdk.models import Detail, Place, PlaceState, in_language
from connectors.mobility.gbfs import Station, StationStatus, System

KIND = "bike-dock"
EARTH_METRES = 6_371_000
# A station that has been silent so long may show anything.
STALE_AFTER = timedelta(hours=3)


def places_within(
    systems: Sequence[System], lat: float, lon: float, radius: float, now: datetime
) -> tuple[Place, ...]:
    """Return the stations within the radius in metres, the nearest first."""
    found = [
        (distance(lat, lon, station.lat, station.lon), place_of(station, system, now))
        for system in systems
        for station in system.stations
    ]
    near = sorted((one for one in found if one[0] <= radius), key=lambda one: one[0])
    return tuple(place for _, place in near)


def distance(lat: float, lon: float, other_lat: float, other_lon: float) -> float:
    """Return the great-circle distance in metres."""
    north = math.radians(other_lat - lat)
    east = math.radians(other_lon - lon)
    along = math.cos(math.radians(lat)) * math.cos(math.radians(other_lat))
    half = math.sin(north / 2) ** 2 + along * math.sin(east / 2) ** 2
    return 2 * EARTH_METRES * math.asin(min(1.0, math.sqrt(half)))


def place_of(station: Station, system: System, now: datetime) -> Place:
    status = station.status
    return Place(
        id=station.id,
        kind=KIND,
        name=station.name,
        lat=station.lat,
        lon=station.lon,
        state=_state(status, now),
        details=_details(station, status, now),
        fresh_until=system.fresh_until,
    )


def _is_stale(status: StationStatus, now: datetime) -> bool:
    return status.last_reported is not None and now - status.last_reported > STALE_AFTER


def _state(status: StationStatus | None, now: datetime) -> PlaceState:
    if status is None:
        return PlaceState.UNKNOWN
    if not status.is_installed or not (status.is_renting or status.is_returning):
        return PlaceState.CLOSED
    if _is_stale(status, now):
        return PlaceState.UNKNOWN
    return PlaceState.AVAILABLE if status.is_renting and status.vehicles > 0 else PlaceState.EMPTY


def _details(station: Station, status: StationStatus | None, now: datetime) -> dict[str, Detail]:
    details: dict[str, Detail] = {}
    if status is not None:
        details = {
            "bikes": max(0, status.vehicles),
            "is_renting": status.is_renting,
            "is_returning": status.is_returning,
            "is_stale": _is_stale(status, now),
        }
        if status.docks is not None:
            details["docks"] = max(0, status.docks)
        if station.electric is not None:
            details["ebikes"] = max(0, station.electric)
    if station.alert:
        details["alert"] = in_language(station.alert, "sk")
    return details
