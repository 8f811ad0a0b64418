"""Keep the hashes of passwords, and how often each was missed in a row."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ForeignKey, String, Uuid, bindparam, delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.orm import Mapped, mapped_column

from citizen_account.domain.accounts import AccountId
from citizen_account.storage.base import Base
from citizen_account.storage.direct import change_later


class PasswordRow(Base):
    __tablename__ = "passwords"

    account_id: Mapped[AccountId] = mapped_column(
        Uuid, ForeignKey("accounts.id", ondelete="CASCADE"), primary_key=True
    )
    hash: Mapped[str] = mapped_column(String(512))
    changed_at: Mapped[datetime]
    failures: Mapped[int]
    """Wrong ones since the last right one."""


@dataclass(frozen=True, slots=True)
class StoredPassword:
    hash: str
    changed_at: datetime
    failures: int


_OF_ACCOUNT = PasswordRow.account_id == bindparam("account")
COLUMNS = (PasswordRow.hash, PasswordRow.changed_at, PasswordRow.failures)
FIND = select(*COLUMNS).where(_OF_ACCOUNT)
ADD = insert(PasswordRow)
REMOVE = delete(PasswordRow).where(_OF_ACCOUNT)
REHASH = (
    update(PasswordRow)
    .where(_OF_ACCOUNT, PasswordRow.hash == bindparam("old_hash"))
    .values(hash=bindparam("new_hash"))
)
COUNT_FAILURE = (
    update(PasswordRow)
    .where(_OF_ACCOUNT)
    .values(failures=PasswordRow.failures + 1)
    .returning(PasswordRow.failures)
)
CLEAR = update(PasswordRow).where(_OF_ACCOUNT, PasswordRow.failures > 0).values(failures=0)


class Credentials:
    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def find_password(self, account_id: AccountId) -> StoredPassword | None:
        row = (await self._connection.execute(FIND, {"account": account_id})).first()
        return None if row is None else StoredPassword(**row._asdict())

    async def save_password(self, account_id: AccountId, password_hash: str, now: datetime) -> None:
        """Set the only password of the account, in place of an older one."""
        await self._connection.execute(REMOVE, {"account": account_id})
        row = {"account_id": account_id, "hash": password_hash, "changed_at": now, "failures": 0}
        await self._connection.execute(ADD, row)

    async def remove_password(self, account_id: AccountId) -> None:
        await self._connection.execute(REMOVE, {"account": account_id})

    async def rehash(self, account_id: AccountId, old_hash: str, new_hash: str) -> None:
        """Store the same password by newer parameters, unless it was changed meanwhile."""
        changed = {"account": account_id, "old_hash": old_hash, "new_hash": new_hash}
        await self._connection.execute(REHASH, changed)

    async def count_failure(self, account_id: AccountId) -> int:
        """Return how many there were in a row, this one included; 0 without a password."""
        counted = await self._connection.execute(COUNT_FAILURE, {"account": account_id})
        return counted.scalar() or 0

    async def clear_failures(self, account_id: AccountId) -> None:
        await change_later(self._connection, CLEAR, {"account": account_id})
