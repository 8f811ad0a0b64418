"""Keep which resident is linked to which connector."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import (
    JSON,
    ForeignKey,
    Index,
    String,
    Uuid,
    bindparam,
    delete,
    insert,
    select,
    update,
)
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.orm import Mapped, mapped_column

from citizen_account.domain.accounts import AccountId
from citizen_account.domain.connections import Connection, ConnectionId, ConnectionState
from citizen_account.security.sealing import Sealer
from citizen_account.storage.base import Base


class ConnectionRow(Base):
    __tablename__ = "connections"
    __table_args__ = (Index(None, "account_id", "connector_id", unique=True),)

    id: Mapped[ConnectionId] = mapped_column(Uuid, primary_key=True)
    account_id: Mapped[AccountId] = mapped_column(
        Uuid, ForeignKey("accounts.id", ondelete="CASCADE")
    )
    connector_id: Mapped[str] = mapped_column(String(32), index=True)
    subject: Mapped[str] = mapped_column(String(16))
    label: Mapped[bytes]
    """Sealed: a plate or a registration number may stand in it."""
    agreed: Mapped[list[str]] = mapped_column(JSON)
    text_digest: Mapped[str] = mapped_column(String(64))
    text_language: Mapped[str] = mapped_column(String(8))
    state: Mapped[ConnectionState]
    linked_at: Mapped[datetime]


READ = select(
    ConnectionRow.id,
    ConnectionRow.account_id,
    ConnectionRow.connector_id,
    ConnectionRow.subject,
    ConnectionRow.label,
    ConnectionRow.agreed,
    ConnectionRow.text_digest,
    ConnectionRow.text_language,
    ConnectionRow.state,
    ConnectionRow.linked_at,
)
FIND = READ.where(ConnectionRow.id == bindparam("connection_id", type_=Uuid))
FIND_OF = READ.where(
    ConnectionRow.account_id == bindparam("account_id", type_=Uuid),
    ConnectionRow.connector_id == bindparam("connector"),
)
LIST = READ.where(ConnectionRow.account_id == bindparam("account_id", type_=Uuid)).order_by(
    ConnectionRow.linked_at
)
ADD = insert(ConnectionRow)
_ONE = ConnectionRow.id == bindparam("connection", type_=Uuid)
SET_STATE = update(ConnectionRow).where(_ONE).values(state=bindparam("now_is"))
SET_LINKED = (
    update(ConnectionRow)
    .where(_ONE)
    .values(state=ConnectionState.LINKED, label=bindparam("sealed"))
)
SET_AGREED = update(ConnectionRow).where(_ONE).values(agreed=bindparam("agreed_now"))
REMOVE = delete(ConnectionRow).where(_ONE).returning(ConnectionRow.id)


class Connections:
    def __init__(self, connection: AsyncConnection, sealer: Sealer) -> None:
        self._connection = connection
        self._sealer = sealer

    async def find(self, connection_id: ConnectionId) -> Connection | None:
        row = (await self._connection.execute(FIND, {"connection_id": connection_id})).first()
        return None if row is None else self._of(row._asdict())

    async def find_of(self, account_id: AccountId, connector_id: str) -> Connection | None:
        asked = {"account_id": account_id, "connector": connector_id}
        row = (await self._connection.execute(FIND_OF, asked)).first()
        return None if row is None else self._of(row._asdict())

    async def list(self, account_id: AccountId) -> Sequence[Connection]:
        """List in the order in which they were linked."""
        rows = await self._connection.execute(LIST, {"account_id": account_id})
        return [self._of(row._asdict()) for row in rows]

    async def add(self, link: Connection) -> bool:
        """Keep the link. False when the resident is linked to this connector already."""
        row = {
            "id": link.id,
            "account_id": link.account_id,
            "connector_id": link.connector_id,
            "subject": link.subject,
            "label": self._seal(link.id, link.label),
            "agreed": sorted(link.agreed),
            "text_digest": link.text_digest,
            "text_language": link.text_language,
            "state": link.state,
            "linked_at": link.linked_at,
        }
        try:
            async with self._connection.begin_nested():
                await self._connection.execute(ADD, row)
        except IntegrityError:
            return False
        return True

    async def set_linked(self, connection_id: ConnectionId, label: Mapping[str, str]) -> None:
        changed = {"connection": connection_id, "sealed": self._seal(connection_id, label)}
        await self._connection.execute(SET_LINKED, changed)

    async def set_state(self, connection_id: ConnectionId, state: ConnectionState) -> None:
        await self._connection.execute(SET_STATE, {"connection": connection_id, "now_is": state})

    async def set_agreed(self, connection_id: ConnectionId, agreed: frozenset[str]) -> None:
        changed = {"connection": connection_id, "agreed_now": sorted(agreed)}
        await self._connection.execute(SET_AGREED, changed)

    async def remove(self, connection_id: ConnectionId) -> bool:
        """End the link; its snapshots go with it. Of several callers at once, one gets True."""
        removed = await self._connection.execute(REMOVE, {"connection": connection_id})
        return removed.first() is not None

    def _seal(self, connection_id: ConnectionId, label: Mapping[str, str]) -> bytes:
        return self._sealer.seal(json.dumps(dict(label)).encode(), _context(connection_id))

    def _of(self, columns: dict[str, object]) -> Connection:
        plain = self._sealer.open(columns["label"], _context(columns["id"]))  # type: ignore[arg-type]  # bytes
        columns["label"] = json.loads(plain)
        columns["agreed"] = frozenset(columns["agreed"])  # type: ignore[call-overload]  # a list of JSON
        return Connection(**columns)  # type: ignore[arg-type]  # the columns are the fields


def _context(connection_id: object) -> str:
    return f"connections.label.{connection_id}"
