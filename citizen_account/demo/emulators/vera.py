"""Answer like VERA 4.3 Woonruimteverdeling (housing allocation), for reading.

A list for city flats is a publication of the model OPT (a waiting list), an application is a
reaction to it. The standard has no member for the length of the list, the address and the rent
in this domain: they travel in its `extra-attributen`. The person is the URI of a "relatie" whose
last part is the reference that the desk wrote down.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from citizen_account.demo.city_facts import (
    FLAT_APPLICATIONS,
    HOUSING,
    STRANGERS_APPLICATION,
    FlatApplication,
    FlatOffer,
)
from citizen_account.demo.emulators.access import Access
from citizen_account.demo.emulators.faults import Drift, Json, is_lying
from citizen_account.demo.emulators.register import Register

RELATIONS = "https://relaties.dunajske-mesto.example/v4/relaties/"
APPOINTMENTS = "https://relaties.dunajske-mesto.example/v4/afspraken/"
UNITS = "https://vastgoed.dunajske-mesto.example/v4/eenheden/"
STRANGER = "r-somebody-else"
ORGANISATION = "dunajske-mesto"
NOON = time(12, 0)
PAGE_DEFAULT, PAGE_MAXIMUM = 20, 100
DRIFT = Drift(
    drop=("positie", "publicatie", "naam"),
    put={"vervaldatum": "čoskoro", "status": {"code": "NIEUW"}, "datum": 20261123},
)

View = Callable[[Request], Awaitable[Response]]


def vera_error(_: int, code: str, detail: str) -> Json:
    return {"code": code, "omschrijving": detail}


@dataclass(frozen=True, slots=True)
class Vera:
    register: Register
    access: Access
    clock: Callable[[], datetime]

    def routes(self) -> list[Route]:
        views: dict[str, View] = {
            "/reacties": self.reactions,
            "/reacties/{id}": self.reaction,
            "/aanbiedingen": self.offers,
            "/aanbiedingen/{id}": self.offer,
            "/publicaties": self.publications,
            "/publicaties/{id}": self.publication,
        }
        guarded = [
            Route(path, self._guarded(view), methods=["GET"]) for path, view in views.items()
        ]
        return [Route("/ping", _ping, methods=["GET"]), *guarded]

    async def reactions(self, request: Request) -> Response:
        found = self._applications(request, request.query_params.get("relaties"))
        return _page(request, [self._reaction(application) for application in found])

    async def reaction(self, request: Request) -> Response:
        return _single(request, [self._reaction(one) for one in _all()])

    async def offers(self, request: Request) -> Response:
        found = self._applications(request, request.query_params.get("relatie"))
        return _page(request, self._offers(found))

    async def offer(self, request: Request) -> Response:
        return _single(request, self._offers(_all()))

    async def publications(self, request: Request) -> Response:
        return _page(request, self._publications())

    async def publication(self, request: Request) -> Response:
        return _single(request, self._publications())

    def _guarded(self, view: View) -> View:
        async def guarded(request: Request) -> Response:
            if not self.access.opens_vera(request):
                return JSONResponse(
                    vera_error(401, "NIET_GEAUTORISEERD", "Niet geautoriseerd"), 401
                )
            return await view(request)

        return guarded

    def _applications(self, request: Request, person: str | None) -> Sequence[FlatApplication]:
        if is_lying(request):
            return [STRANGERS_APPLICATION]
        if person is None:
            return _all()
        subject = person.removeprefix(RELATIONS)
        opened = {letter.reference for letter in self.register.letters_of(HOUSING, subject)}
        return [one for one in FLAT_APPLICATIONS if one.letter in opened]

    def _person(self, application: FlatApplication) -> str:
        subject = self.register.subject_of(application.letter) or application.number
        return RELATIONS + (subject if application.letter else STRANGER)

    def _reaction(self, application: FlatApplication) -> Json:
        return {
            "id": application.number,
            "idOrganisatie": ORGANISATION,
            "code": application.number,
            "soort": "inschrijving",
            "status": _reference("REACTIESTATUS", "ACT", "Na čakacej listine"),
            "datum": self._moment(-application.registered),
            "positie": application.position,
            "publicatie": {"id": application.list_code, "code": application.list_code},
            "relaties": [self._person(application)],
            "statusToelichting": "",
            "extra-attributen": [
                _extra("aantalReacties", str(application.of)),
                _extra("positiePeildatum", self._day(-application.counted).isoformat()),
                _extra("verlengenVoor", self._day(application.renew_in).isoformat()),
            ],
        }

    def _offers(self, applications: Sequence[FlatApplication]) -> list[Json]:
        return [self._offer(one, offer) for one in applications for offer in one.offers]

    def _offer(self, application: FlatApplication, offer: FlatOffer) -> Json:
        return {
            "id": offer.number,
            "idOrganisatie": ORGANISATION,
            "code": offer.number,
            "status": _reference("AANBIEDINGSTATUS", "AAN", "Aangeboden"),
            "datum": self._moment(-offer.offered),
            "vervaldatum": self._moment(offer.answer_in, time(22, 0)),
            "bezichtiging": f"{APPOINTMENTS}{offer.number}",
            "eenheid": f"{UNITS}{offer.number}",
            "publicatie": {"id": offer.number, "code": offer.number},
            "relatie": self._person(application),
        }

    def _publications(self) -> list[Json]:
        lists = [self._list(application) for application in _all()]
        flats = [self._flat(offer) for one in _all() for offer in one.offers]
        return lists + flats

    def _list(self, application: FlatApplication) -> Json:
        return {
            "id": application.list_code,
            "idOrganisatie": ORGANISATION,
            "code": application.list_code,
            "status": _reference("PUBLICATIESTATUS", "GEP", "Gepubliceerd"),
            "model": _reference("PUBLICATIEMODEL", "OPT", "Optiemodel"),
            "overeenkomstsoort": _reference("OVEREENKOMSTSOORT", "HUU", "Huur"),
            "label": application.list_title,
            "wachttijd": application.waiting_months,
        }

    def _flat(self, offer: FlatOffer) -> Json:
        return {
            "id": offer.number,
            "idOrganisatie": ORGANISATION,
            "code": offer.number,
            "status": _reference("PUBLICATIESTATUS", "AAN", "In aanbieding"),
            "model": _reference("PUBLICATIEMODEL", "OPT", "Optiemodel"),
            "bezichtigingsdatum": self._moment(offer.viewing_in, time(15, 30)),
            "eenheden": [f"{UNITS}{offer.number}"],
            "label": offer.address,
            "extra-attributen": [
                _extra("adres", offer.address),
                _extra("huurprijs", f"{offer.rent_cents / 100:.2f}"),
                _extra("valuta", "EUR"),
            ],
        }

    def _day(self, offset: int) -> date:
        return self.clock().date() + timedelta(days=offset)

    def _moment(self, offset: int, at: time = NOON) -> str:
        moment = datetime.combine(self._day(offset), at, UTC)
        return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def _all() -> Sequence[FlatApplication]:
    return (*FLAT_APPLICATIONS, STRANGERS_APPLICATION)


def _reference(kind: str, code: str, name: str) -> Json:
    """Write a value of VERA's reference data."""
    return {"code": code, "soort": {"code": kind}, "naam": name}


def _extra(name: str, value: str) -> Json:
    return {"naam": name, "waarde": value}


async def _ping(_: Request) -> Response:
    return Response(status_code=200)


def _page(request: Request, found: Sequence[Json]) -> Response:
    page = _number(request.query_params.get("pagina"), 1)
    size = min(
        _number(request.headers.get("x-parameters-aantalperpagina"), PAGE_DEFAULT), PAGE_MAXIMUM
    )
    headers = {
        "X-Parameters-Aantal": str(len(found)),
        "X-Parameters-AantalPerPagina": str(size),
        "X-Parameters-Pagina": str(page),
    }
    return JSONResponse(found[(page - 1) * size : page * size], headers=headers)


def _number(given: str | None, default: int) -> int:
    if given is None or not given.isascii() or not given.isdigit():
        return default
    return max(1, int(given[:6]))


def _single(request: Request, found: Sequence[Json]) -> Response:
    wanted = request.path_params["id"]
    record = next((one for one in found if one["id"] == wanted), None)
    if record is None:
        return JSONResponse(vera_error(404, "NIET_GEVONDEN", "Niet gevonden"), 404)
    return JSONResponse(record)
