"""Find a resident with all that each page and each sign-in asks of her, in one question."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Text, and_, cast, exists, func, select
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.sql.expression import bindparam

from citizen_account.domain.accounts import Account, Role, Session
from citizen_account.domain.emails import EmailAddress
from citizen_account.security.sealing import Sealer
from citizen_account.storage.accounts import COLUMNS as ACCOUNT
from citizen_account.storage.accounts import AccountRow, account_of, index_of
from citizen_account.storage.credentials import COLUMNS as PASSWORD
from citizen_account.storage.credentials import PasswordRow, StoredPassword
from citizen_account.storage.messages import MessageRow
from citizen_account.storage.roles import RoleRow
from citizen_account.storage.sessions import COLUMNS as SESSION
from citizen_account.storage.sessions import SessionRow, device_index_of, session_of

Row = Sequence[Any]  # Any: columns of each type

_ROLES = (
    select(func.aggregate_strings(cast(RoleRow.role, Text), " "))
    .where(RoleRow.account_id == AccountRow.id)
    .scalar_subquery()
)
_UNREAD = (
    select(func.count())
    .where(MessageRow.account_id == AccountRow.id, MessageRow.read_at.is_(None))
    .scalar_subquery()
)
BY_SESSION = (
    select(*SESSION, *ACCOUNT, _ROLES, _UNREAD)
    .join(AccountRow, AccountRow.id == SessionRow.account_id)
    .where(SessionRow.digest == bindparam("session_digest"), SessionRow.ended_at.is_(None))
)
_HERS = SessionRow.account_id == AccountRow.id
_IS_NEW_DEVICE = and_(
    exists().where(_HERS),
    ~exists().where(_HERS, SessionRow.device_index == bindparam("device_index")),
)
BY_EMAIL = (
    select(_IS_NEW_DEVICE, *PASSWORD, *ACCOUNT)
    .outerjoin(PasswordRow, PasswordRow.account_id == AccountRow.id)
    .where(AccountRow.email_index == bindparam("email_index"))
)


@dataclass(frozen=True, slots=True)
class Visitor:
    """Whom a browser's secret belongs to, whether her session is still young enough or not."""

    session: Session
    account: Account
    roles: frozenset[Role]
    unread: int
    """Messages."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """Whom an address belongs to: whether it is she who signs in, her password will tell."""

    account: Account
    password: StoredPassword | None
    is_new_device: bool
    """The account was used before, but never with this device."""


class Residents:
    def __init__(self, connection: AsyncConnection, sealer: Sealer) -> None:
        self._connection = connection
        self._sealer = sealer

    async def by_session(self, digest: bytes) -> Visitor | None:
        """Return whose session it is, unless somebody ended it."""
        asked = {"session_digest": digest}
        row: Row | None = (await self._connection.execute(BY_SESSION, asked)).first()
        if row is None:
            return None
        end = len(SESSION) + len(ACCOUNT)
        roles, unread = row[end:]
        return Visitor(
            session_of(row[: len(SESSION)]),
            account_of(self._sealer, row[len(SESSION) : end]),
            frozenset(Role(name) for name in (roles or "").split()),
            unread,
        )

    async def by_email(self, email: EmailAddress, device: str) -> Candidate | None:
        """Return who has the address, for a sign-in with this device."""
        asked = {
            "email_index": index_of(self._sealer, email),
            "device_index": device_index_of(self._sealer, device),
        }
        row: Row | None = (await self._connection.execute(BY_EMAIL, asked)).first()
        if row is None:
            return None
        start = 1 + len(PASSWORD)
        is_new_device, *password = row[:start]
        return Candidate(
            account_of(self._sealer, row[start:]),
            None if password[0] is None else StoredPassword(*password),
            bool(is_new_device),
        )
