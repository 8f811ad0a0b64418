"""Answer like ZGW Zaken 1.5 and Catalogi 1.3 as Open Zaak 1.30 serves them, for reading.

Faithful to recorded answers where the standard is loose: 403 without a token, unknown filters
and references longer than 17 characters are 400, pages come in an envelope, single records have
an ETag. Like Open Zaak it gives any client every resident's cases: the account is the boundary.
"""

import hashlib
import json
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import NAMESPACE_URL, uuid5

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from citizen_account.demo.city_facts import (
    PERMIT_CASES,
    PERMITS,
    STRANGERS_CASE,
    PermitCase,
)
from citizen_account.demo.emulators.access import Access
from citizen_account.demo.emulators.faults import Drift, Json, is_lying
from citizen_account.demo.emulators.register import Register
from citizen_account.demo.emulators.zgw_records import KINDS, Cases, Catalogue

VERSIONS = {"zaken": "1.5.1", "catalogi": "1.3.1"}
PERSON = "natuurlijkPersoon__anpIdentificatie"
CASE_FILTER = f"rol__betrokkeneIdentificatie__{PERSON}"
ROLE_FILTER = f"betrokkeneIdentificatie__{PERSON}"
SUBJECT_MAXIMUM = 17
PAGE_DEFAULT, PAGE_MAXIMUM = 100, 500
PAGING = {"page", "pageSize"}
TITLES = {
    400: ("ValidationError", "Ongeldige invoer."),
    401: ("NotAuthenticated", "Authenticatiegegevens zijn niet opgegeven."),
    403: ("PermissionDenied", "Je hebt geen toestemming om deze actie uit te voeren."),
    404: ("NotFound", "Niet gevonden."),
    429: ("Throttled", "Request was throttled."),
    503: ("APIException", "De service is niet beschikbaar."),
}
DRIFT = Drift(
    drop=("uiterlijkeEinddatumAfdoening", "omschrijving", "laatstGemuteerd", "volgnummer"),
    put={"isEindstatus": "misschien", "indicatieLaatstGezetteStatus": "ja", "einddatum": 7},
)

View = Callable[[Request], Awaitable[Response]]


class Invalid(Exception):  # noqa: N818 - says what the input is
    """A parameter breaks a rule: 400 with `invalidParams`."""

    def __init__(self, name: str, code: str, reason: str) -> None:
        super().__init__(code)
        self.param = {"name": name, "code": code, "reason": reason}


def zgw_error(status: int, code: str, detail: str) -> Json:
    """Write an error as recorded from Open Zaak ("Fout")."""
    kind, title = TITLES.get(status, ("APIException", detail))
    return {
        "type": f"https://zgw.dunajske-mesto.example/ref/fouten/{kind}/",
        "code": code,
        "title": title,
        "status": status,
        "detail": detail if status not in TITLES else title,
        "instance": f"urn:uuid:{uuid5(NAMESPACE_URL, f'{status}:{code}')}",
    }


