"""Find a resident with all that each page and each sign-in asks of her, in one question."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Text, cast, func, select
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
from citizen_account.storage.sessions import SessionRow, session_of

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
BY_EMAIL = (
    select(*ACCOUNT, *PASSWORD)
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

    async def by_email(self, email: EmailAddress) -> tuple[Account | None, StoredPassword | None]:
        """Return who has the address, and her password."""
        asked = {"email_index": index_of(self._sealer, email)}
        row: Row | None = (await self._connection.execute(BY_EMAIL, asked)).first()
        if row is None:
            return None, None
        password = row[len(ACCOUNT) :]
        stored = None if password[0] is None else StoredPassword(*password)
        return account_of(self._sealer, row[: len(ACCOUNT)]), stored
