"""Answer like the Alliance for Parking Data Standards' API 1.0: rights, for reading.

An assigned right names its holder by credentials: the number plate, and beside it an electronic
id of the class `CityAccountReference` that the desk wrote down. The key is `X-Api-Key` or a
bearer token; the standard leaves that open.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from citizen_account.demo.city_facts import (
    CITY,
    PARKING_CARDS,
    PARKING_PRODUCTS,
    STRANGERS_CARD,
    ParkingCard,
    ParkingProduct,
)
from citizen_account.demo.emulators.access import Access
from citizen_account.demo.emulators.faults import Drift, Json, is_lying
from citizen_account.demo.emulators.register import Register

REFERENCE_CLASS = "CityAccountReference"
PLATE_CLASS = "SKNumberPlate"
ISSUER = [{"language": "sk", "string": CITY}, {"language": "en", "string": CITY}]
OFFICE = {"id": "dunajske-mesto", "version": 1, "className": "Organisation"}
STRANGER = "r-somebody-else"
DAY_ENDS = time(21, 59, 59)
PAGE = 100
DRIFT = Drift(
    drop=("rightSpecification", "version", "issuanceTime"),
    put={"expiry": "soon", "issueMethod": "telepathy", "minutesAvailable": "plenty"},
)

View = Callable[[Request], Awaitable[Response]]


def apds_error(status: int, code: str, detail: str) -> Json:
    return {"status": status, "code": code, "message": detail}


@dataclass(frozen=True, slots=True)
class Parking:
    register: Register
    access: Access
    clock: Callable[[], datetime]

    def routes(self) -> list[Route]:
        views: dict[str, View] = {
            "/rights/assigned": self.assigned,
            "/rights/assigned/{id}": self.one_assigned,
            "/rights/specs": self.specifications,
            "/rights/specs/{id}": self.specification,
        }
        return [Route(path, self._guarded(view), methods=["GET"]) for path, view in views.items()]

    async def assigned(self, request: Request) -> Response:
        return self._page([self._right(card) for card in self._cards(request)])

    async def one_assigned(self, request: Request) -> Response:
        return _single(request, [self._right(card) for card in PARKING_CARDS])

    async def specifications(self, _: Request) -> Response:
        return self._page([_specification(product) for product in PARKING_PRODUCTS])

    async def specification(self, request: Request) -> Response:
        return _single(request, [_specification(product) for product in PARKING_PRODUCTS])

    def _guarded(self, view: View) -> View:
        async def guarded(request: Request) -> Response:
            if not self.access.opens_parking(request):
                return JSONResponse(apds_error(401, "not_authenticated", "No key."), 401)
            return await view(request)

        return guarded

    def _cards(self, request: Request) -> Sequence[ParkingCard]:
        """Filter by credential as the standard says; without a filter every right is listed."""
        if is_lying(request):
            return [STRANGERS_CARD]
        asked = request.query_params.get("credential_id")
        if asked is None:
            return PARKING_CARDS
        classes = request.query_params.get("credential_class", REFERENCE_CLASS).split(",")
        wanted = set(asked.split(","))
        return [card for card in PARKING_CARDS if wanted & self._ids(card, classes)]

    def _ids(self, card: ParkingCard, classes: Sequence[str]) -> set[str]:
        known = {PLATE_CLASS: card.plate, REFERENCE_CLASS: self._subject(card)}
        return {one for name, one in known.items() if name in classes and one}

    def _subject(self, card: ParkingCard) -> str:
        return self.register.subject_of(card.letter) if card.letter else STRANGER

    def _right(self, card: ParkingCard) -> Json:
        holders = [_credential(PLATE_CLASS, card.plate, "licensePlate")]
        if subject := self._subject(card):
            holders.append(_credential(REFERENCE_CLASS, subject, "electronicID"))
        right: Json = {
            "id": card.number,
            "version": 1,
            "rightHolder": {"credentials": holders},
            "rightSpecification": {
                "id": card.product,
                "version": 1,
                "className": "RightSpecification",
            },
            "issuanceTime": self._moment(-card.issued, time(7, 0)),
            "expiry": self._moment(card.expires, DAY_ENDS),
            "assignedRightIssuer": {"className": "Organisation", "id": "dunajske-mesto"},
            "issueMethod": "permit",
        }
        if card.minutes_total is not None and card.minutes_left is not None:
            right["totalMinutes"] = card.minutes_total
            right["minutesAvailable"] = card.minutes_left
            right["minutesUsed"] = card.minutes_total - card.minutes_left
        return right

    def _page(self, found: Sequence[Json]) -> Response:
        now = int(self.clock().timestamp())
        meta = {"referenceInstant": now, "offset": 0, "pageSize": PAGE, "total": len(found)}
        return JSONResponse({"meta": meta, "data": found[:PAGE]})

    def _moment(self, offset: int, at: time) -> str:
        day = self.clock().date() + timedelta(days=offset)
        return datetime.combine(day, at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _credential(class_name: str, value: str, kind: str) -> Json:
    return {"identifier": {"className": class_name, "id": value}, "issuer": ISSUER, "type": kind}


def _specification(product: ParkingProduct) -> Json:
    return {
        "id": product.code,
        "version": 1,
        "description": [
            {"language": "sk", "string": product.title_sk},
            {"language": "en", "string": product.title_en},
        ],
        "issuer": OFFICE,
        "transferable": False,
        "type": "permitParking",
        "hierarchyElements": [{"id": product.zone, "version": 1, "className": "IdentifiedArea"}],
        "credentials": [{"type": "licensePlate"}],
    }


def _single(request: Request, found: Sequence[Json]) -> Response:
    wanted = request.path_params["id"]
    record = next((one for one in found if one["id"] == wanted), None)
    if record is None:
        return JSONResponse(apds_error(404, "not_found", "No such object."), 404)
    return JSONResponse(record)
