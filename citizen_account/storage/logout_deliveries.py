"""Keep which service was told of a sign-out, and what it answered."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, String, Uuid, bindparam, delete, select, tuple_, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.orm import Mapped, mapped_column

from citizen_account.domain.accounts import AccountId, SessionId
from citizen_account.domain.clients import ClientId
from citizen_account.domain.logout_deliveries import DeliveryState, LogoutDelivery
from citizen_account.storage.base import Base


class LogoutDeliveryRow(Base):
    __tablename__ = "logout_deliveries"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    client_id: Mapped[ClientId] = mapped_column(
        String(255), ForeignKey("clients.id", ondelete="CASCADE"), index=True
    )
    account_id: Mapped[AccountId] = mapped_column(
        Uuid, ForeignKey("accounts.id", ondelete="CASCADE"), index=True
    )
    # No foreign key: a session's row may be forgotten before every service has been told.
    session_id: Mapped[SessionId | None]
    state: Mapped[DeliveryState]
    attempts: Mapped[int]
    last_answer: Mapped[str] = mapped_column(String(255))
    created_at: Mapped[datetime] = mapped_column(index=True)
    last_tried_at: Mapped[datetime | None]


READ = select(*LogoutDeliveryRow.__table__.columns)
FIND = READ.where(LogoutDeliveryRow.id == bindparam("delivery"))
OF_ACCOUNT = (
    READ.where(LogoutDeliveryRow.account_id == bindparam("account"))
    .order_by(LogoutDeliveryRow.created_at.desc(), LogoutDeliveryRow.id)
    .limit(bindparam("size"))
)
_OF_CLIENT = (
    READ.where(LogoutDeliveryRow.client_id == bindparam("client"))
    .order_by(LogoutDeliveryRow.created_at.desc(), LogoutDeliveryRow.id.desc())
    .limit(bindparam("size"))
)
OLDER_OF_CLIENT = _OF_CLIENT.where(
    tuple_(LogoutDeliveryRow.created_at, LogoutDeliveryRow.id)
    < tuple_(
        bindparam("then", type_=LogoutDeliveryRow.created_at.type),
        bindparam("before", type_=Uuid()),
    )
)
ADD = {
    "sqlite": sqlite.insert(LogoutDeliveryRow)
    .on_conflict_do_nothing()
    .returning(LogoutDeliveryRow.id),
    "postgresql": postgresql.insert(LogoutDeliveryRow)
    .on_conflict_do_nothing()
    .returning(LogoutDeliveryRow.id),
}
NOTE = (
    update(LogoutDeliveryRow)
    .where(LogoutDeliveryRow.id == bindparam("delivery"))
    .values(
        state=bindparam("new_state"),
        attempts=LogoutDeliveryRow.attempts + 1,
        last_answer=bindparam("answer"),
        last_tried_at=bindparam("now"),
    )
)
FORGET = delete(LogoutDeliveryRow).where(LogoutDeliveryRow.created_at < bindparam("limit"))


class LogoutDeliveries:
    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def add(self, delivery: LogoutDelivery) -> bool:
        """Keep it. Of any number of callers with the same id, one gets True."""
        columns = LogoutDeliveryRow.__table__.columns
        row = {column.name: getattr(delivery, column.name) for column in columns}
        statement = ADD[self._connection.dialect.name]
        return (await self._connection.execute(statement, row)).first() is not None

    async def find(self, delivery: UUID) -> LogoutDelivery | None:
        row = (await self._connection.execute(FIND, {"delivery": delivery})).first()
        return None if row is None else LogoutDelivery(**row._asdict())

    async def of_account(self, account_id: AccountId, *, size: int) -> Sequence[LogoutDelivery]:
        """List newest first."""
        rows = await self._connection.execute(OF_ACCOUNT, {"account": account_id, "size": size})
        return [LogoutDelivery(**row._asdict()) for row in rows]

    async def of_client(
        self, client_id: ClientId, *, before: UUID | None, size: int
    ) -> Sequence[LogoutDelivery]:
        """List newest first, from the first one older than `before`."""
        asked: dict[str, object] = {"client": client_id, "size": size}
        first = None if before is None else await self.find(before)
        if first is not None:
            asked |= {"then": first.created_at, "before": first.id}
        statement = _OF_CLIENT if first is None else OLDER_OF_CLIENT
        rows = await self._connection.execute(statement, asked)
        return [LogoutDelivery(**row._asdict()) for row in rows]

    async def note(self, delivery: UUID, state: DeliveryState, answer: str, now: datetime) -> None:
        """Count an attempt and keep what came of it."""
        noted = {"delivery": delivery, "new_state": state, "answer": answer[:255], "now": now}
        await self._connection.execute(NOTE, noted)

    async def forget_before(self, limit: datetime) -> None:
        await self._connection.execute(FORGET, {"limit": limit})
