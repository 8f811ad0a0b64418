"""Keep what sources say of public places, and which place each resident chose as home."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime

from sqlalchemy import ForeignKey, String, Uuid, bindparam, delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.orm import Mapped, mapped_column

from citizen_account.domain.accounts import AccountId
from citizen_account.domain.places import Home, Position, PublicSnapshot
from citizen_account.security.sealing import Sealer
from citizen_account.storage.base import Base


class PublicSnapshotRow(Base):
    __tablename__ = "public_snapshots"

    connector_id: Mapped[str] = mapped_column(String(32), primary_key=True)
    payload: Mapped[bytes]
    as_of: Mapped[datetime | None]
    failing_since: Mapped[datetime | None]


class HomeRow(Base):
    __tablename__ = "homes"

    account_id: Mapped[AccountId] = mapped_column(
        Uuid, ForeignKey("accounts.id", ondelete="CASCADE"), primary_key=True
    )
    place: Mapped[bytes]
    """Sealed: near which dock somebody lives is nobody's business."""


ALL = select(
    PublicSnapshotRow.connector_id,
    PublicSnapshotRow.payload,
    PublicSnapshotRow.as_of,
    PublicSnapshotRow.failing_since,
)
REMOVE = delete(PublicSnapshotRow).where(PublicSnapshotRow.connector_id == bindparam("connector"))
ADD = insert(PublicSnapshotRow)
FAIL = (
    update(PublicSnapshotRow)
    .where(
        PublicSnapshotRow.connector_id == bindparam("connector"),
        PublicSnapshotRow.failing_since.is_(None),
    )
    .values(failing_since=bindparam("now"))
)
FIND_HOME = select(HomeRow.place).where(HomeRow.account_id == bindparam("account", type_=Uuid))
REMOVE_HOME = delete(HomeRow).where(HomeRow.account_id == bindparam("account", type_=Uuid))
ADD_HOME = insert(HomeRow)


class Places:
    def __init__(self, connection: AsyncConnection, sealer: Sealer) -> None:
        self._connection = connection
        self._sealer = sealer

    async def all(self) -> Sequence[PublicSnapshot]:
        return [PublicSnapshot(*row) for row in await self._connection.execute(ALL)]

    async def save(self, connector_id: str, payload: bytes, as_of: datetime) -> None:
        await self._connection.execute(REMOVE, {"connector": connector_id})
        row = {
            "connector_id": connector_id,
            "payload": payload,
            "as_of": as_of,
            "failing_since": None,
        }
        await self._connection.execute(ADD, row)

    async def note_failure(self, connector_id: str, now: datetime) -> None:
        """Keep the last known state, and since when there is nothing newer."""
        await self._connection.execute(FAIL, {"connector": connector_id, "now": now})

    async def home_of(self, account_id: AccountId) -> Home | None:
        sealed = (await self._connection.execute(FIND_HOME, {"account": account_id})).scalar()
        if sealed is None:
            return None
        plain = json.loads(self._sealer.open(sealed, f"homes.place.{account_id}"))
        return Home(plain["place_id"], Position(**plain["position"]))

    async def save_home(self, account_id: AccountId, home: Home) -> None:
        await self._connection.execute(REMOVE_HOME, {"account": account_id})
        sealed = self._sealer.seal(json.dumps(asdict(home)).encode(), f"homes.place.{account_id}")
        await self._connection.execute(ADD_HOME, {"account_id": account_id, "place": sealed})
