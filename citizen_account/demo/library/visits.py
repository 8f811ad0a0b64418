"""Remember each browser's visit on the server; the cookie holds a random number alone."""

import secrets
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

LIFETIME_SECONDS = 8 * 3600
MAX_VISITS = 10_000


class Notice(StrEnum):
    """What the next page tells the reader first."""

    SIGNED_OUT = "signed_out"
    ENDED_BY_ACCOUNT = "ended_by_account"
    CANCELLED = "cancelled"
    FAILED = "failed"
    UNREACHABLE = "unreachable"
    REFRESHED = "refreshed"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Tokens:
    """What the Library keeps to ask again and to sign out. No page shows it."""

    access: str
    refresh: str | None
    id_token: str


@dataclass(frozen=True, slots=True)
class Reader:
    """Who is signed in: exactly what the account told the Library."""

    tokens: Tokens
    claims: dict[str, Any]  # Any: JSON of the ID token
    userinfo: dict[str, Any]  # Any: JSON of the userinfo answer

    @property
    def subject(self) -> str:
        return str(self.claims["sub"])

    @property
    def account_session(self) -> str | None:
        """The `sid` of the account's session (OIDC Back-Channel Logout section 2.1)."""
        sid = self.claims.get("sid")
        return sid if isinstance(sid, str) else None

    @property
    def name(self) -> str:
        for claim in ("name", "given_name", "email"):
            if isinstance(self.userinfo.get(claim), str):
                return str(self.userinfo[claim])
        return self.subject


@dataclass(slots=True)
class Visit:
    """One browser at the Library."""

    language: str
    form_token: str = field(default_factory=secrets.token_urlsafe)
    client_data: dict[str, Any] = field(default_factory=dict)
    """What the client library remembers between its two steps. Any: its own business."""
    reader: Reader | None = None
    notice: Notice | None = None
    answers: dict[str, str] = field(default_factory=dict)
    """What the account answered when the Library last asked again."""
    ends_at: float = field(default_factory=lambda: time.monotonic() + LIFETIME_SECONDS)

    def end(self, notice: Notice) -> None:
        self.reader = None
        self.notice = notice


class Visits:
    def __init__(self) -> None:
        self._visits: dict[str, Visit] = {}

    def find(self, secret: str) -> Visit | None:
        visit = self._visits.get(secret)
        if visit is None or visit.ends_at <= time.monotonic():
            return None
        return visit

    def begin(self, visit: Visit) -> str:
        """Keep the visit and return its secret."""
        self._forget_old()
        secret = secrets.token_urlsafe(32)
        self._visits[secret] = visit
        return secret

    def renew(self, secret: str) -> str:
        """Move the visit to a new secret: what was known before the sign-in opens nothing after."""
        return self.begin(self._visits.pop(secret))

    def end_signed_in(self, subject: str | None, account_session: str | None) -> int:
        """End the visits of the account's session, or all of the reader's. Return how many."""
        ended = list(self._of(subject, account_session))
        for visit in ended:
            visit.end(Notice.ENDED_BY_ACCOUNT)
        return len(ended)

    def _of(self, subject: str | None, account_session: str | None) -> Iterator[Visit]:
        for visit in self._visits.values():
            reader = visit.reader
            if reader is None or (subject is not None and reader.subject != subject):
                continue
            if account_session is None or reader.account_session == account_session:
                yield visit

    def _forget_old(self) -> None:
        now = time.monotonic()
        self._visits = {key: one for key, one in self._visits.items() if one.ends_at > now}
        while len(self._visits) >= MAX_VISITS:
            del self._visits[next(iter(self._visits))]
