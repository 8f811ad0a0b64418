"""Tell a resident something in her inbox, and let her read it."""

from collections.abc import Mapping, Sequence

from citizen_account.domain.accounts import AccountId
from citizen_account.domain.errors import DomainError, ErrorCode
from citizen_account.domain.messages import (
    AccountText,
    Announcement,
    InboxMessage,
    MessageId,
    ServiceText,
)
from citizen_account.domain.texts import LocalText
from citizen_account.security.tokens import new_id
from citizen_account.storage.unit_of_work import UnitOfWork

PAGE_SIZE = 20


async def tell(
    uow: UnitOfWork,
    account_id: AccountId,
    announcement: Announcement,
    *,
    facts: Mapping[str, LocalText] | None = None,
    place: str = "",
) -> None:
    """Put an announcement of the account into the inbox. `place` is a path without its language."""
    await _add(uow, account_id, AccountText(announcement, facts or {}), place)


async def deliver(uow: UnitOfWork, account_id: AccountId, text: ServiceText, *, place: str) -> None:
    """Put a service's own words into the inbox."""
    await _add(uow, account_id, text, place)


async def list_messages(
    uow: UnitOfWork, account_id: AccountId, *, before: MessageId | None, size: int = PAGE_SIZE
) -> Sequence[InboxMessage]:
    """Return one page, newest first."""
    return await uow.messages.page(account_id, before=before, size=size)


async def open_message(
    uow: UnitOfWork, account_id: AccountId, message_id: MessageId
) -> InboxMessage:
    """Return the message; from now on it is read. Raises: not_found."""
    message = await uow.messages.find(account_id, message_id)
    # Another resident's message looks like an absent one: its existence is private.
    if message is None:
        raise DomainError(ErrorCode.NOT_FOUND)
    if message.is_unread:
        await uow.messages.mark_read(account_id, message_id, uow.now)
    return message


async def _add(
    uow: UnitOfWork, account_id: AccountId, text: AccountText | ServiceText, place: str
) -> None:
    await uow.messages.add(
        InboxMessage(
            id=MessageId(new_id()),
            account_id=account_id,
            sent_at=uow.now,
            read_at=None,
            text=text,
            place=place,
        )
    )
