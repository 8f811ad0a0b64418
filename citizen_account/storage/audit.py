"""Keep the trail of what happened, in the transaction in which it happened."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import String, Uuid, bindparam, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.orm import Mapped, mapped_column

from citizen_account.domain.accounts import AccountId
from citizen_account.domain.events import Event, facts_of
from citizen_account.storage.base import Base, Counter

NEWEST = 2**62


class AuditRow(Base):
    __tablename__ = "audit"

    id: Mapped[int] = mapped_column(Counter, primary_key=True, autoincrement=True)
    at: Mapped[datetime] = mapped_column(index=True)
    # No foreign key: the trail outlives the account.
    account_id: Mapped[AccountId | None] = mapped_column(Uuid, index=True)
    event: Mapped[str] = mapped_column(String(64))
    facts: Mapped[dict[str, str]]


@dataclass(frozen=True, slots=True)
class AuditEntry:
    id: int
    at: datetime
    account_id: AccountId | None
    event: str
    facts: dict[str, str]


READ = select(AuditRow.id, AuditRow.at, AuditRow.account_id, AuditRow.event, AuditRow.facts)
PAGE = (
    READ.where(AuditRow.id < bindparam("before"))
    .order_by(AuditRow.id.desc())
    .limit(bindparam("size"))
)
PAGE_OF_EVENT = PAGE.where(AuditRow.event == bindparam("event"))
PAGE_OF_ACCOUNT = PAGE.where(AuditRow.account_id == bindparam("account_id", type_=Uuid))
ADD = insert(AuditRow)


class Audit:
    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def add(self, events: Sequence[Event], now: datetime) -> None:
        rows = [
            {
                "at": now,
                "account_id": event.account_id,
                "event": event.code,
                "facts": facts_of(event),
            }
            for event in events
        ]
        await self._connection.execute(ADD, rows)

    async def page(
        self, *, before: int | None, size: int, event: str | None = None
    ) -> Sequence[AuditEntry]:
        """List newest first, from the first one older than `before`."""
        asked = {"before": before or NEWEST, "size": size}
        statement, facts = (
            (PAGE, asked) if event is None else (PAGE_OF_EVENT, asked | {"event": event})
        )
        rows = await self._connection.execute(statement, facts)
        return [AuditEntry(**row._asdict()) for row in rows]

    async def page_of_account(
        self, account_id: AccountId, *, before: int | None, size: int
    ) -> Sequence[AuditEntry]:
        asked = {"before": before or NEWEST, "size": size, "account_id": account_id}
        rows = await self._connection.execute(PAGE_OF_ACCOUNT, asked)
        return [AuditEntry(**row._asdict()) for row in rows]
