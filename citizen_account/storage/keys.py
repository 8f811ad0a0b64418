"""Keep the signing keys, their private parts sealed."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from sqlalchemy import String, UniqueConstraint, bindparam, delete, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.orm import Mapped, mapped_column

from citizen_account.domain.keys import KeyUse, StoredKey
from citizen_account.security.sealing import Sealer
from citizen_account.storage.base import Base


class KeyRow(Base):
    __tablename__ = "signing_keys"
    __table_args__ = (UniqueConstraint("algorithm", "generation"),)

    kid: Mapped[str] = mapped_column(String(64), primary_key=True)
    use: Mapped[KeyUse | None] = mapped_column(String(16))
    algorithm: Mapped[str] = mapped_column(String(16))
    generation: Mapped[int]
    private_key: Mapped[bytes]
    created_at: Mapped[datetime]
    active_from: Mapped[datetime]


ALL = select(
    KeyRow.kid,
    KeyRow.use,
    KeyRow.algorithm,
    KeyRow.generation,
    KeyRow.private_key,
    KeyRow.created_at,
    KeyRow.active_from,
).order_by(KeyRow.algorithm, KeyRow.generation)
# Two processes that start at once, or two rotations: the second changes nothing.
ADD = {
    "sqlite": sqlite.insert(KeyRow).on_conflict_do_nothing().returning(KeyRow.kid),
    "postgresql": postgresql.insert(KeyRow).on_conflict_do_nothing().returning(KeyRow.kid),
}


REMOVE = delete(KeyRow).where(KeyRow.kid == bindparam("key"))


class Keys:
    def __init__(self, connection: AsyncConnection, sealer: Sealer) -> None:
        self._connection = connection
        self._sealer = sealer

    async def all(self) -> Sequence[StoredKey]:
        """Return every key, opened. Raises: UnsealableError."""
        rows = [StoredKey(**row._asdict()) for row in await self._connection.execute(ALL)]
        return [
            replace(
                row,
                use=None if row.use is None else KeyUse(row.use),
                private_key=self._sealer.open(row.private_key, _place(row.kid)),
            )
            for row in rows
        ]

    async def add(self, key: StoredKey) -> bool:
        """Keep the key, unless its algorithm has one of this generation already."""
        row = {
            "kid": key.kid,
            "use": key.use,
            "algorithm": key.algorithm,
            "generation": key.generation,
            "private_key": self._sealer.seal(key.private_key, _place(key.kid)),
            "created_at": key.created_at,
            "active_from": key.active_from,
        }
        statement = ADD[self._connection.dialect.name]
        return (await self._connection.execute(statement, row)).first() is not None

    async def remove(self, kid: str) -> None:
        await self._connection.execute(REMOVE, {"key": kid})


def _place(kid: str) -> str:
    return f"signing_keys.private_key.{kid}"
