"""Describe an inbox: announcements of the account and words of its services."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NewType
from uuid import UUID

from citizen_account.domain.accounts import AccountId
from citizen_account.domain.texts import LocalText

MessageId = NewType("MessageId", UUID)


class Announcement(StrEnum):
    """What the account itself tells; the pages have a text for each."""

    WELCOME = "welcome"
    PASSWORD_CHANGED = "password_changed"  # noqa: S105  # a code, no secret
    EMAIL_CHANGED = "email_changed"
    SERVICE_LINKED = "service_linked"
    CASE_MOVED = "case_moved"
    CONSENT_WITHDRAWN_FOR_YOU = "consent_withdrawn_for_you"
    CLOSING_ASKED = "closing_asked"


@dataclass(frozen=True, slots=True)
class AccountText:
    """An announcement and what it speaks of, for instance the service by its name."""

    announcement: Announcement
    facts: Mapping[str, LocalText]


@dataclass(frozen=True, slots=True)
class ServiceText:
    """What a service wrote, in the languages that it wrote it in."""

    sender: LocalText
    subject: LocalText
    body: LocalText


@dataclass(frozen=True, slots=True)
class InboxMessage:
    id: MessageId
    account_id: AccountId
    sent_at: datetime
    read_at: datetime | None
    text: AccountText | ServiceText
    place: str
    """Where the resident acts on it: a path of ours without its language; empty for nowhere."""

    @property
    def is_unread(self) -> bool:
        return self.read_at is None
