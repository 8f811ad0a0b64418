"""Fetch what services say of a resident's business, and show it with its time."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from citizen_account.connector_host.codec import decode_cases, decode_entitlements
from citizen_account.connector_sdk.manifest import Manifest
from citizen_account.connector_sdk.models import Case, Entitlement, Text
from citizen_account.domain.accounts import Account, AccountId
from citizen_account.domain.connections import (
    Connection,
    ConnectionId,
    ConnectionState,
    Snapshot,
    next_refresh,
)
from citizen_account.domain.errors import DomainError, ErrorCode
from citizen_account.domain.messages import Announcement
from citizen_account.storage.unit_of_work import UnitOfWork
from citizen_account.usecases.messages import tell

# Longer than any call may take: then another worker may try.
CLAIM_LIFETIME = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class ServiceCard:
    """One linked service with what it last said and since when it does not answer."""

    connection: Connection
    cases: tuple[Case, ...]
    entitlements: tuple[Entitlement, ...]
    as_of: datetime | None
    """The oldest of its answers; None while it has never answered."""
    failing_since: datetime | None
    failure: str


@dataclass(frozen=True, slots=True)
class RefreshPlan:
    """One snapshot that this worker may refresh, with no transaction open."""

    connection: Connection
    account: Account
    capability: str


async def list_cards(uow: UnitOfWork, account_id: AccountId) -> Sequence[ServiceCard]:
    """Return the resident's linked services in the order in which she linked them."""
    connections = await uow.connections.list(account_id)
    if not connections:
        return []
    snapshots = await uow.snapshots.of_account(account_id)
    return [
        _card(link, [one for one in snapshots if one.connection_id == link.id])
        for link in connections
    ]


async def find_card(
    uow: UnitOfWork, account_id: AccountId, connector_id: str
) -> ServiceCard | None:
    """Return one linked service, or None where she has not linked it."""
    cards = await list_cards(uow, account_id)
    return next((card for card in cards if card.connection.connector_id == connector_id), None)


async def show_case(
    uow: UnitOfWork, account_id: AccountId, connector_id: str, reference: str
) -> tuple[ServiceCard, Case]:
    """Return a case by the number that the resident knows. Raises: case_unknown."""
    card = await find_card(uow, account_id, connector_id)
    # Another resident's case looks like an absent one: its existence is private.
    cases = () if card is None else card.cases
    found = next((case for case in cases if case.reference == reference), None)
    if card is None or found is None:
        raise DomainError(ErrorCode.CASE_UNKNOWN)
    return card, found


async def ask_again(uow: UnitOfWork, account_id: AccountId, connector_id: str) -> None:
    """Let a job fetch fresh news soon. Raises: connection_unknown."""
    connection = await uow.connections.find_of(account_id, connector_id)
    if connection is None:
        raise DomainError(ErrorCode.CONNECTION_UNKNOWN)
    for snapshot in await uow.snapshots.of_account(account_id):
        if snapshot.connection_id == connection.id:
            await uow.snapshots.set_due(connection.id, snapshot.capability, uow.now)


async def plan_refresh(
    uow: UnitOfWork, connection_id: ConnectionId, capability: str
) -> RefreshPlan | None:
    """Take one refresh that is due; None when another worker has it or the link is gone."""
    is_mine = await uow.snapshots.claim(
        connection_id, capability, now=uow.now, until=uow.now + CLAIM_LIFETIME
    )
    connection = await uow.connections.find(connection_id) if is_mine else None
    account = None if connection is None else await uow.accounts.find(connection.account_id)
    if connection is None or account is None:
        return None
    return RefreshPlan(connection, account, capability)


async def keep_answer(
    uow: UnitOfWork, plan: RefreshPlan, *, payload: bytes, as_of: datetime
) -> None:
    """Replace the snapshot by a fresh answer."""
    await uow.snapshots.save_fresh(
        plan.connection.id,
        plan.capability,
        payload=payload,
        as_of=as_of,
        due=next_refresh(None, uow.now, has_failed=False),
    )
    if plan.connection.state is ConnectionState.CHECKING:
        await uow.connections.set_state(plan.connection.id, ConnectionState.LINKED)


async def tell_of_changes(
    uow: UnitOfWork,
    plan: RefreshPlan,
    manifest: Manifest,
    records: Sequence[Case] | Sequence[Entitlement],
) -> None:
    """Put a message into the inbox for each case that has moved on since the last answer."""
    snapshot = await uow.snapshots.find(plan.connection.id, plan.capability)
    if snapshot is None or snapshot.payload is None:
        return
    before = {case.ref: case for case in decode_cases(snapshot.payload)}
    for case in records:
        if isinstance(case, Case) and _has_moved(before.get(case.ref), case):
            facts = {"service": manifest.title, "case": _texts(case.title)}
            place = f"/services/{manifest.id}/cases/{case.reference}"
            await tell(uow, plan.account.id, Announcement.CASE_MOVED, facts=facts, place=place)


async def keep_failure(uow: UnitOfWork, plan: RefreshPlan, *, why: str) -> None:
    """Keep the last known state and say since when there is nothing newer."""
    snapshot = await uow.snapshots.find(plan.connection.id, plan.capability)
    if snapshot is None:
        return
    await uow.snapshots.save_failed(
        plan.connection.id,
        plan.capability,
        since=snapshot.failing_since or uow.now,
        why=why,
        due=next_refresh(snapshot, uow.now, has_failed=True),
    )
    if why == "needs_relink":
        await uow.connections.set_state(plan.connection.id, ConnectionState.NEEDS_RELINK)


def _has_moved(before: Case | None, now: Case) -> bool:
    if before is None:
        return True
    return (before.status.code, before.phase) != (now.status.code, now.phase)


def _texts(text: Text) -> Mapping[str, str]:
    return {"en": text} if isinstance(text, str) else text


def _card(connection: Connection, snapshots: Sequence[Snapshot]) -> ServiceCard:
    by_capability = {snapshot.capability: snapshot for snapshot in snapshots}
    cases = by_capability.get("cases")
    rights = by_capability.get("entitlements")
    troubled = [snapshot for snapshot in snapshots if snapshot.failing_since is not None]
    times = [snapshot.as_of for snapshot in snapshots if snapshot.as_of is not None]
    return ServiceCard(
        connection=connection,
        cases=decode_cases(None if cases is None else cases.payload),
        entitlements=decode_entitlements(None if rights is None else rights.payload),
        as_of=min(times, default=None),
        failing_since=min(
            (one.failing_since for one in troubled if one.failing_since is not None), default=None
        ),
        failure=troubled[0].failure if troubled else "",
    )
