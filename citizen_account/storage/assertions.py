"""Remember the assertions that clients have used, so that none is used twice."""

from datetime import datetime

from sqlalchemy import LargeBinary, String, bindparam, delete
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.orm import Mapped, mapped_column

from citizen_account.domain.clients import ClientId
from citizen_account.security.tokens import digest
from citizen_account.storage.base import Base


class AssertionRow(Base):
    __tablename__ = "used_assertions"

    client_id: Mapped[ClientId] = mapped_column(String(255), primary_key=True)
    jti_digest: Mapped[bytes] = mapped_column(LargeBinary(32), primary_key=True)
    expires_at: Mapped[datetime] = mapped_column(index=True)


USE = {
    "sqlite": sqlite.insert(AssertionRow).on_conflict_do_nothing(),
    "postgresql": postgresql.insert(AssertionRow).on_conflict_do_nothing(),
}
USE = {name: statement.returning(AssertionRow.expires_at) for name, statement in USE.items()}
FORGET = delete(AssertionRow).where(AssertionRow.expires_at < bindparam("now"))


class Assertions:
    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def use(self, client_id: ClientId, jti: str, expires_at: datetime) -> bool:
        """Use up the assertion. Of any number of callers at once, one gets True."""
        row = {"client_id": client_id, "jti_digest": digest(jti), "expires_at": expires_at}
        statement = USE[self._connection.dialect.name]
        return (await self._connection.execute(statement, row)).first() is not None

    async def forget_expired(self, now: datetime) -> None:
        await self._connection.execute(FORGET, {"now": now})
