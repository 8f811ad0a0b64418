"""Keep who may administrate."""

from datetime import datetime

from sqlalchemy import ForeignKey, Uuid, bindparam, delete, func, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.orm import Mapped, mapped_column

from citizen_account.domain.accounts import AccountId, Role
from citizen_account.storage.base import Base


class RoleRow(Base):
    __tablename__ = "roles"

    account_id: Mapped[AccountId] = mapped_column(
        Uuid, ForeignKey("accounts.id", ondelete="CASCADE"), primary_key=True
    )
    role: Mapped[Role] = mapped_column(primary_key=True)
    granted_at: Mapped[datetime]


OF = select(RoleRow.role).where(RoleRow.account_id == bindparam("account_id", type_=Uuid))
REMOVE = delete(RoleRow).where(
    RoleRow.account_id == bindparam("account_id", type_=Uuid), RoleRow.role == bindparam("role")
)
ADD = insert(RoleRow)
ADMINISTRATORS = select(func.count()).where(RoleRow.role == Role.ADMINISTRATOR)


class Roles:
    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def of(self, account_id: AccountId) -> frozenset[Role]:
        rows = await self._connection.execute(OF, {"account_id": account_id})
        return frozenset(rows.scalars())

    async def count_administrators(self) -> int:
        return (await self._connection.execute(ADMINISTRATORS)).scalar_one()

    async def grant(self, account_id: AccountId, role: Role, now: datetime) -> None:
        """Give the role. Idempotent."""
        await self.revoke(account_id, role)
        row = {"account_id": account_id, "role": role, "granted_at": now}
        await self._connection.execute(ADD, row)

    async def revoke(self, account_id: AccountId, role: Role) -> None:
        await self._connection.execute(REMOVE, {"account_id": account_id, "role": role})
