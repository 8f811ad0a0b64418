"""Show a resident who may see her data and who did, and end an access."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import ClassVar
from uuid import UUID

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from citizen_account.connector_sdk.manifest import Manifest
from citizen_account.domain.consents import ConsentId
from citizen_account.domain.errors import DomainError
from citizen_account.domain.texts import LocalText, in_language
from citizen_account.i18n import Message, Speech, m
from citizen_account.storage.unit_of_work import UnitOfWork
from citizen_account.usecases.access_log import AccessLog, read_access_log
from citizen_account.usecases.consents import Access, find_access, list_access, withdraw_consent
from citizen_account.web.dependencies import (
    InLanguage,
    InRuntime,
    Resident,
    SignedIn,
    SignedInForm,
    WithPages,
)
from citizen_account.web.frames import frame_of, show
from citizen_account.web.places import with_query
from citizen_account.web.portal.access_lines import (
    BINDING,
    AccessCard,
    LogLine,
    card_of_connection,
    card_of_service,
    claims_text,
    law_behind,
    log_lines,
    purposes_behind,
)

router = APIRouter(prefix="/{language}/privacy", include_in_schema=False)
MAX_ACTOR = 255
DAYS = {"30": 30, "365": 365, "all": None}
PERIODS = {
    "30": m("Last 30 days"),
    "365": m("Last 12 months"),
    "all": m("Everything"),
}


@dataclass(frozen=True, slots=True)
class Choice:
    value: str
    text: str
    is_chosen: bool


@dataclass(frozen=True, slots=True)
class PrivacyPage:
    template: ClassVar = "portal/privacy.html"
    withdrawn: LocalText | None
    """The service whose access has just ended."""
    cards: Sequence[AccessCard]
    looks: int
    log: Sequence[LogLine]
    services: Sequence[Choice]
    periods: Sequence[Choice]
    older: Mapping[str, str] | None
    """What the address of the next page asks; None on the last one."""
    newest: Mapping[str, str] | None


@dataclass(frozen=True, slots=True)
class WithdrawPage:
    template: ClassVar = "portal/withdraw.html"
    consent_id: ConsentId
    name: LocalText
    sees: str
    law: Message | None
    """Why the access itself goes on; None where she may withdraw it."""


@router.get("")
async def show_privacy(  # noqa: PLR0913, PLR0917  # what FastAPI hands over
    request: Request,
    language: InLanguage,
    resident: SignedIn,
    runtime: InRuntime,
    pages: WithPages,
    service: str = "",
    period: str = "365",
    before: UUID | None = None,
    done: str = "",
) -> Response:
    period = period if period in DAYS else "365"
    actor = service[:MAX_ACTOR] or None
    manifests = runtime.connectors.manifests
    speech = pages.translations.speech(language)
    async with runtime.database.read() as uow:
        accesses = await list_access(uow, resident.account_id)
        cards = [card_of_service(access, speech) for access in accesses]
        cards += await _cards_of_connections(uow, resident, manifests, speech)
        log = await read_access_log(
            uow, resident.account_id, actor=actor, days=DAYS[period], before=before
        )
        withdrawn = await _withdrawn(uow, resident, done)
    page = PrivacyPage(
        withdrawn=withdrawn,
        cards=cards,
        looks=log.looks_of_others,
        log=log_lines(log, manifests, speech),
        services=_services(accesses, manifests, service, speech),
        periods=[
            Choice(value, speech.say(text), value == period) for value, text in PERIODS.items()
        ],
        older=_older(log, service, period),
        newest=None if before is None else _asked(service, period),
    )
    return show(request, frame_of(request, resident), page)


@router.get("/withdraw/{consent_id}")
async def show_withdraw(  # noqa: PLR0913, PLR0917  # what FastAPI hands over
    request: Request,
    language: InLanguage,
    consent_id: UUID,
    resident: SignedIn,
    runtime: InRuntime,
    pages: WithPages,
) -> Response:
    async with runtime.database.read() as uow:
        access = await find_access(uow, resident.account_id, ConsentId(consent_id))
    if access.consent.ended_at is not None:
        return _to_privacy(language, consent_id)
    speech = pages.translations.speech(language)
    return show(request, frame_of(request, resident), _withdraw_page(access, speech))


@router.post("/withdraw/{consent_id}")
async def withdraw(
    language: InLanguage, consent_id: UUID, sent: SignedInForm, runtime: InRuntime
) -> Response:
    async with runtime.database.begin() as uow:
        await withdraw_consent(uow, sent.resident.account_id, ConsentId(consent_id))
    return _to_privacy(language, consent_id)


def _to_privacy(language: str, consent_id: UUID) -> Response:
    # See Other: reloading the next page sends no form again. It is answered after the commit.
    place = with_query(f"/{language}/privacy", done=str(consent_id))
    return RedirectResponse(place, HTTPStatus.SEE_OTHER)


def _withdraw_page(access: Access, speech: Speech) -> WithdrawPage:
    purposes = purposes_behind(access)
    is_binding = any(purpose.basis in BINDING for purpose in purposes)
    return WithdrawPage(
        consent_id=access.consent.id,
        name=access.client.name,
        sees=claims_text(access.consent.claims, speech),
        law=law_behind(purposes) if is_binding else None,
    )


async def _cards_of_connections(
    uow: UnitOfWork, resident: Resident, manifests: Mapping[str, Manifest], speech: Speech
) -> list[AccessCard]:
    connections = await uow.connections.list(resident.account_id)
    return [
        card_of_connection(connection, manifests[connection.connector_id], speech)
        for connection in connections
        if connection.connector_id in manifests
    ]


async def _withdrawn(uow: UnitOfWork, resident: Resident, done: str) -> LocalText | None:
    """Return the name of the service whose access has ended, if the address names one of hers."""
    try:
        access = await find_access(uow, resident.account_id, ConsentId(UUID(done)))
    except (ValueError, DomainError):
        return None
    return None if access.consent.ended_at is None else access.client.name


def _services(
    accesses: Sequence[Access], manifests: Mapping[str, Manifest], chosen: str, speech: Speech
) -> Sequence[Choice]:
    names: dict[str, LocalText] = {
        **{access.client.id: access.client.name for access in accesses},
        **{connector_id: manifest.title for connector_id, manifest in manifests.items()},
    }
    lines = [
        Choice(actor, in_language(name, speech.language), actor == chosen)
        for actor, name in names.items()
    ]
    lines.sort(key=lambda line: line.text)
    return [Choice("", speech.say(m("All services")), not chosen), *lines]


def _older(log: AccessLog, service: str, period: str) -> Mapping[str, str] | None:
    if log.older_than is None:
        return None
    return {**_asked(service, period), "before": str(log.older_than)}


def _asked(service: str, period: str) -> Mapping[str, str]:
    return {"service": service, "period": period}
