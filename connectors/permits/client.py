"""Read ZGW Zaken and Catalogi: the requests, and the shapes of what comes back."""

import asyncio
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Annotated, Any, TypeVar
from uuid import UUID

from pydantic import AfterValidator, Field

from citizen_account.connector_sdk.errors import Gone, Misconfigured
from citizen_account.connector_sdk.http import ConnectorHttp, Params, Reply
from citizen_account.connector_sdk.lenient import Maybe
from citizen_account.connector_sdk.reading import Json, Said, aware, read, read_each

ZAKEN = "zaken/api/v1"
CATALOGI = "catalogi/api/v1"
# The coordinates that Zaken wants to be asked for (its header Accept-Crs).
CRS = {"Accept-Crs": "EPSG:4326"}
SUBJECT_OF_ROLE = "betrokkeneIdentificatie__natuurlijkPersoon__anpIdentificatie"
MOST_TYPES = 100
T = TypeVar("T")
S = TypeVar("S", bound=Said)


def _in_utc(moment: datetime) -> datetime:
    return aware(moment, UTC)


Moment = Annotated[datetime, AfterValidator(_in_utc)]


class Page(Said):
    next: Maybe[str] = None
    results: list[Any]  # Any: JSON that is read one by one


class Zaak(Said):
    url: str
    uuid: UUID
    number: str = Field(alias="identificatie")
    title: str = Field(default="", alias="omschrijving")
    case_type: str = Field(alias="zaaktype")
    opened: date = Field(alias="startdatum")
    ended: Maybe[date] = Field(default=None, alias="einddatum")
    planned: Maybe[date] = Field(default=None, alias="einddatumGepland")
    due: Maybe[date] = Field(default=None, alias="uiterlijkeEinddatumAfdoening")
    result: Maybe[str] = Field(default=None, alias="resultaat")
    properties: Maybe[list[str]] = Field(default=None, alias="eigenschappen")


class Status(Said):
    status_type: str = Field(alias="statustype")
    at: Moment = Field(alias="datumStatusGezet")
    note: str = Field(default="", alias="statustoelichting")


class CaseType(Said):
    code: str = Field(alias="identificatie")
    title: str = Field(default="", alias="omschrijving")


class StatusType(Said):
    url: str
    title: str = Field(default="", alias="omschrijving")
    generic: str = Field(default="", alias="omschrijvingGeneriek")
    number: int = Field(alias="volgnummer")
    is_last: Maybe[bool] = Field(default=None, alias="isEindstatus")


class Result(Said):
    result_type: str = Field(alias="resultaattype")
    note: str = Field(default="", alias="toelichting")


class ResultType(Said):
    title: str = Field(default="", alias="omschrijving")
    generic: str = Field(default="", alias="omschrijvingGeneriek")


class Property(Said):
    name: str = Field(alias="naam")
    value: str = Field(alias="waarde")


class Person(Said):
    subject: str = Field(default="", alias="anpIdentificatie")


class Role(Said):
    person: Maybe[Person] = Field(default=None, alias="betrokkeneIdentificatie")


@dataclass(frozen=True, slots=True)
class Catalogued:
    """What the catalogue says of a kind of case."""

    kind: CaseType
    steps: Sequence[StatusType]
    """In their order."""


@dataclass(frozen=True, slots=True)
class Dossier:
    """A case with all that belongs to it."""

    zaak: Zaak
    owner: str
    """The reference of the applicant, as the case's own role states it; empty without one."""
    kind: CaseType
    steps: Sequence[StatusType]
    statuses: Sequence[Status]
    properties: Sequence[Property]
    result: Result | None = None
    result_type: ResultType | None = None


