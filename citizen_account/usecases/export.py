"""Gather all that the account knows of a resident, for her to take away (GDPR articles 15, 20)."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import TypeVar

from citizen_account.domain.accounts import Account, AccountId, Device
from citizen_account.domain.claims import Value, claim_values
from citizen_account.domain.connections import Connection, Snapshot
from citizen_account.domain.consents import Consent, Decision
from citizen_account.domain.ledger import ActorKind, LedgerEntry
from citizen_account.domain.messages import InboxMessage
from citizen_account.domain.upstreams import Identity
from citizen_account.security.tokens import new_id
from citizen_account.storage.audit import AuditEntry
from citizen_account.storage.unit_of_work import UnitOfWork

T = TypeVar("T")
PAGE = 500
BEGINNING = datetime(2000, 1, 1, tzinfo=UTC)


class Part(StrEnum):
    """The parts of an export, in the order of the file."""

    ACCOUNT = "account"
    SIGN_IN = "sign_in"
    CONSENTS = "consents"
    SERVICES = "services"
    MESSAGES = "messages"
    ACCESS_LOG = "access_log"
    HISTORY = "history"


@dataclass(frozen=True, slots=True)
class Export:
    """Everything, as the tables hold it; a page and a file are made of it."""

    made_at: datetime
    account: Account
    claims: dict[str, Value]
    devices: Sequence[Device]
    identities: Sequence[Identity]
    consents: Sequence[Consent]
    decisions: Sequence[Decision]
    connections: Sequence[Connection]
    snapshots: Sequence[Snapshot]
    messages: Sequence[InboxMessage]
    access_log: Sequence[LedgerEntry]
    history: Sequence[AuditEntry]


async def export_account(uow: UnitOfWork, account: Account, idle: timedelta) -> Export:
    """Read all of it in one transaction, so that its parts fit together."""
    return Export(
        made_at=uow.now,
        account=account,
        claims=claim_values(account),
        devices=await uow.sessions.devices(account.id, now=uow.now, idle=idle),
        identities=await uow.upstream_identities.of(account.id),
        consents=await uow.consents.list_every(account.id),
        decisions=await _decisions(uow, account.id),
        connections=await uow.connections.list(account.id),
        snapshots=await uow.snapshots.of_account(account.id),
        messages=await _messages(uow, account.id),
        access_log=await _access_log(uow, account.id),
        history=await _history(uow, account.id),
    )


async def note_export(uow: UnitOfWork, account_id: AccountId) -> None:
    """Write into the access log that the resident took her data away."""
    entry = LedgerEntry(
        id=new_id(),
        account_id=account_id,
        at=uow.now,
        actor_kind=ActorKind.RESIDENT,
        actor="",
        what=tuple(Part),
        purpose="resident.export",
    )
    await uow.ledger.add(entry)


async def _every(page: Callable[[T | None], Awaitable[Sequence[T]]]) -> Sequence[T]:
    """Read page after page, each from the last record of the one before."""
    found: list[T] = []
    while True:
        records = await page(found[-1] if found else None)
        found += records
        if len(records) < PAGE:
            return found


async def _decisions(uow: UnitOfWork, account_id: AccountId) -> Sequence[Decision]:
    async def page(last: Decision | None) -> Sequence[Decision]:
        before = None if last is None else last.id
        return await uow.consents.page_of_decisions(account_id, before=before, size=PAGE)

    return await _every(page)


async def _messages(uow: UnitOfWork, account_id: AccountId) -> Sequence[InboxMessage]:
    async def page(last: InboxMessage | None) -> Sequence[InboxMessage]:
        before = None if last is None else last.id
        return await uow.messages.page(account_id, before=before, size=PAGE)

    return await _every(page)


async def _access_log(uow: UnitOfWork, account_id: AccountId) -> Sequence[LedgerEntry]:
    async def page(last: LedgerEntry | None) -> Sequence[LedgerEntry]:
        before = None if last is None else last.id
        return await uow.ledger.page(account_id, since=BEGINNING, before=before, size=PAGE)

    return await _every(page)


async def _history(uow: UnitOfWork, account_id: AccountId) -> Sequence[AuditEntry]:
    async def page(last: AuditEntry | None) -> Sequence[AuditEntry]:
        before = None if last is None else last.id
        return await uow.audit.page_of_account(account_id, before=before, size=PAGE)

    return await _every(page)
