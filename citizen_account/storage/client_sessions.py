"""Keep which services each session is signed in to, until they are told of its end."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ForeignKey, String, Uuid, bindparam, delete, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.orm import Mapped, mapped_column

from citizen_account.domain.accounts import AccountId, SessionId
from citizen_account.domain.client_sessions import ClientSession
from citizen_account.domain.clients import ClientId
from citizen_account.storage.base import Base
from citizen_account.storage.direct import change_later
from citizen_account.storage.sessions import SessionRow


class ClientSessionRow(Base):
    __tablename__ = "client_sessions"

    # No foreign key: a session's row may be forgotten before every service has been told.
    session_id: Mapped[SessionId] = mapped_column(primary_key=True)
    client_id: Mapped[ClientId] = mapped_column(
        String(255), ForeignKey("clients.id", ondelete="CASCADE"), primary_key=True
    )
    account_id: Mapped[AccountId] = mapped_column(
        Uuid, ForeignKey("accounts.id", ondelete="CASCADE"), index=True
    )
    first_used_at: Mapped[datetime]
    last_used_at: Mapped[datetime]
    ended_at: Mapped[datetime | None] = mapped_column(index=True)


COLUMNS = tuple(ClientSessionRow.__table__.columns)
_KEY = ("session_id", "client_id")


def _record(new: sqlite.Insert | postgresql.Insert) -> sqlite.Insert | postgresql.Insert:
    # A service that was told of an end and comes again in the same session is signed in again.
    again = {"last_used_at": new.excluded.last_used_at, "ended_at": None}
    return new.on_conflict_do_update(index_elements=_KEY, set_=again)


RECORD = {
    "sqlite": _record(sqlite.insert(ClientSessionRow)),
    "postgresql": _record(postgresql.insert(ClientSessionRow)),
}
# Rendered on PostgreSQL alone; SQLite has one writer.
HOLD = (
    select(SessionRow.id)
    .where(SessionRow.id == bindparam("session"), SessionRow.ended_at.is_(None))
    .with_for_update(key_share=True)
)
_OF_SESSION = ClientSessionRow.session_id == bindparam("session")
_OF_PAIR = (
    ClientSessionRow.account_id == bindparam("account"),
    ClientSessionRow.client_id == bindparam("client"),
)
READ = select(*COLUMNS).order_by(ClientSessionRow.client_id)
LIST_OF_SESSION = READ.where(_OF_SESSION)
LIST_OF_PAIR = READ.where(*_OF_PAIR)
_END = (
    update(ClientSessionRow)
    .where(ClientSessionRow.ended_at.is_(None))
    .values(ended_at=bindparam("now"))
)
END_OF_SESSION = _END.where(_OF_SESSION)
END_OF_PAIR = _END.where(*_OF_PAIR)
FORGET = delete(ClientSessionRow).where(ClientSessionRow.last_used_at < bindparam("limit"))


class ClientSessions:
    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def hold(self, session_id: SessionId) -> bool:
        """Keep the session from ending until this transaction is over. False if it has ended."""
        return (await self._connection.execute(HOLD, {"session": session_id})).first() is not None

    async def record(
        self, session_id: SessionId, client_id: ClientId, account_id: AccountId, now: datetime
    ) -> None:
        """Note that the service is signed in through the session, from now on or still."""
        row = {
            "session_id": session_id,
            "client_id": client_id,
            "account_id": account_id,
            "first_used_at": now,
            "last_used_at": now,
            "ended_at": None,
        }
        await change_later(self._connection, RECORD[self._connection.dialect.name], row)

    async def of_session(self, session_id: SessionId) -> Sequence[ClientSession]:
        """List the services of a session, also of an ended one, in the order of their ids."""
        rows = await self._connection.execute(LIST_OF_SESSION, {"session": session_id})
        return [ClientSession(**row._asdict()) for row in rows]

    async def of_client(
        self, account_id: AccountId, client_id: ClientId
    ) -> Sequence[ClientSession]:
        """List the sessions in which a resident is or was signed in to one service."""
        asked = {"account": account_id, "client": client_id}
        rows = await self._connection.execute(LIST_OF_PAIR, asked)
        return [ClientSession(**row._asdict()) for row in rows]

    async def end_of_session(self, session_id: SessionId, now: datetime) -> None:
        await self._connection.execute(END_OF_SESSION, {"session": session_id, "now": now})

    async def end_of_client(
        self, account_id: AccountId, client_id: ClientId, now: datetime
    ) -> None:
        """End the resident's sign-ins to one service in all of her sessions."""
        asked = {"account": account_id, "client": client_id, "now": now}
        await self._connection.execute(END_OF_PAIR, asked)

    async def forget_unused(self, limit: datetime) -> None:
        """Drop what nobody used since the limit."""
        await self._connection.execute(FORGET, {"limit": limit})
