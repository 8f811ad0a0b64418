"""Show how the connectors fare, and try one now."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from typing import ClassVar

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from citizen_account.connector_host.registry import Installed
from citizen_account.domain.accounts import Role
from citizen_account.domain.connectors import ConnectorHealth, ConnectorId, Gate
from citizen_account.domain.texts import LocalText
from citizen_account.i18n import Message, m
from citizen_account.web.admin.dependencies import Runtime, Staff, StaffForm, role_of
from citizen_account.web.frames import frame_of, show
from citizen_account.web.places import with_query

router = APIRouter(prefix="/admin/connectors", include_in_schema=False)

GATES = {
    Gate.CLOSED: m("Answers"),
    Gate.OPEN: m("Does not answer: left alone for a while"),
    Gate.MISCONFIGURED: m("Misconfigured: an operator must act"),
    Gate.RATE_LIMITED: m("Asked us to wait"),
}
UNUSABLE = m("Not in use")


@dataclass(frozen=True, slots=True)
class ConnectorLine:
    id: str
    title: LocalText
    version: str
    standards: str
    state: Message
    is_well: bool
    since: datetime | None
    reason: str
    checked_at: datetime | None
    capabilities: Sequence[tuple[str, str]]
    """Each with what the last check said: ok, degraded, down, misconfigured."""
    is_usable: bool


@dataclass(frozen=True, slots=True)
class ConnectorsPage:
    template: ClassVar = "admin/connectors.html"
    place: ClassVar = "/admin/connectors"
    lines: Sequence[ConnectorLine]
    refused: Sequence[tuple[str, str]]
    """What was found or configured under a name and is no connector, with the reason."""
    now: datetime
    checked: str


@router.get("")
async def show_connectors(
    request: Request, person: Staff, runtime: Runtime, checked: str = ""
) -> Response:
    async with runtime.database.read() as uow:
        health = {one.connector_id: one for one in await uow.connector_health.all()}
    registry = runtime.connectors.registry
    page = ConnectorsPage(
        lines=[
            connector_line(one, health.get(ConnectorId(one.manifest.id)))
            for one in registry.connectors.values()
        ],
        refused=sorted(registry.refused.items()),
        now=runtime.clock(),
        checked=checked if checked in registry.connectors else "",
    )
    return show(request, frame_of(request, person), page)


@router.post("/{connector_id}/check")
async def check_now(connector_id: str, sent: StaffForm, runtime: Runtime) -> Response:
    role_of(sent.resident, Role.ADMINISTRATOR)
    runtime.connectors.manifest(connector_id)
    await runtime.connectors.check(connector_id)
    place = with_query("/admin/connectors", checked=connector_id)
    return RedirectResponse(place, HTTPStatus.SEE_OTHER)


def connector_line(installed: Installed, health: ConnectorHealth | None) -> ConnectorLine:
    manifest = installed.manifest
    known = health or ConnectorHealth(ConnectorId(manifest.id))
    is_usable = installed.connector is not None
    return ConnectorLine(
        id=manifest.id,
        title=manifest.title,
        version=manifest.version,
        standards=", ".join(f"{one.id} {one.version}" for one in manifest.standard),
        state=GATES[known.gate] if is_usable else UNUSABLE,
        is_well=is_usable and not known.is_troubled,
        since=known.since,
        reason=known.reason if is_usable else installed.problem,
        checked_at=known.checked_at,
        capabilities=sorted(known.report.items()),
        is_usable=is_usable,
    )
