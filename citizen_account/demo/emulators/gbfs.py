"""Serve two bike systems: one speaks GBFS 2.3, the newer one GBFS 3.0. Public, without a key."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from citizen_account.demo.city_facts import CENTRE, DOCKS_NEW, DOCKS_OLD, Dock
from citizen_account.demo.emulators.faults import Drift, Json

OLD, NEW = "dunaj-bikes", "dunaj-ebikes"
METRES_A_DEGREE = 111_320.0
TTL, TTL_OF_FACTS = 30, 3600
# Feeds are renewed in step, so that two requests in a row agree.
STEP_SECONDS = 30
NAMES = {"sk": "Dunajské bicykle", "en": "Danube Bikes"}
HELP = "bicykle@dunajske-mesto.example"
FEEDS = (
    "gbfs_versions",
    "system_information",
    "vehicle_types",
    "station_information",
    "station_status",
    "system_alerts",
)
DRIFT = Drift(
    drop=("is_renting", "num_docks_available", "name"),
    put={"last_reported": "yesterday", "lat": "north", "ttl": "short"},
)


def gbfs_error(status: int, code: str, detail: str) -> Json:
    """GBFS defines no error body: its hosts answer something of their own."""
    return {"error": code, "status": status, "message": detail}


@dataclass(frozen=True, slots=True)
class Gbfs:
    clock: Callable[[], datetime]

    def routes(self) -> list[Route]:
        return [
            Route("/manifest.json", self.manifest, methods=["GET"]),
            Route(f"/{OLD}/2.3/{{feed}}.json", self.old, methods=["GET"]),
            Route(f"/{NEW}/3.0/{{feed}}.json", self.new, methods=["GET"]),
        ]

    async def manifest(self, request: Request) -> Response:
        """List the systems, which only 3.0 knows how to do."""
        systems = [
            {
                "system_id": one,
                "versions": [{"version": version, "url": _url(request, one, version)}],
            }
            for one, version in ((OLD, "2.3"), (NEW, "3.0"))
        ]
        return _answer(self._envelope("3.0", {"datasets": systems}, TTL_OF_FACTS))

    async def old(self, request: Request) -> Response:
        now = self._now()
        feeds: Mapping[str, Callable[[], Json]] = {
            "gbfs": lambda: {"sk": {"feeds": _feeds(request, OLD, "2.3")}},
            "gbfs_versions": lambda: _versions(request, OLD, "2.3"),
            "system_information": _system_2,
            "vehicle_types": lambda: _vehicle_types(_plain),
            "station_information": lambda: _stations(DOCKS_OLD, _plain),
            "station_status": lambda: _statuses_2(now),
            "system_alerts": lambda: _alerts_2(now),
        }
        return self._feed(request, "2.3", feeds)

    async def new(self, request: Request) -> Response:
        now = self._now()
        feeds: Mapping[str, Callable[[], Json]] = {
            "gbfs": lambda: {"feeds": _feeds(request, NEW, "3.0")},
            "gbfs_versions": lambda: _versions(request, NEW, "3.0"),
            "system_information": _system_3,
            "vehicle_types": lambda: _vehicle_types(_local),
            "station_information": lambda: _stations(DOCKS_NEW, _local),
            "station_status": lambda: _statuses_3(now),
            "system_alerts": lambda: {"alerts": []},
        }
        return self._feed(request, "3.0", feeds)

    def _feed(
        self, request: Request, version: str, feeds: Mapping[str, Callable[[], Json]]
    ) -> Response:
        name = request.path_params["feed"]
        if name not in feeds:
            return JSONResponse(gbfs_error(404, "not_found", "No such feed."), 404)
        ttl = TTL if name in ("station_status", "system_alerts") else TTL_OF_FACTS
        return _answer(self._envelope(version, feeds[name](), ttl))

    def _envelope(self, version: str, data: Json, ttl: int) -> Json:
        now = self._now()
        updated: object = int(now.timestamp()) if version == "2.3" else _rfc3339(now)
        return {"last_updated": updated, "ttl": ttl, "version": version, "data": data}

    def _now(self) -> datetime:
        seconds = int(self.clock().timestamp())
        return datetime.fromtimestamp(seconds - seconds % STEP_SECONDS, UTC)


def _answer(body: Json) -> Response:
    return JSONResponse(body, headers={"Cache-Control": f"public, max-age={body['ttl']}"})


def _url(request: Request, system: str, version: str, feed: str = "gbfs") -> str:
    root = str(request.scope.get("root_path", "")).rstrip("/")
    return f"{request.url.scheme}://{request.url.netloc}{root}/{system}/{version}/{feed}.json"


def _feeds(request: Request, system: str, version: str) -> list[Json]:
    return [{"name": name, "url": _url(request, system, version, name)} for name in FEEDS]


def _versions(request: Request, system: str, version: str) -> Json:
    return {"versions": [{"version": version, "url": _url(request, system, version)}]}


def _plain(text: str) -> object:
    return text


def _local(text: str) -> object:
    return [{"text": text, "language": "sk"}]


def _system_2() -> Json:
    return {
        "system_id": OLD.replace("-", "_"),
        "language": "sk",
        "name": NAMES["sk"],
        "timezone": "Europe/Bratislava",
        "email": HELP,
        "feed_contact_email": HELP,
    }


def _system_3() -> Json:
    return {
        "system_id": NEW.replace("-", "_"),
        "languages": ["sk", "en"],
        "name": [{"text": text, "language": language} for language, text in NAMES.items()],
        "opening_hours": "24/7",
        "timezone": "Europe/Bratislava",
        "email": HELP,
        "feed_contact_email": HELP,
    }


def _vehicle_types(text: Callable[[str], object]) -> Json:
    bike = {
        "vehicle_type_id": "bike",
        "form_factor": "bicycle",
        "propulsion_type": "human",
        "name": text("Bicykel"),
    }
    ebike = {
        "vehicle_type_id": "ebike",
        "form_factor": "bicycle",
        "propulsion_type": "electric_assist",
        "max_range_meters": 45000,
        "name": text("Elektrobicykel"),
    }
    return {"vehicle_types": [bike, ebike]}


def _stations(docks: Sequence[Dock], text: Callable[[str], object]) -> Json:
    return {
        "stations": [
            {
                "station_id": dock.code,
                "name": text(dock.name),
                "lat": round(CENTRE[0] + dock.north / METRES_A_DEGREE, 6),
                "lon": round(CENTRE[1] + dock.east / _metres_a_degree_east(), 6),
                "capacity": dock.capacity,
            }
            for dock in docks
        ]
    }


def _metres_a_degree_east() -> float:
    return METRES_A_DEGREE * math.cos(math.radians(CENTRE[0]))


def _status(dock: Dock) -> Json:
    """Write what both versions say alike."""
    return {
        "station_id": dock.code,
        "num_docks_available": dock.capacity - dock.bikes - dock.ebikes if dock.is_installed else 0,
        "is_installed": dock.is_installed,
        "is_renting": dock.is_renting,
        "is_returning": dock.is_installed,
        "vehicle_types_available": [
            {"vehicle_type_id": "bike", "count": dock.bikes},
            {"vehicle_type_id": "ebike", "count": dock.ebikes},
        ],
    }


def _reported(dock: Dock, now: datetime) -> datetime:
    return now - timedelta(hours=dock.silent_hours, seconds=STEP_SECONDS)


def _statuses_2(now: datetime) -> Json:
    return {
        "stations": [
            {
                **_status(dock),
                "num_bikes_available": dock.bikes + dock.ebikes,
                "last_reported": int(_reported(dock, now).timestamp()),
            }
            for dock in DOCKS_OLD
        ]
    }


def _statuses_3(now: datetime) -> Json:
    return {
        "stations": [
            {
                **_status(dock),
                "num_vehicles_available": dock.bikes + dock.ebikes,
                "last_reported": _rfc3339(_reported(dock, now)),
            }
            for dock in DOCKS_NEW
        ]
    }


def _alerts_2(now: datetime) -> Json:
    closed = [dock for dock in DOCKS_OLD if not dock.is_installed]
    return {
        "alerts": [
            {
                "alert_id": f"zatvorena-{dock.code}",
                "type": "station_closure",
                "station_ids": [dock.code],
                "summary": f"Stanica {dock.name} je dočasne zatvorená",
                "last_updated": int((now - timedelta(hours=5)).timestamp()),
            }
            for dock in closed
        ]
    }


def _rfc3339(moment: datetime) -> str:
    return moment.isoformat().replace("+00:00", "Z")
