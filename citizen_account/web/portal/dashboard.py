"""Show a resident her overview: what is due, services, applications, messages, who looked."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import ClassVar

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from citizen_account.domain.accounts import Account, Session
from citizen_account.domain.tasks import by_urgency, tasks_of
from citizen_account.i18n import Speech
from citizen_account.usecases.dashboard import Dashboard, load_dashboard
from citizen_account.web.dependencies import InLanguage, InRuntime, SignedIn
from citizen_account.web.frames import frame_of, show
from citizen_account.web.portal.dashboard_lines import (
    CaseLine,
    SecurityLine,
    ServiceCard,
    TaskLine,
    advice,
    case_line,
    linked_card,
    looker_of,
    security_of,
    task_line,
    used_card,
)
from citizen_account.web.portal.messages import MessageLine, line_of

router = APIRouter(prefix="/{language}/dashboard", include_in_schema=False)


@dataclass(frozen=True, slots=True)
class DashboardPage:
    template: ClassVar = "portal/dashboard.html"
    given_name: str
    now: datetime
    due: int
    """How many tasks are more than advice."""
    tasks: Sequence[TaskLine]
    services: Sequence[ServiceCard]
    cases: Sequence[CaseLine]
    messages: Sequence[MessageLine]
    looks: int
    last_look: datetime | None
    last_looker: str
    security: Sequence[SecurityLine]
    signed_in_at: datetime
    mail_failing_since: datetime | None
    closing_at: datetime | None


@router.get("")
async def show_dashboard(
    request: Request, language: InLanguage, resident: SignedIn, runtime: InRuntime
) -> Response:
    installed = runtime.connectors.registry.connectors
    manifests = {connector_id: found.manifest for connector_id, found in installed.items()}
    async with runtime.database.read() as uow:
        found = await load_dashboard(uow, resident.account, manifests)
    speech = runtime.translations.speech(language)
    page = page_of(found, resident.account, resident.session, speech, runtime.clock())
    return show(request, frame_of(request, resident), page)


def page_of(
    found: Dashboard, account: Account, session: Session, speech: Speech, now: datetime
) -> DashboardPage:
    today = speech.local_day(now)
    due = _tasks(found, speech, today)
    last = found.looks.last
    return DashboardPage(
        given_name=account.profile.given_name,
        now=now,
        due=len(due),
        tasks=[*due, *advice(found, speech)],
        services=[
            *(linked_card(service, speech) for service in found.linked),
            *(used_card(service, speech) for service in found.used),
        ],
        cases=[
            case_line(case, service, speech)
            for service in found.linked
            for case in service.card.cases
        ],
        messages=[line_of(message, speech) for message in found.messages],
        looks=found.looks.count,
        last_look=None if last is None else last.at,
        last_looker="" if last is None else looker_of(last, found.looks, speech),
        security=security_of(account),
        signed_in_at=session.authenticated_at,
        mail_failing_since=account.mail_failing_since,
        closing_at=account.closing_at,
    )


def _tasks(found: Dashboard, speech: Speech, today: date) -> Sequence[TaskLine]:
    tasks = [
        (task, service)
        for service in found.linked
        for task in tasks_of(service.card.cases, service.card.entitlements, today)
    ]
    tasks.sort(key=lambda pair: by_urgency(pair[0]))
    return [task_line(task, service, speech, today) for task, service in tasks]