@dataclass(frozen=True, slots=True)
class Zgw:
    http: ConnectorHttp

    async def zaken(self, subject: str, page: int, size: int) -> tuple[list[Zaak], bool, Reply]:
        """Return a page of the cases on which the subject is registered, and if more follow."""
        params: Params = {f"rol__{SUBJECT_OF_ROLE}": subject, "page": page, "pageSize": size}
        reply = await self._reply(f"{ZAKEN}/zaken", params)
        found = read(Page, reply.body)
        return read_each(Zaak, found.results), found.next is not None, reply

    async def zaak(self, ref: str) -> tuple[Zaak, Reply]:
        """Return one case. Raises `Gone` when there is none."""
        reply = await self.http.request("GET", f"{ZAKEN}/zaken/{ref}", headers=CRS)
        return read(Zaak, reply.body), reply

    async def case_types(self) -> Json:
        return (await self._reply(f"{CATALOGI}/zaaktypen", {"pageSize": 1})).body

    async def dossiers(self, zaken: Sequence[Zaak], subject: str) -> list[Dossier]:
        """Return the cases whole. What the catalogue says of a kind is asked once."""
        urls = sorted({zaak.case_type for zaak in zaken})
        known = dict(zip(urls, await _together([self._kind(url) for url in urls]), strict=True))
        return await _together(
            [self._dossier(zaak, known[zaak.case_type], subject) for zaak in zaken]
        )

    async def listed(self, shape: type[S], path: str, params: Params) -> list[S]:
        """Return the first page of a list that is short by its nature."""
        return read_each(shape, read(Page, (await self._reply(path, params)).body).results)

    async def _reply(self, path: str, params: Params) -> Reply:
        try:
            return await self.http.request("GET", path, params=params, headers=CRS)
        except Gone:
            # Lists always exist: this is another system, or another version.
            raise Misconfigured(f"there is no {path.rsplit('/', 1)[-1]} at base_url") from None

    async def _dossier(self, zaak: Zaak, kind: Catalogued, subject: str) -> Dossier:
        case = {"zaak": zaak.url}
        roles = await self.listed(Role, f"{ZAKEN}/rollen", case)
        statuses = await self.listed(Status, f"{ZAKEN}/statussen", case)
        result, result_type = await self._result(zaak)
        return Dossier(
            zaak=zaak,
            owner=_owner(roles, subject),
            kind=kind.kind,
            steps=kind.steps,
            statuses=sorted(statuses, key=lambda status: status.at),
            properties=await self._properties(zaak),
            result=result,
            result_type=result_type,
        )

    async def _kind(self, url: str) -> Catalogued:
        kind = await self._record(CaseType, f"{CATALOGI}/zaaktypen", url)
        asked: Params = {"zaaktype": url, "pageSize": MOST_TYPES}
        steps = await self.listed(StatusType, f"{CATALOGI}/statustypen", asked)
        return Catalogued(kind, sorted(steps, key=lambda step: step.number))

    async def _properties(self, zaak: Zaak) -> list[Property]:
        if zaak.properties == []:
            return []
        path = f"{ZAKEN}/zaken/{zaak.uuid}/zaakeigenschappen"
        return read_each(Property, await self.http.get_json(path, headers=CRS))

    async def _result(self, zaak: Zaak) -> tuple[Result | None, ResultType | None]:
        if zaak.result is None:
            return None, None
        result = await self._record(Result, f"{ZAKEN}/resultaten", zaak.result)
        kind = await self._record(ResultType, f"{CATALOGI}/resultaattypen", result.result_type)
        return result, kind

    async def _record(self, shape: type[S], collection: str, url: str) -> S:
        """Fetch what a URL of the source names; from our own address of it, not from its."""
        name = url.rstrip("/").rsplit("/", 1)[-1]
        try:
            path = f"{collection}/{UUID(name)}"
        except ValueError:
            raise Misconfigured("the source names a record without a UUID") from None
        return read(shape, await self.http.get_json(path, headers=CRS))


def _owner(roles: Sequence[Role], subject: str) -> str:
    """Return who the case's own roles say it belongs to: the resident, if she is among them."""
    owners = [role.person.subject for role in roles if role.person and role.person.subject]
    return subject if subject in owners else next(iter(owners), "")


async def _together(calls: Sequence[Coroutine[object, object, T]]) -> list[T]:
    """Run the calls beside each other; the first error ends them all."""
    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(call) for call in calls]
    except ExceptionGroup as several:
        raise several.exceptions[0] from None
    return [task.result() for task in tasks]
