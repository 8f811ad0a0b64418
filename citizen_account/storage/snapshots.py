"""Keep what connectors last said, sealed, with its time and its trouble."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ForeignKey, String, Uuid, bindparam, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.orm import Mapped, mapped_column

from citizen_account.domain.accounts import AccountId
from citizen_account.domain.connections import ConnectionId, Snapshot
from citizen_account.security.sealing import Sealer
from citizen_account.storage.base import Base
from citizen_account.storage.connections import ConnectionRow


class SnapshotRow(Base):
    __tablename__ = "snapshots"

    connection_id: Mapped[ConnectionId] = mapped_column(
        Uuid, ForeignKey("connections.id", ondelete="CASCADE"), primary_key=True
    )
    capability: Mapped[str] = mapped_column(String(32), primary_key=True)
    payload: Mapped[bytes | None]
    as_of: Mapped[datetime | None]
    failing_since: Mapped[datetime | None]
    failure: Mapped[str] = mapped_column(String(64))
    attempts: Mapped[int]
    due_at: Mapped[datetime] = mapped_column(index=True)


READ = select(
    SnapshotRow.connection_id,
    SnapshotRow.capability,
    SnapshotRow.payload,
    SnapshotRow.as_of,
    SnapshotRow.failing_since,
    SnapshotRow.failure,
    SnapshotRow.attempts,
    SnapshotRow.due_at,
)
OF_ACCOUNT = READ.join(ConnectionRow, ConnectionRow.id == SnapshotRow.connection_id).where(
    ConnectionRow.account_id == bindparam("account_id", type_=Uuid)
)
_THIS = (
    SnapshotRow.connection_id == bindparam("connection", type_=Uuid),
    SnapshotRow.capability == bindparam("what"),
)
FIND = READ.where(*_THIS)
DUE = (
    select(SnapshotRow.connection_id, SnapshotRow.capability)
    .where(SnapshotRow.due_at <= bindparam("now"))
    .order_by(SnapshotRow.due_at)
    .limit(bindparam("size"))
)
# A refresh that has begun is not begun again by another worker.
CLAIM = (
    update(SnapshotRow)
    .where(*_THIS, SnapshotRow.due_at <= bindparam("now"))
    .values(due_at=bindparam("until"))
    .returning(SnapshotRow.capability)
)
SAVE = update(SnapshotRow).where(*_THIS)
SAVE_FRESH = SAVE.values(
    payload=bindparam("sealed"),
    as_of=bindparam("said_at"),
    failing_since=None,
    failure="",
    attempts=0,
    due_at=bindparam("due"),
)
SAVE_FAILED = SAVE.values(
    failing_since=bindparam("since"),
    failure=bindparam("why"),
    attempts=SnapshotRow.attempts + 1,
    due_at=bindparam("due"),
)
SET_DUE = SAVE.values(due_at=bindparam("due"))
FORGET_OLDER = (
    update(SnapshotRow)
    .where(
        SnapshotRow.as_of < bindparam("before"),
        SnapshotRow.connection_id.in_(
            select(ConnectionRow.id).where(ConnectionRow.connector_id == bindparam("connector"))
        ),
    )
    .values(payload=None, as_of=None)
)
ADD = insert(SnapshotRow)


class Snapshots:
    def __init__(self, connection: AsyncConnection, sealer: Sealer) -> None:
        self._connection = connection
        self._sealer = sealer

    async def of_account(self, account_id: AccountId) -> Sequence[Snapshot]:
        rows = await self._connection.execute(OF_ACCOUNT, {"account_id": account_id})
        return [self._of(row._asdict()) for row in rows]

    async def find(self, connection_id: ConnectionId, capability: str) -> Snapshot | None:
        asked = {"connection": connection_id, "what": capability}
        row = (await self._connection.execute(FIND, asked)).first()
        return None if row is None else self._of(row._asdict())

    async def expect(
        self, connection_id: ConnectionId, capabilities: Sequence[str], now: datetime
    ) -> None:
        """Ask for first answers: the next job fetches them."""
        rows = [
            {
                "connection_id": connection_id,
                "capability": capability,
                "payload": None,
                "as_of": None,
                "failing_since": None,
                "failure": "",
                "attempts": 0,
                "due_at": now,
            }
            for capability in capabilities
        ]
        if rows:
            await self._connection.execute(ADD, rows)

    async def due(self, now: datetime, size: int) -> Sequence[tuple[ConnectionId, str]]:
        rows = await self._connection.execute(DUE, {"now": now, "size": size})
        return [(ConnectionId(row.connection_id), row.capability) for row in rows]

    async def claim(
        self, connection_id: ConnectionId, capability: str, *, now: datetime, until: datetime
    ) -> bool:
        """Take one refresh. Of any number of workers at once, one gets True."""
        asked = {"connection": connection_id, "what": capability, "now": now, "until": until}
        return (await self._connection.execute(CLAIM, asked)).first() is not None

    async def save_fresh(
        self,
        connection_id: ConnectionId,
        capability: str,
        *,
        payload: bytes,
        as_of: datetime,
        due: datetime,
    ) -> None:
        saved = {
            "connection": connection_id,
            "what": capability,
            "sealed": self._sealer.seal(payload, _context(connection_id, capability)),
            "said_at": as_of,
            "due": due,
        }
        await self._connection.execute(SAVE_FRESH, saved)

    async def save_failed(
        self,
        connection_id: ConnectionId,
        capability: str,
        *,
        since: datetime,
        why: str,
        due: datetime,
    ) -> None:
        """Keep the last known state beside the trouble."""
        saved = {
            "connection": connection_id,
            "what": capability,
            "since": since,
            "why": why[:64],
            "due": due,
        }
        await self._connection.execute(SAVE_FAILED, saved)

    async def set_due(self, connection_id: ConnectionId, capability: str, at: datetime) -> None:
        """Let a job fetch it from then on; what it holds stays as it is."""
        asked = {"connection": connection_id, "what": capability, "due": at}
        await self._connection.execute(SET_DUE, asked)

    async def forget_older(self, connector_id: str, before: datetime) -> None:
        """Forget what a connector said before then; the links stay."""
        asked = {"connector": connector_id, "before": before}
        await self._connection.execute(FORGET_OLDER, asked)

    def _of(self, columns: dict[str, object]) -> Snapshot:
        payload, place = columns["payload"], (columns["connection_id"], columns["capability"])
        if isinstance(payload, bytes):
            columns["payload"] = self._sealer.open(payload, _context(*place))
        return Snapshot(**columns)  # type: ignore[arg-type]  # the columns are the fields


def _context(connection_id: object, capability: object) -> str:
    return f"snapshots.payload.{connection_id}.{capability}"
