"""Keep who saw which of a resident's data, and why."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import JSON, String, Uuid, bindparam, func, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.orm import Mapped, mapped_column

from citizen_account.domain.accounts import AccountId
from citizen_account.domain.ledger import ActorKind, LedgerEntry
from citizen_account.storage.base import Base

NEWEST = UUID(int=2**128 - 1)


class LedgerRow(Base):
    __tablename__ = "ledger"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    account_id: Mapped[AccountId] = mapped_column(index=True)
    at: Mapped[datetime] = mapped_column(index=True)
    actor_kind: Mapped[ActorKind]
    actor: Mapped[str] = mapped_column(String(255))
    what: Mapped[list[str]] = mapped_column(JSON)
    purpose: Mapped[str] = mapped_column(String(255))
    reference: Mapped[str] = mapped_column(String(255))


READ = select(
    LedgerRow.id,
    LedgerRow.account_id,
    LedgerRow.at,
    LedgerRow.actor_kind,
    LedgerRow.actor,
    LedgerRow.what,
    LedgerRow.purpose,
    LedgerRow.reference,
)
PAGE = (
    READ.where(LedgerRow.account_id == bindparam("account_id", type_=Uuid))
    .where(LedgerRow.id < bindparam("before", type_=Uuid), LedgerRow.at >= bindparam("since"))
    .order_by(LedgerRow.id.desc())
    .limit(bindparam("size"))
)
PAGE_OF_ACTOR = PAGE.where(LedgerRow.actor == bindparam("actor"))
COUNT = select(func.count()).where(
    LedgerRow.account_id == bindparam("account_id", type_=Uuid),
    LedgerRow.at >= bindparam("since"),
    LedgerRow.actor_kind != ActorKind.RESIDENT,
)
ADD = insert(LedgerRow)


class Ledger:
    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def add(self, entry: LedgerEntry) -> None:
        row = {
            "id": entry.id,
            "account_id": entry.account_id,
            "at": entry.at,
            "actor_kind": entry.actor_kind,
            "actor": entry.actor,
            "what": list(entry.what),
            "purpose": entry.purpose,
            "reference": entry.reference,
        }
        await self._connection.execute(ADD, row)

    async def page(
        self,
        account_id: AccountId,
        *,
        since: datetime,
        before: UUID | None,
        size: int,
        actor: str | None = None,
    ) -> Sequence[LedgerEntry]:
        """List newest first, from the first one older than `before`, none older than `since`."""
        asked = {"account_id": account_id, "since": since, "before": before or NEWEST, "size": size}
        statement, facts = (
            (PAGE, asked) if actor is None else (PAGE_OF_ACTOR, asked | {"actor": actor})
        )
        return [_entry(row._asdict()) for row in await self._connection.execute(statement, facts)]

    async def count_of_others(self, account_id: AccountId, since: datetime) -> int:
        """Say how often somebody else than the resident looked."""
        counted = await self._connection.execute(COUNT, {"account_id": account_id, "since": since})
        return counted.scalar_one()


def _entry(columns: dict[str, object]) -> LedgerEntry:
    what = columns.pop("what")
    assert isinstance(what, list)  # noqa: S101  # JSON of ours
    return LedgerEntry(what=tuple(what), **columns)  # type: ignore[arg-type]  # the columns are the fields
