"""Let a resident read who saw her data."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from citizen_account.domain.accounts import AccountId
from citizen_account.domain.clients import Client
from citizen_account.domain.ledger import LedgerEntry
from citizen_account.storage.unit_of_work import UnitOfWork

PAGE_SIZE = 20
_THE_BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class AccessLog:
    """One page, newest first."""

    entries: Sequence[LedgerEntry]
    older_than: UUID | None
    """The key of the next page; None on the last one."""
    clients: Mapping[str, Client]
    """The services among those who looked, by their id."""
    looks_of_others: int
    """In the whole period, by whomever but the resident."""


async def read_access_log(
    uow: UnitOfWork,
    account_id: AccountId,
    *,
    actor: str | None,
    days: int | None,
    before: UUID | None,
) -> AccessLog:
    """Read what one actor or all of them saw, in the last days or ever."""
    since = _THE_BEGINNING if days is None else uow.now - timedelta(days=days)
    found = await uow.ledger.page(
        account_id, since=since, before=before, size=PAGE_SIZE + 1, actor=actor
    )
    entries = found[:PAGE_SIZE]
    return AccessLog(
        entries=entries,
        older_than=entries[-1].id if len(found) > PAGE_SIZE else None,
        clients=await uow.clients.find_some(sorted({entry.actor for entry in entries})),
        looks_of_others=await uow.ledger.count_of_others(account_id, since),
    )
