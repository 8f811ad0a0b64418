"""Describe a resident's account and the session that proves who is asking."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import NewType
from uuid import UUID

AccountId = NewType("AccountId", UUID)
SessionId = NewType("SessionId", UUID)


class Level(StrEnum):
    """How sure the city is of who this is: the assurance levels of eIDAS article 8."""

    LOW = "low"
    SUBSTANTIAL = "substantial"
    HIGH = "high"


class Role(StrEnum):
    """What an administrator may do; a resident has none."""

    ADMINISTRATOR = "administrator"
    HELPER = "helper"
    AUDITOR = "auditor"


@dataclass(frozen=True, slots=True)
class Address:
    """A postal address as the resident wrote it; the members of OIDC Core section 5.1.1."""

    street_address: str = ""
    postal_code: str = ""
    locality: str = ""
    country: str = ""


@dataclass(frozen=True, slots=True)
class Profile:
    """What a resident says of herself. An empty string means: not given."""

    given_name: str = ""
    family_name: str = ""
    phone_number: str = ""
    address: Address = field(default_factory=Address)
    birthdate: str = ""
    """ISO 8601 date, from a national eID only."""
    further: Mapping[str, str] = field(default_factory=dict)
    """What came with the account and nobody is asked for: values by the name of their claim."""

    @property
    def name(self) -> str:
        return f"{self.given_name} {self.family_name}".strip()


@dataclass(frozen=True, slots=True)
class Account:
    id: AccountId
    email: str | None
    """Verified; None for who came by an eID and has no address."""
    profile: Profile
    language: str
    level: Level
    created_at: datetime
    updated_at: datetime
    closing_at: datetime | None
    """When a requested closure becomes final; None while nobody asked for it."""
    mail_failing_since: datetime | None


@dataclass(frozen=True, slots=True)
class Session:
    """A browser that has signed in."""

    id: SessionId
    account_id: AccountId
    authenticated_at: datetime
    methods: tuple[str, ...]
    """`amr` values of RFC 8176, for instance ("pwd",)."""
    level: Level
    created_at: datetime
    last_seen_at: datetime
    expires_at: datetime
    """The absolute end; the idle end is computed from `last_seen_at`."""


@dataclass(frozen=True, slots=True)
class SessionLimits:
    """How long a session lasts unused, and how long at most (OWASP ASVS 5.0 7.3)."""

    idle: timedelta
    maximum: timedelta


@dataclass(frozen=True, slots=True)
class SignInMethod:
    """How a resident proved who she is, and how sure that makes the city."""

    methods: tuple[str, ...]
    """`amr` values of RFC 8176."""
    level: Level


PASSWORD = SignInMethod(("pwd",), Level.LOW)


@dataclass(frozen=True, slots=True)
class NewSession:
    """A session that was just opened; its secret goes into the cookie and nowhere else."""

    secret: str
    session: Session


@dataclass(frozen=True, slots=True)
class Device:
    """A session as its owner sees it in the list of her devices."""

    session: Session
    summary: str
    """What the browser said of itself, for instance "Firefox, Windows"."""


# Not on every click: a page that is read would wait for the writer.
SEEN_GRAIN = timedelta(minutes=1)


def is_alive(session: Session, idle: timedelta, now: datetime) -> bool:
    """Say whether the session still counts: neither over nor left alone for too long."""
    # OWASP ASVS 5.0 7.3.1 (idle) and 7.3.2 (absolute).
    return now < session.expires_at and now < session.last_seen_at + idle
