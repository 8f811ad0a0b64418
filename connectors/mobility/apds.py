"""Read parking rights by APDS 1.0 and turn them into entitlements."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from pydantic import Field

from citizen_account.connector_sdk.errors import Gone, Misconfigured
from citizen_account.connector_sdk.http import ConnectorHttp, Params, Reply
from citizen_account.connector_sdk.lenient import Maybe
from citizen_account.connector_sdk.models import Entitlement, EntitlementState, Remaining, Text
from citizen_account.connector_sdk.reading import Said, aware, read, read_each
from connectors.mobility.texts import RESIDENT_CARD, VISITOR_CARD

PLATES = ("licensePlate", "vehicleplate")


class Identifier(Said):
    class_name: str = Field(default="", alias="className")
    id: str


class Credential(Said):
    identifier: Identifier
    type: str = ""


class Holder(Said):
    credentials: Maybe[list[Credential]] = None


class Reference(Said):
    id: str


class AssignedRight(Said):
    id: str
    holder: Holder = Field(alias="rightHolder")
    specification: Maybe[Reference] = Field(default=None, alias="rightSpecification")
    issued: Maybe[datetime] = Field(default=None, alias="issuanceTime")
    expiry: Maybe[datetime] = None
    minutes_left: Maybe[float] = Field(default=None, alias="minutesAvailable")


class Wording(Said):
    language: str
    string: str


class Specification(Said):
    id: str
    description: Maybe[list[Wording]] = None
    places: Maybe[list[Reference]] = Field(default=None, alias="hierarchyElements")


class Listed(Said):
    data: list[Any]  # Any: JSON that is read one by one


@dataclass(frozen=True, slots=True)
class Apds:
    http: ConnectorHttp
    credential_class: str

    async def rights(self, subject: str) -> tuple[list[AssignedRight], Reply]:
        asked: Params = {"credential_class": self.credential_class, "credential_id": subject}
        try:
            reply = await self.http.request("GET", "rights/assigned", params=asked)
        except Gone:
            raise Misconfigured("there is no rights/assigned at base_url") from None
        return read_each(AssignedRight, read(Listed, reply.body).data), reply

    async def specifications(self, rights: Sequence[AssignedRight]) -> Mapping[str, Specification]:
        """Return what the rights are of, by id; one that is not published is left out."""
        wanted = sorted({right.specification.id for right in rights if right.specification})
        found = [await self._specification(one) for one in wanted]
        return {one.id: one for one in found if one}

    async def _specification(self, specification_id: str) -> Specification | None:
        path = f"rights/specs/{quote(specification_id, safe='')}"
        try:
            return read(Specification, await self.http.get_json(path))
        except Gone:
            return None

    def owner(self, right: AssignedRight) -> str:
        """Return the reference that the right itself names; empty when it names none."""
        held = right.holder.credentials or ()
        ids = [one.identifier for one in held]
        return next((one.id for one in ids if one.class_name == self.credential_class), "")


def plates(right: AssignedRight) -> tuple[str, ...]:
    held = right.holder.credentials or ()
    return tuple(one.identifier.id for one in held if one.type in PLATES)


def entitlement(
    right: AssignedRight, owner: str, specification: Specification | None, now: datetime
) -> Entitlement:
    is_for_visitors = right.minutes_left is not None
    starts, ends = _aware(right.issued), _aware(right.expiry)
    return Entitlement(
        subject=owner,
        ref=right.id,
        kind="visitor-parking" if is_for_visitors else "resident-parking",
        title=_title(specification) or (VISITOR_CARD if is_for_visitors else RESIDENT_CARD),
        state=_state(starts, ends, now),
        credentials=plates(right),
        valid_from=starts,
        valid_to=ends,
        remaining=_remaining(right),
        areas=tuple(place.id for place in (specification.places or ())) if specification else (),
    )


def _title(specification: Specification | None) -> Text:
    if specification is None or not specification.description:
        return ""
    return {one.language: one.string for one in specification.description}


def _remaining(right: AssignedRight) -> Remaining | None:
    left = right.minutes_left
    # A figure that is no number, or no time that a card can hold, says nothing.
    if left is None or not 0 <= left < 10**8:
        return None
    return Remaining(int(left), "minutes")


def _state(starts: datetime | None, ends: datetime | None, now: datetime) -> EntitlementState:
    if ends is not None and ends < now:
        return EntitlementState.EXPIRED
    if starts is not None and starts > now:
        return EntitlementState.UPCOMING
    return EntitlementState.ACTIVE


def _aware(moment: datetime | None) -> datetime | None:
    return None if moment is None else aware(moment, UTC)
