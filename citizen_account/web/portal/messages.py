"""Show a resident's inbox, and one message of it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import ClassVar, assert_never
from uuid import UUID

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from citizen_account.domain.messages import AccountText, InboxMessage, MessageId, ServiceText
from citizen_account.domain.texts import in_language
from citizen_account.i18n import Message, Speech, m
from citizen_account.usecases.messages import PAGE_SIZE, list_messages, open_message
from citizen_account.web.announcements import ANNOUNCEMENTS
from citizen_account.web.dependencies import InLanguage, InRuntime, SignedIn
from citizen_account.web.frames import frame_of, show

router = APIRouter(prefix="/{language}/messages", include_in_schema=False)
ACCOUNT = m("City account")
OPEN = m("Open the service")


@dataclass(frozen=True, slots=True)
class MessageLine:
    id: MessageId
    sender: str
    subject: str
    sent_at: datetime
    is_unread: bool


@dataclass(frozen=True, slots=True)
class MessagesPage:
    template: ClassVar = "portal/messages.html"
    lines: Sequence[MessageLine]
    now: datetime
    next_before: MessageId | None


@dataclass(frozen=True, slots=True)
class MessagePage:
    template: ClassVar = "portal/message.html"
    line: MessageLine
    paragraphs: Sequence[str]
    place: str
    action: Message


@router.get("")
async def show_messages(
    request: Request,
    language: InLanguage,
    resident: SignedIn,
    runtime: InRuntime,
    before: UUID | None = None,
) -> Response:
    start = None if before is None else MessageId(before)
    async with runtime.database.read() as uow:
        found = await list_messages(uow, resident.account_id, before=start)
    speech = runtime.translations.speech(language)
    page = MessagesPage(
        lines=[line_of(message, speech) for message in found],
        now=runtime.clock(),
        next_before=found[-1].id if len(found) == PAGE_SIZE else None,
    )
    return show(request, frame_of(request, resident), page)


@router.get("/{message_id}")
async def show_message(
    request: Request,
    language: InLanguage,
    message_id: UUID,
    resident: SignedIn,
    runtime: InRuntime,
) -> Response:
    # Opening it is reading it: the one page that writes when it is fetched.
    async with runtime.database.begin() as uow:
        message = await open_message(uow, resident.account_id, MessageId(message_id))
    frame = frame_of(request, resident)
    if message.is_unread:
        frame = replace(frame, unread=max(frame.unread - 1, 0))
    return show(request, frame, page_of(message, runtime.translations.speech(language)))


def line_of(message: InboxMessage, speech: Speech) -> MessageLine:
    """Return what a list shows of the message, in the reader's language."""
    text = message.text
    match text:
        case AccountText():
            sender = speech.say(ACCOUNT)
            subject = _say(ANNOUNCEMENTS[text.announcement].subject, text, speech)
        case ServiceText():
            sender = in_language(text.sender, speech.language)
            subject = in_language(text.subject, speech.language)
        case unexpected:
            assert_never(unexpected)
    return MessageLine(
        id=message.id,
        sender=sender,
        subject=subject,
        sent_at=message.sent_at,
        is_unread=message.is_unread,
    )


def page_of(message: InboxMessage, speech: Speech) -> MessagePage:
    text = message.text
    match text:
        case AccountText():
            words = ANNOUNCEMENTS[text.announcement]
            body, action = _say(words.body, text, speech), words.action
        case ServiceText():
            body, action = in_language(text.body, speech.language), OPEN
        case unexpected:
            assert_never(unexpected)
    paragraphs = [line for line in body.splitlines() if line.strip()]
    return MessagePage(line_of(message, speech), paragraphs, message.place, action)


def _say(words: Message, text: AccountText, speech: Speech) -> str:
    facts = {name: in_language(fact, speech.language) for name, fact in text.facts.items()}
    return speech.say(replace(words, facts=facts))
