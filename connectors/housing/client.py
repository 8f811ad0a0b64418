"""Read VERA Woonruimteverdeling: the requests, and the shapes of what comes back."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import TypeVar
from urllib.parse import quote

from pydantic import Field

from citizen_account.connector_sdk.errors import Gone, Misconfigured
from citizen_account.connector_sdk.http import ConnectorHttp, Params, Reply
from citizen_account.connector_sdk.lenient import Maybe
from citizen_account.connector_sdk.reading import Json, Said, aware, read, read_each

PAGE_SIZE = 100
MOST_PAGES = 50
S = TypeVar("S", bound=Said)


class Reference(Said):
    """A value of the reference data."""

    code: str = ""
    name: str = Field(default="", alias="naam")


class Keys(Said):
    id: str


class Extra(Said):
    """What the standard has no member for."""

    name: str = Field(alias="naam")
    value: str = Field(alias="waarde")


class WithExtras(Said):
    extras: Maybe[list[Extra]] = Field(default=None, alias="extra-attributen")

    @property
    def extra(self) -> Mapping[str, str]:
        return {one.name: one.value for one in self.extras or ()}


class Reaction(WithExtras):
    """An application: a reaction to the publication of a list."""

    id: str
    code: str = ""
    status: Maybe[Reference] = None
    at: datetime = Field(alias="datum")
    position: Maybe[int] = Field(default=None, alias="positie")
    publication: Maybe[Keys] = Field(default=None, alias="publicatie")
    people: list[str] = Field(alias="relaties")


class Offer(WithExtras):
    id: str
    status: Maybe[Reference] = None
    detail: Maybe[Reference] = Field(default=None, alias="detailStatus")
    offered: Maybe[datetime] = Field(default=None, alias="datum")
    answer_by: Maybe[datetime] = Field(default=None, alias="vervaldatum")
    publication: Maybe[Keys] = Field(default=None, alias="publicatie")
    person: str = Field(alias="relatie")


class Publication(WithExtras):
    id: str
    label: str = ""
    viewing: Maybe[datetime] = Field(default=None, alias="bezichtigingsdatum")


@dataclass(frozen=True, slots=True)
class Vera:
    http: ConnectorHttp
    relations_uri: str
    zone: tzinfo

    def person(self, subject: str) -> str:
        return self.relations_uri + subject

    def subject_of(self, uri: str) -> str:
        """Return the reference in the URI of a person; the URI itself when it is another kind."""
        return uri.removeprefix(self.relations_uri)

    def moment(self, said: datetime) -> datetime:
        return aware(said, self.zone)

    async def reactions(self, subject: str) -> tuple[list[Reaction], Reply]:
        return await self._all(Reaction, "reacties", {"relaties": self.person(subject)})

    async def offers(self, subject: str) -> list[Offer]:
        return (await self._all(Offer, "aanbiedingen", {"relatie": self.person(subject)}))[0]

    async def publications(self, ids: Sequence[str]) -> Mapping[str, Publication]:
        """Return the publications by id; one that was taken down meanwhile is left out."""
        found = [await self._publication(one) for one in sorted(set(ids))]
        return {one.id: one for one in found if one}

    async def _publication(self, publication_id: str) -> Publication | None:
        path = f"publicaties/{quote(publication_id, safe='')}"
        try:
            return read(Publication, await self.http.get_json(path))
        except Gone:
            return None

    async def _all(
        self, shape: type[S], resource: str, filters: Mapping[str, str]
    ) -> tuple[list[S], Reply]:
        """Return every page; the number of records stands in a header."""
        found: list[Json] = []
        for page in range(1, MOST_PAGES + 1):
            reply = await self._page(resource, {**filters, "pagina": page})
            records = reply.body if isinstance(reply.body, list) else None
            if records is None:
                raise Misconfigured(f"{resource} is no list")
            found += records
            total = reply.headers.get("X-Parameters-Aantal", "")
            if not records or not total.isdecimal() or len(found) >= int(total):
                break
        return read_each(shape, found), reply

    async def _page(self, resource: str, params: Params) -> Reply:
        size = {"X-Parameters-AantalPerPagina": str(PAGE_SIZE)}
        try:
            return await self.http.request("GET", resource, params=params, headers=size)
        except Gone:
            raise Misconfigured(f"there is no {resource} at base_url") from None
