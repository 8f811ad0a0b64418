"""Keep the residents' inboxes. What a message says is personal, and sealed."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ForeignKey,
    Index,
    LargeBinary,
    Row,
    String,
    Uuid,
    bindparam,
    func,
    insert,
    select,
    update,
)
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.orm import Mapped, mapped_column

from citizen_account.domain.accounts import AccountId
from citizen_account.domain.messages import (
    AccountText,
    Announcement,
    InboxMessage,
    MessageId,
    ServiceText,
)
from citizen_account.security.sealing import Sealer
from citizen_account.storage.base import Base

NEWEST = UUID(int=2**128 - 1)


class MessageRow(Base):
    __tablename__ = "messages"
    __table_args__ = (Index("ix_messages_account_id_id", "account_id", "id"),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    account_id: Mapped[AccountId] = mapped_column(
        Uuid, ForeignKey("accounts.id", ondelete="CASCADE")
    )
    sent_at: Mapped[datetime]
    read_at: Mapped[datetime | None]
    text: Mapped[bytes] = mapped_column(LargeBinary)
    place: Mapped[str] = mapped_column(String(255))


OF_ACCOUNT = MessageRow.account_id == bindparam("account", type_=Uuid)
THIS = MessageRow.id == bindparam("message", type_=Uuid)
READ = select(
    MessageRow.id,
    MessageRow.account_id,
    MessageRow.sent_at,
    MessageRow.read_at,
    MessageRow.text,
    MessageRow.place,
).where(OF_ACCOUNT)
PAGE = (
    READ.where(MessageRow.id < bindparam("before", type_=Uuid))
    .order_by(MessageRow.id.desc())
    .limit(bindparam("size"))
)
FIND = READ.where(THIS)
COUNT_UNREAD = select(func.count()).where(OF_ACCOUNT, MessageRow.read_at.is_(None))
MARK_READ = (
    update(MessageRow)
    .where(OF_ACCOUNT, THIS, MessageRow.read_at.is_(None))
    .values(read_at=bindparam("now"))
)
ADD = insert(MessageRow)


class Messages:
    def __init__(self, connection: AsyncConnection, sealer: Sealer) -> None:
        self._connection = connection
        self._sealer = sealer

    async def add(self, message: InboxMessage) -> None:
        plain = json.dumps(_plain(message.text)).encode()
        row = {
            "id": message.id,
            "account_id": message.account_id,
            "sent_at": message.sent_at,
            "read_at": message.read_at,
            "text": self._sealer.seal(plain, _context(message.id)),
            "place": message.place,
        }
        await self._connection.execute(ADD, row)

    async def page(
        self, account_id: AccountId, *, before: MessageId | None, size: int
    ) -> Sequence[InboxMessage]:
        """List newest first, from the first one older than `before`."""
        asked = {"account": account_id, "before": before or NEWEST, "size": size}
        return [self._message(row) for row in await self._connection.execute(PAGE, asked)]

    async def find(self, account_id: AccountId, message_id: MessageId) -> InboxMessage | None:
        asked = {"account": account_id, "message": message_id}
        row = (await self._connection.execute(FIND, asked)).first()
        return None if row is None else self._message(row)

    async def count_unread(self, account_id: AccountId) -> int:
        counted = await self._connection.execute(COUNT_UNREAD, {"account": account_id})
        return counted.scalar_one()

    async def mark_read(self, account_id: AccountId, message_id: MessageId, now: datetime) -> None:
        """Remember the first reading only."""
        asked = {"account": account_id, "message": message_id, "now": now}
        await self._connection.execute(MARK_READ, asked)

    def _message(
        self, row: Row[UUID, AccountId, datetime, datetime | None, bytes, str]
    ) -> InboxMessage:
        plain = json.loads(self._sealer.open(row.text, _context(row.id)))
        return InboxMessage(
            id=MessageId(row.id),
            account_id=row.account_id,
            sent_at=row.sent_at,
            read_at=row.read_at,
            text=_text(plain),
            place=row.place,
        )


def _context(message_id: UUID) -> str:
    return f"messages.text.{message_id}"


def _plain(text: AccountText | ServiceText) -> Mapping[str, object]:
    match text:
        case AccountText():
            facts = {name: dict(fact) for name, fact in text.facts.items()}
            return {"announcement": text.announcement, "facts": facts}
        case ServiceText():
            return {
                "sender": dict(text.sender),
                "subject": dict(text.subject),
                "body": dict(text.body),
            }


def _text(plain: dict[str, Any]) -> AccountText | ServiceText:  # Any: JSON as `_plain` writes it
    if "announcement" in plain:
        return AccountText(Announcement(plain["announcement"]), plain["facts"])
    return ServiceText(plain["sender"], plain["subject"], plain["body"])
