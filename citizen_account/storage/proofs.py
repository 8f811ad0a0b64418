"""Remember the DPoP proofs that came, so that none comes twice (RFC 9449 section 11.1)."""

from datetime import datetime

from sqlalchemy import LargeBinary, bindparam, delete
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.orm import Mapped, mapped_column

from citizen_account.security.tokens import digest
from citizen_account.storage.base import Base


class ProofRow(Base):
    __tablename__ = "used_proofs"

    digest: Mapped[bytes] = mapped_column(LargeBinary(32), primary_key=True)
    """Of the key's thumbprint and the proof's `jti` together."""
    expires_at: Mapped[datetime] = mapped_column(index=True)


USE = {
    "sqlite": sqlite.insert(ProofRow).on_conflict_do_nothing(),
    "postgresql": postgresql.insert(ProofRow).on_conflict_do_nothing(),
}
USE = {name: statement.returning(ProofRow.expires_at) for name, statement in USE.items()}
FORGET = delete(ProofRow).where(ProofRow.expires_at < bindparam("now"))


class Proofs:
    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def use(self, thumbprint: str, jti: str, expires_at: datetime) -> bool:
        """Use up the proof. Of any number of callers at once, one gets True."""
        row = {"digest": digest(f"{thumbprint} {jti}"), "expires_at": expires_at}
        statement = USE[self._connection.dialect.name]
        return (await self._connection.execute(statement, row)).first() is not None

    async def forget_expired(self, now: datetime) -> None:
        await self._connection.execute(FORGET, {"now": now})
