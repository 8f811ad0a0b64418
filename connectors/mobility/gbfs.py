"""Read bike stations by GBFS 2.3 or 3.0, and see both as 3.0.

What 2.x calls differently is renamed while it is read: bikes are vehicles, times are seconds,
texts have one language, the list of feeds stands below a language.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, TypeVar

from pydantic import AfterValidator, AliasChoices, BeforeValidator, Field

from citizen_account.connector_sdk.errors import ConnectorError, Misconfigured
from citizen_account.connector_sdk.http import ConnectorHttp
from citizen_account.connector_sdk.lenient import Maybe
from citizen_account.connector_sdk.models import Text
from citizen_account.connector_sdk.reading import Said, aware, read, read_each

S = TypeVar("S", bound=Said)
MAJORS = ("2", "3")
# A feed may ask to be kept for ever; and a fault must not last longer than this.
TTL_MAXIMUM = timedelta(hours=1)


def _text(value: object) -> object:
    """Return 3.0's list of texts as a mapping, 2.x's text as it is."""
    if isinstance(value, list):
        parts = [one for one in value if isinstance(one, dict)]
        return {str(one.get("language")): str(one.get("text")) for one in parts}
    return value


Words = Annotated[str | dict[str, str], BeforeValidator(_text)]


def _in_utc(moment: datetime) -> datetime:
    return aware(moment, UTC)


Moment = Annotated[datetime, AfterValidator(_in_utc)]
"""Seconds since 1970 in 2.x, RFC 3339 in 3.0: both are read."""


class Envelope(Said):
    version: str = "1.0"
    last_updated: Moment
    ttl: Maybe[int] = None
    data: dict[str, Any]  # Any: JSON, each feed's own


class Feed(Said):
    name: str
    url: str


class StationInformation(Said):
    station_id: str
    name: Words
    lat: float = Field(ge=-90, le=90)
    lon: float = Field(ge=-180, le=180)


class Count(Said):
    vehicle_type_id: str
    count: int


class StationStatus(Said):
    station_id: str
    vehicles: int = Field(
        validation_alias=AliasChoices("num_vehicles_available", "num_bikes_available")
    )
    docks: Maybe[int] = Field(default=None, validation_alias="num_docks_available")
    is_installed: bool
    is_renting: bool
    is_returning: bool
    last_reported: Maybe[Moment] = None
    by_type: Maybe[list[Count]] = Field(default=None, validation_alias="vehicle_types_available")


class VehicleType(Said):
    vehicle_type_id: str
    propulsion_type: str = ""


class Alert(Said):
    type: str = ""
    station_ids: Maybe[list[str]] = None
    summary: Maybe[Words] = None


@dataclass(frozen=True, slots=True)
class Station:
    """A station as GBFS 3.0 sees it."""

    id: str
    name: Text
    lat: float
    lon: float
    status: StationStatus | None
    electric: int | None
    """How many of the vehicles are electric; None when the system does not tell."""
    alert: Text


@dataclass(frozen=True, slots=True)
class System:
    stations: list[Station]
    as_of: datetime
    fresh_until: datetime


@dataclass
class Gbfs:
    """One bike system. Feeds are kept as long as they ask for; they say nothing of anybody."""

    http: ConnectorHttp
    path: str
    clock: Callable[[], datetime]
    _kept: dict[str, tuple[datetime, Envelope]] = field(default_factory=dict)

    async def system(self) -> System:
        feeds = await self._feeds()
        information = await self._needed(feeds, "station_information")
        status = await self._needed(feeds, "station_status")
        stations = _joined(
            read_each(StationInformation, information.data.get("stations")),
            read_each(StationStatus, status.data.get("stations")),
            await self._optional(VehicleType, feeds, "vehicle_types", "vehicle_types"),
            await self._optional(Alert, feeds, "system_alerts", "alerts"),
        )
        as_of = min(status.last_updated, self.clock())
        return System(stations, as_of, as_of + _lifetime(status))

    async def _feeds(self) -> Mapping[str, str]:
        """Return the feeds of auto-discovery by name, whatever the major version."""
        envelope = await self._fetch("gbfs", self.path)
        if envelope.version.partition(".")[0] not in MAJORS:
            raise Misconfigured("the bike feed is neither GBFS 2 nor GBFS 3")
        listed = envelope.data.get("feeds")
        if listed is None:
            languages = [one for one in envelope.data.values() if isinstance(one, dict)]
            listed = languages[0].get("feeds") if languages else None
        return {feed.name: feed.url for feed in read_each(Feed, listed)}

    async def _needed(self, feeds: Mapping[str, str], name: str) -> Envelope:
        if name not in feeds:
            raise Misconfigured(f"the bike system has no feed {name}")
        return await self._fetch(name, feeds[name])

    async def _optional(
        self, shape: type[S], feeds: Mapping[str, str], name: str, member: str
    ) -> list[S]:
        """Return what a feed lists that the stations can do without."""
        if name not in feeds:
            return []
        try:
            return read_each(shape, (await self._fetch(name, feeds[name])).data.get(member))
        except ConnectorError:
            return []

    async def _fetch(self, name: str, url: str) -> Envelope:
        kept = self._kept.get(name)
        if kept and self.clock() < kept[0]:
            return kept[1]
        envelope = read(Envelope, await self.http.get_json(url))
        self._kept[name] = (self.clock() + _lifetime(envelope), envelope)
        return envelope


def _lifetime(envelope: Envelope) -> timedelta:
    seconds = max(0, min(envelope.ttl or 0, int(TTL_MAXIMUM.total_seconds())))
    return timedelta(seconds=seconds)


def _joined(
    information: list[StationInformation],
    statuses: list[StationStatus],
    types: list[VehicleType],
    alerts: list[Alert],
) -> list[Station]:
    by_id = {status.station_id: status for status in statuses}
    electric = {one.vehicle_type_id for one in types if one.propulsion_type.startswith("electric")}
    told = {station: alert.summary for alert in alerts for station in alert.station_ids or ()}
    return [
        Station(
            id=one.station_id,
            name=one.name,
            lat=one.lat,
            lon=one.lon,
            status=by_id.get(one.station_id),
            electric=_electric(by_id.get(one.station_id), electric),
            alert=told.get(one.station_id) or "",
        )
        for one in information
    ]


def _electric(status: StationStatus | None, types: set[str]) -> int | None:
    if status is None or status.by_type is None:
        return None
    return sum(one.count for one in status.by_type if one.vehicle_type_id in types)
