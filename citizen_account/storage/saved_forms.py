"""Keep for a day what a resident typed into a form when her session had ended."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import NewType
from uuid import UUID

from sqlalchemy import ForeignKey, Uuid, bindparam, delete, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.orm import Mapped, mapped_column

from citizen_account.domain.accounts import AccountId
from citizen_account.security.sealing import Sealer
from citizen_account.storage.base import Base

SavedFormId = NewType("SavedFormId", UUID)
Fields = Mapping[str, Sequence[str]]

LIFETIME = timedelta(hours=24)


class SavedFormRow(Base):
    __tablename__ = "saved_forms"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    account_id: Mapped[AccountId] = mapped_column(
        Uuid, ForeignKey("accounts.id", ondelete="CASCADE"), index=True
    )
    fields: Mapped[bytes]
    """Sealed JSON."""
    expires_at: Mapped[datetime] = mapped_column(index=True)


FIND = select(SavedFormRow.fields).where(
    SavedFormRow.id == bindparam("form_id"),
    SavedFormRow.account_id == bindparam("account"),
    SavedFormRow.expires_at > bindparam("now"),
)
ADD = insert(SavedFormRow)
FORGET = delete(SavedFormRow).where(SavedFormRow.expires_at <= bindparam("now"))


class SavedForms:
    def __init__(self, connection: AsyncConnection, sealer: Sealer) -> None:
        self._connection = connection
        self._sealer = sealer

    async def add(
        self, form_id: SavedFormId, account_id: AccountId, fields: Fields, now: datetime
    ) -> None:
        row = {
            "id": form_id,
            "account_id": account_id,
            "fields": self._sealer.seal(
                json.dumps({name: list(values) for name, values in fields.items()}).encode(),
                _context(form_id),
            ),
            "expires_at": now + LIFETIME,
        }
        await self._connection.execute(ADD, row)

    async def find(
        self, form_id: SavedFormId, account_id: AccountId, now: datetime
    ) -> Fields | None:
        """Return what the account's own resident typed; another's looks absent."""
        asked = {"form_id": form_id, "account": account_id, "now": now}
        sealed = (await self._connection.execute(FIND, asked)).scalar()
        if sealed is None:
            return None
        fields: Fields = json.loads(self._sealer.open(sealed, _context(form_id)))
        return fields

    async def forget_old(self, now: datetime) -> None:
        await self._connection.execute(FORGET, {"now": now})


def _context(form_id: SavedFormId) -> str:
    return f"saved_forms.fields.{form_id}"
