"""Let a resident read all that the account knows of her, and take it away as a file."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import ClassVar

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from citizen_account.bootstrap import Runtime
from citizen_account.connector_host.codec import decode_cases, decode_entitlements
from citizen_account.connector_sdk.models import in_language
from citizen_account.domain.connections import Connection
from citizen_account.domain.ledger import ActorKind
from citizen_account.domain.texts import LocalText
from citizen_account.domain.texts import in_language as local
from citizen_account.domain.upstreams import is_fresh
from citizen_account.i18n import Message, Speech, m
from citizen_account.usecases.export import Export, export_account, note_export
from citizen_account.web.dependencies import InLanguage, InRuntime, Resident, SignedIn
from citizen_account.web.frames import frame_of, show
from citizen_account.web.portal.confirmation import ask_to_confirm
from citizen_account.web.portal.messages import MessageLine, line_of
from citizen_account.web.portal.purposes import CLAIM_NAMES

router = APIRouter(prefix="/{language}/privacy/export", include_in_schema=False)

FILE_VERSION = 1
YOU = m("You")


@dataclass(frozen=True, slots=True)
class Fact:
    name: Message
    value: str


@dataclass(frozen=True, slots=True)
class ConsentLine:
    service: str
    claims: Sequence[Message]
    given_at: datetime
    ended_at: datetime | None


@dataclass(frozen=True, slots=True)
class ServiceLine:
    service: str
    linked_at: datetime
    records: Sequence[str]


@dataclass(frozen=True, slots=True)
class LookLine:
    who: str
    what: str
    at: datetime


@dataclass(frozen=True, slots=True)
class ExportPage:
    template: ClassVar = "portal/export.html"
    made_at: datetime
    created_at: datetime
    facts: Sequence[Fact]
    devices: Sequence[tuple[str, datetime]]
    consents: Sequence[ConsentLine]
    services: Sequence[ServiceLine]
    messages: Sequence[MessageLine]
    looks: Sequence[LookLine]
    history: Sequence[tuple[str, datetime]]


@router.get("")
async def show_export(
    request: Request, language: InLanguage, resident: SignedIn, runtime: InRuntime
) -> Response:
    if not is_fresh(resident.session.authenticated_at, runtime.clock()):
        return ask_to_confirm(language, request.url.path)
    export, names = await _gather(runtime, resident)
    page = export_page(export, names, runtime.translations.speech(language))
    return show(request, frame_of(request, resident), page)


@router.get("/data.json")
async def download_export(
    request: Request, language: InLanguage, resident: SignedIn, runtime: InRuntime
) -> Response:
    """Return the same as a file, for a program to read (GDPR article 20)."""
    if not is_fresh(resident.session.authenticated_at, runtime.clock()):
        return ask_to_confirm(language, request.url.path.removesuffix("/data.json"))
    export, _ = await _gather(runtime, resident)
    async with runtime.database.begin() as uow:
        await note_export(uow, resident.account_id)
    name = f"city-account-{export.made_at.date().isoformat()}.json"
    headers = {
        "Content-Disposition": f'attachment; filename="{name}"',
        "Cache-Control": "no-store",
    }
    return JSONResponse(export_file(export), headers=headers)


def export_file(export: Export) -> Mapping[str, object]:
    """Return the export as JSON; docs/reference.md describes its members."""
    account = export.account
    return {
        "version": FILE_VERSION,
        "made_at": export.made_at.isoformat(),
        "account": {
            "id": str(account.id),
            "created_at": account.created_at.isoformat(),
            "updated_at": account.updated_at.isoformat(),
            "language": account.language,
            "level": account.level,
            "claims": dict(export.claims),
        },
        "sign_in": {
            "devices": [
                {"device": device.summary, "last_seen_at": device.session.last_seen_at.isoformat()}
                for device in export.devices
            ],
            "identities": [
                {"provider": one.upstream_id, "linked_at": one.linked_at.isoformat()}
                for one in export.identities
            ],
        },
        "consents": [_plain(asdict(consent)) for consent in export.consents],
        "decisions": [_plain(asdict(decision)) for decision in export.decisions],
        "services": [
            {
                "connector": link.connector_id,
                "reference": link.subject,
                "linked_at": link.linked_at.isoformat(),
                "agreed": sorted(link.agreed),
                "last_answers": {
                    snapshot.capability: json.loads(snapshot.payload)
                    for snapshot in export.snapshots
                    if snapshot.connection_id == link.id and snapshot.payload is not None
                },
            }
            for link in export.connections
        ],
        "messages": [_plain(asdict(message)) for message in export.messages],
        "access_log": [_plain(asdict(entry)) for entry in export.access_log],
        "history": [_plain(asdict(entry)) for entry in export.history],
    }


def export_page(export: Export, names: Mapping[str, LocalText], speech: Speech) -> ExportPage:
    language = speech.language

    def named(identifier: str) -> str:
        return local(names[identifier], language) if identifier in names else identifier

    return ExportPage(
        made_at=export.made_at,
        created_at=export.account.created_at,
        facts=_facts(export),
        devices=[(one.summary, one.session.last_seen_at) for one in export.devices],
        consents=[
            ConsentLine(
                service=named(consent.client_id),
                claims=[CLAIM_NAMES[name] for name in sorted(consent.claims & CLAIM_NAMES.keys())],
                given_at=consent.given_at,
                ended_at=consent.ended_at,
            )
            for consent in export.consents
        ],
        services=[
            ServiceLine(named(link.connector_id), link.linked_at, _records(export, link, language))
            for link in export.connections
        ],
        messages=[line_of(message, speech) for message in export.messages],
        looks=[
            LookLine(
                who=speech.say(YOU) if one.actor_kind is ActorKind.RESIDENT else named(one.actor),
                what=", ".join(
                    speech.say(CLAIM_NAMES[name]) for name in one.what if name in CLAIM_NAMES
                ),
                at=one.at,
            )
            for one in export.access_log
        ],
        history=[(entry.event, entry.at) for entry in export.history],
    )


def _facts(export: Export) -> Sequence[Fact]:
    shown = ((name, value) for name, value in export.claims.items() if name in CLAIM_NAMES)
    return [Fact(CLAIM_NAMES[name], _text(value)) for name, value in shown]


def _records(export: Export, link: Connection, language: str) -> Sequence[str]:
    """Write each case and right of a service in one line."""
    payloads = {
        snapshot.capability: snapshot.payload
        for snapshot in export.snapshots
        if snapshot.connection_id == link.id
    }
    cases = [
        f"{case.reference}: {in_language(case.title, language)}"
        f" ({in_language(case.status.label, language)})"
        for case in decode_cases(payloads.get("cases"))
    ]
    rights = [
        f"{in_language(right.title, language)}: {', '.join(right.credentials)}"
        for right in decode_entitlements(payloads.get("entitlements"))
    ]
    return [*cases, *rights]


async def _gather(runtime: Runtime, resident: Resident) -> tuple[Export, Mapping[str, LocalText]]:
    idle = runtime.session_limits.idle
    async with runtime.database.read() as uow:
        export = await export_account(uow, resident.account, idle)
        clients = await uow.clients.find_some([one.client_id for one in export.consents])
    titles = {name: manifest.title for name, manifest in runtime.connectors.manifests.items()}
    return export, {**titles, **{name: client.name for name, client in clients.items()}}


def _plain(value: object) -> object:
    """Return what JSON can say: sets become sorted lists, times and ids become text."""
    match value:
        case dict():
            return {str(name): _plain(one) for name, one in value.items()}
        case frozenset():
            return sorted(map(str, value))
        case list() | tuple():
            return [_plain(one) for one in value]
        case str() | int() | float() | None:
            return value
        case datetime():
            return value.isoformat()
        case _:
            return str(value)


def _text(value: object) -> str:
    if isinstance(value, Mapping):
        return str(value.get("formatted", "")).replace("\n", ", ")
    return str(value)
