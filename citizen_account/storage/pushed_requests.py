"""Keep pushed authorization requests until the client is answered."""

import json
from datetime import datetime

from sqlalchemy import ForeignKey, LargeBinary, String, bindparam, delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.orm import Mapped, mapped_column

from citizen_account.domain.clients import ClientId
from citizen_account.domain.pushed_requests import PushedRequest
from citizen_account.security.sealing import Sealer
from citizen_account.storage.base import Base


class PushedRequestRow(Base):
    __tablename__ = "pushed_requests"

    digest: Mapped[bytes] = mapped_column(LargeBinary(32), primary_key=True)
    client_id: Mapped[ClientId] = mapped_column(
        String(255), ForeignKey("clients.id", ondelete="CASCADE")
    )
    parameters: Mapped[bytes]
    """Sealed JSON: a list of pairs."""
    expires_at: Mapped[datetime] = mapped_column(index=True)
    used_at: Mapped[datetime | None]


COLUMNS = tuple(PushedRequestRow.__table__.columns)
_ONE = PushedRequestRow.digest == bindparam("request")
ADD = insert(PushedRequestRow)
FIND = select(*COLUMNS).where(_ONE)
USE = (
    update(PushedRequestRow)
    .where(_ONE, PushedRequestRow.used_at.is_(None))
    .values(used_at=bindparam("now"))
    .returning(PushedRequestRow.digest)
)
FORGET = delete(PushedRequestRow).where(PushedRequestRow.expires_at < bindparam("limit"))


class PushedRequests:
    def __init__(self, connection: AsyncConnection, sealer: Sealer) -> None:
        self._connection = connection
        self._sealer = sealer

    async def add(self, request: PushedRequest) -> None:
        row: dict[str, object] = {column.name: getattr(request, column.name) for column in COLUMNS}
        plain = json.dumps(request.parameters).encode()
        row["parameters"] = self._sealer.seal(plain, _context(request.digest))
        await self._connection.execute(ADD, row)

    async def find(self, digest: bytes) -> PushedRequest | None:
        row = (await self._connection.execute(FIND, {"request": digest})).first()
        if row is None:
            return None
        columns = row._asdict()
        plain = self._sealer.open(columns.pop("parameters"), _context(digest))
        pairs = tuple((name, value) for name, value in json.loads(plain))
        return PushedRequest(parameters=pairs, **columns)

    async def use(self, digest: bytes, now: datetime) -> bool:
        """Use it up, expired or not. Of any number of callers at once, one gets True."""
        asked = {"request": digest, "now": now}
        return (await self._connection.execute(USE, asked)).first() is not None

    async def forget_before(self, limit: datetime) -> None:
        """Drop what expired before the limit."""
        await self._connection.execute(FORGET, {"limit": limit})


def _context(digest: bytes) -> str:
    return f"pushed_requests.parameters.{digest.hex()}"