@dataclass(frozen=True, slots=True)
class Zgw:
    register: Register
    access: Access
    clock: Callable[[], datetime]

    def routes(self) -> list[Route]:
        views: dict[str, View] = {
            "/zaken/api/v1/zaken": self.cases,
            "/zaken/api/v1/zaken/{uuid}": self.case,
            "/zaken/api/v1/zaken/{uuid}/zaakeigenschappen": self.properties,
            "/zaken/api/v1/statussen": self.statuses,
            "/zaken/api/v1/statussen/{uuid}": self.status,
            "/zaken/api/v1/resultaten": self.results,
            "/zaken/api/v1/resultaten/{uuid}": self.result,
            "/zaken/api/v1/rollen": self.roles,
            "/zaken/api/v1/rollen/{uuid}": self.role,
            "/catalogi/api/v1/zaaktypen": self.case_types,
            "/catalogi/api/v1/zaaktypen/{uuid}": self.case_type,
            "/catalogi/api/v1/statustypen": self.status_types,
            "/catalogi/api/v1/statustypen/{uuid}": self.status_type,
            "/catalogi/api/v1/resultaattypen": self.result_types,
            "/catalogi/api/v1/resultaattypen/{uuid}": self.result_type,
        }
        return [
            Route(path, self._guarded(view, path.split("/")[1]), methods=["GET"])
            for path, view in views.items()
        ]

    # --- Zaken ------------------------------------------------------------------------------

    async def cases(self, request: Request) -> Response:
        allowed = {CASE_FILTER, "identificatie", "expand", "ordering"}
        _check(request, allowed, CASE_FILTER)
        found = self._cases_of(request, request.query_params.get(CASE_FILTER))
        number = request.query_params.get("identificatie")
        records = self._records(request)
        chosen = [records.case(one) for one in found if number in (None, one.number)]
        ordering = request.query_params.get("ordering", "-startdatum")
        chosen.sort(key=lambda one: str(one[ordering.lstrip("-")]), reverse=ordering[0] == "-")
        return _page(request, [{**one, "_expand": {}} for one in chosen])

    async def case(self, request: Request) -> Response:
        records = self._records(request)
        found = _one((records.case(case) for case in self._all()), request)
        return _single(request, None if found is None else {**found, "_expand": {}})

    async def properties(self, request: Request) -> Response:
        records = self._records(request)
        for case in self._all():
            if records.case(case)["uuid"] == request.path_params["uuid"]:
                return JSONResponse(records.properties(case))
        return _not_found()

    async def statuses(self, request: Request) -> Response:
        _check(request, {"zaak", "statustype", "indicatieLaatstGezetteStatus"})
        records = self._records(request)
        found = [status for case in self._all() for status in records.statuses(case)]
        return _page(request, _matching(found, request, "zaak", "statustype"))

    async def status(self, request: Request) -> Response:
        records = self._records(request)
        found = (status for case in self._all() for status in records.statuses(case))
        return _single(request, _one(found, request))

    async def results(self, request: Request) -> Response:
        _check(request, {"zaak", "resultaattype"})
        return _page(request, _matching(self._results(request), request, "zaak"))

    async def result(self, request: Request) -> Response:
        return _single(request, _one(self._results(request), request))

    async def roles(self, request: Request) -> Response:
        _check(
            request, {"zaak", "betrokkeneType", "omschrijvingGeneriek", ROLE_FILTER}, ROLE_FILTER
        )
        found = self._cases_of(request, request.query_params.get(ROLE_FILTER))
        roles = [self._role(request, case) for case in found]
        return _page(request, _matching(roles, request, "zaak", "omschrijvingGeneriek"))

    async def role(self, request: Request) -> Response:
        roles = (self._role(request, case) for case in self._all())
        return _single(request, _one(roles, request))

    # --- Catalogi ---------------------------------------------------------------------------

    async def case_types(self, request: Request) -> Response:
        _check(request, {"identificatie", "status", "catalogus"})
        catalogue = _catalogue(request)
        found = [catalogue.case_type(kind) for kind in KINDS.values()]
        return _page(request, _matching(found, request, "identificatie"))

    async def case_type(self, request: Request) -> Response:
        catalogue = _catalogue(request)
        return _single(request, _one(map(catalogue.case_type, KINDS.values()), request))

    async def status_types(self, request: Request) -> Response:
        _check(request, {"zaaktype", "zaaktypeIdentificatie", "status"})
        return _page(request, _matching(_status_types(request), request, "zaaktype"))

    async def status_type(self, request: Request) -> Response:
        return _single(request, _one(_status_types(request), request))

    async def result_types(self, request: Request) -> Response:
        _check(request, {"zaaktype", "zaaktypeIdentificatie", "status"})
        return _page(request, _matching(_result_types(request), request, "zaaktype"))

    async def result_type(self, request: Request) -> Response:
        return _single(request, _one(_result_types(request), request))

    # --- what the views share ---------------------------------------------------------------

    def _guarded(self, view: View, api: str) -> View:
        async def guarded(request: Request) -> Response:
            if not self.access.opens_zgw(request, self.clock()):
                response: Response = JSONResponse(zgw_error(403, "permission_denied", ""), 403)
            else:
                try:
                    response = await view(request)
                except Invalid as error:
                    body = zgw_error(400, "invalid", "") | {"invalidParams": [error.param]}
                    response = JSONResponse(body, 400)
            response.headers["API-version"] = VERSIONS[api]
            return response

        return guarded

    def _records(self, request: Request) -> Cases:
        return Cases(_root(request), self.clock().date())

    def _all(self) -> Sequence[PermitCase]:
        return (*PERMIT_CASES, STRANGERS_CASE)

    def _cases_of(self, request: Request, subject: str | None) -> Sequence[PermitCase]:
        """Return the cases on which the subject was registered; every case without a filter."""
        if is_lying(request):
            return [STRANGERS_CASE]
        if subject is None:
            return self._all()
        opened = {letter.reference for letter in self.register.letters_of(PERMITS, subject)}
        return [case for case in PERMIT_CASES if case.letter in opened]

    def _results(self, request: Request) -> list[Json]:
        records = self._records(request)
        return [records.result(case) for case in self._all() if case.result]

    def _role(self, request: Request, case: PermitCase) -> Json:
        return self._records(request).role(case, self.register.subject_of(case.letter))


