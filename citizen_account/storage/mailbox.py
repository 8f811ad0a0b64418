"""Keep the mail of a development machine, where people can read it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import String, delete, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.orm import Mapped, mapped_column

from citizen_account.storage.base import Base

NEWEST_FIRST_LIMIT = 200


class MailboxRow(Base):
    __tablename__ = "mailbox"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    to: Mapped[str] = mapped_column(String(320))
    subject: Mapped[str]
    text: Mapped[str]
    html: Mapped[str]
    at: Mapped[datetime]


@dataclass(frozen=True, slots=True)
class Letter:
    """A message as it was delivered; the id is the errand's, so that it arrives once."""

    id: UUID
    to: str
    subject: str
    text: str
    html: str
    at: datetime


NEWEST = (
    select(
        MailboxRow.id,
        MailboxRow.to,
        MailboxRow.subject,
        MailboxRow.text,
        MailboxRow.html,
        MailboxRow.at,
    )
    .order_by(MailboxRow.id.desc())
    .limit(NEWEST_FIRST_LIMIT)
)
REMOVE = delete(MailboxRow)
ADD = insert(MailboxRow)


class Mailbox:
    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def add(self, letter: Letter) -> None:
        """Deliver. Idempotent: a message that came twice lies there once."""
        await self._connection.execute(REMOVE.where(MailboxRow.id == letter.id))
        row = {
            "id": letter.id,
            "to": letter.to,
            "subject": letter.subject,
            "text": letter.text,
            "html": letter.html,
            "at": letter.at,
        }
        await self._connection.execute(ADD, row)

    async def newest(self) -> Sequence[Letter]:
        return [Letter(**row._asdict()) for row in await self._connection.execute(NEWEST)]
