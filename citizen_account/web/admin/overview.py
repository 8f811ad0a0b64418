"""Show administrators what waits for them."""

from dataclasses import dataclass
from typing import ClassVar

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from citizen_account.domain.errands import Delivery
from citizen_account.web.admin.dependencies import Runtime, Staff
from citizen_account.web.frames import frame_of, show

router = APIRouter(prefix="/admin", include_in_schema=False)


@dataclass(frozen=True, slots=True)
class OverviewPage:
    template: ClassVar = "admin/overview.html"
    place: ClassVar = "/admin"
    services: int
    applicants: int
    connectors: int
    troubled: int
    parked: int
    waiting: int


@router.get("")
async def show_overview(request: Request, person: Staff, runtime: Runtime) -> Response:
    async with runtime.database.read() as uow:
        clients = await uow.clients.page(after="", size=1000)
        applicants = await uow.registrations.count_waiting()
        counts = await uow.outbox.counts()
        health = await uow.connector_health.all()
    installed = runtime.connectors.registry.connectors.values()
    unusable = sum(1 for one in installed if one.connector is None)
    page = OverviewPage(
        services=sum(1 for client in clients if not client.is_disabled),
        applicants=applicants,
        connectors=len(installed),
        troubled=unusable + sum(1 for one in health if one.is_troubled),
        parked=counts.get(Delivery.PARKED, 0),
        waiting=counts.get(Delivery.PENDING, 0) + counts.get(Delivery.SENDING, 0),
    )
    return show(request, frame_of(request, person), page)