def _root(request: Request) -> str:
    """Return where the emulator is mounted, without a slash at the end."""
    path = str(request.scope.get("root_path", "")).rstrip("/")
    return f"{request.url.scheme}://{request.url.netloc}{path}"


def _catalogue(request: Request) -> Catalogue:
    return Catalogue(_root(request))


def _status_types(request: Request) -> list[Json]:
    catalogue = _catalogue(request)
    return [one for kind in KINDS.values() for one in catalogue.status_types(kind)]


def _result_types(request: Request) -> list[Json]:
    catalogue = _catalogue(request)
    return [one for kind in KINDS.values() for one in catalogue.result_types(kind)]


def _check(request: Request, allowed: set[str], subject_filter: str = "") -> None:
    for name, value in request.query_params.items():
        if name not in allowed | PAGING:
            raise Invalid("nonFieldErrors", "unknown-parameters", f"Onbekende parameters: {name}")
        if name == subject_filter and len(value) > SUBJECT_MAXIMUM:
            reason = f"Dit veld mag niet meer dan {SUBJECT_MAXIMUM} karakters bevatten."
            raise Invalid(name, "max_length", reason)


def _matching(found: Iterable[Json], request: Request, *names: str) -> list[Json]:
    wanted = {name: request.query_params[name] for name in names if name in request.query_params}
    return [one for one in found if all(one[name] == value for name, value in wanted.items())]


def _one(found: Iterable[Json], request: Request) -> Json | None:
    uuid = request.path_params["uuid"]
    return next((one for one in found if str(one["url"]).endswith(f"/{uuid}")), None)


def _single(request: Request, record: Json | None) -> Response:
    if record is None:
        return _not_found()
    etag = f'"{hashlib.sha256(json.dumps(record).encode()).hexdigest()[:32]}"'
    if request.headers.get("if-none-match") == etag:
        return Response(status_code=304, headers={"ETag": etag})
    return JSONResponse(record, headers={"ETag": etag})


def _not_found() -> Response:
    return JSONResponse(zgw_error(404, "not_found", ""), 404)


def _page(request: Request, found: Sequence[Json]) -> Response:
    page = _number(request, "page", 1)
    size = min(_number(request, "pageSize", PAGE_DEFAULT), PAGE_MAXIMUM)
    first, last = (page - 1) * size, page * size
    if first and first >= len(found):
        return _not_found()
    body = {
        "count": len(found),
        "next": _page_url(request, page + 1) if last < len(found) else None,
        "previous": _page_url(request, page - 1) if page > 1 else None,
        "results": found[first:last],
    }
    return JSONResponse(body)


def _page_url(request: Request, page: int) -> str:
    return str(request.url.include_query_params(page=page))


def _number(request: Request, name: str, default: int) -> int:
    given = request.query_params.get(name, str(default))
    if not given.isascii() or not given.isdigit() or not 0 < int(given[:9]) < PAGE_MAXIMUM * 1000:
        raise Invalid(name, "invalid", "Een geldig getal is vereist.")
    return int(given)
