"""Keep the residents: who they are is sealed, what it takes to find them is not readable."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import String, bindparam, delete, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.orm import Mapped, mapped_column

from citizen_account.domain.accounts import Account, AccountId, Address, Level, Profile
from citizen_account.domain.emails import EmailAddress
from citizen_account.security.sealing import Sealer
from citizen_account.storage.base import Base
from citizen_account.storage.written import read_json

EMAIL_INDEX = "account e-mail"


class AccountRow(Base):
    __tablename__ = "accounts"

    id: Mapped[AccountId] = mapped_column(primary_key=True)
    email_index: Mapped[bytes | None] = mapped_column(unique=True)
    profile: Mapped[bytes]
    """Sealed JSON: the address and all that the resident says of herself."""
    language: Mapped[str] = mapped_column(String(8))
    level: Mapped[Level]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    closing_at: Mapped[datetime | None] = mapped_column(index=True)
    mail_failing_since: Mapped[datetime | None]
    ended_at: Mapped[datetime | None] = mapped_column(index=True)
    """When it was closed for good; the rest of its rows goes soon after."""


@dataclass(frozen=True, slots=True)
class NewAccount:
    id: AccountId
    email: EmailAddress | None
    profile: Profile
    language: str
    level: Level


COLUMNS = (
    AccountRow.id,
    AccountRow.profile,
    AccountRow.language,
    AccountRow.level,
    AccountRow.created_at,
    AccountRow.updated_at,
    AccountRow.closing_at,
    AccountRow.mail_failing_since,
)
_READ = select(*COLUMNS)
_NAMES = tuple(column.key for column in COLUMNS)
FIND = _READ.where(AccountRow.id == bindparam("account_id"))
FIND_BY_EMAIL = _READ.where(AccountRow.email_index == bindparam("email_index"))
PAGE = _READ.where(AccountRow.id > bindparam("after")).order_by(AccountRow.id)
PAGE = PAGE.limit(bindparam("size"))
CLOSING = select(AccountRow.id).where(
    AccountRow.closing_at <= bindparam("now"), AccountRow.ended_at.is_(None)
)
ENDED = select(AccountRow.id).where(AccountRow.ended_at <= bindparam("limit"))
ADD = insert(AccountRow)
_ONE = update(AccountRow).where(AccountRow.id == bindparam("account"))
SAVE = _ONE.values(
    profile=bindparam("sealed"), language=bindparam("tongue"), updated_at=bindparam("now")
)
SAVE_EMAIL = _ONE.values(
    profile=bindparam("sealed"),
    email_index=bindparam("index"),
    updated_at=bindparam("now"),
    mail_failing_since=None,
)
SAVE_LEVEL = _ONE.values(level=bindparam("reached"), updated_at=bindparam("now"))
SAVE_CLOSING = _ONE.values(closing_at=bindparam("until"))
CLOSE = (
    _ONE.where(AccountRow.ended_at.is_(None))
    .values(ended_at=bindparam("now"), email_index=None, profile=bindparam("sealed"))
    .returning(AccountRow.id)
)
MAIL_FAILS = update(AccountRow).where(
    AccountRow.email_index == bindparam("index"), AccountRow.mail_failing_since.is_(None)
)
MAIL_FAILS = MAIL_FAILS.values(mail_failing_since=bindparam("now"))
MAIL_ARRIVES = update(AccountRow).where(
    AccountRow.email_index == bindparam("index"), AccountRow.mail_failing_since.is_not(None)
)
MAIL_ARRIVES = MAIL_ARRIVES.values(mail_failing_since=None)
REMOVE = delete(AccountRow).where(AccountRow.id == bindparam("account"))


class Accounts:
    def __init__(self, connection: AsyncConnection, sealer: Sealer) -> None:
        self._connection = connection
        self._sealer = sealer

    async def find(self, account_id: AccountId) -> Account | None:
        row = (await self._connection.execute(FIND, {"account_id": account_id})).first()
        return None if row is None else account_of(self._sealer, row)

    async def find_by_email(self, email: EmailAddress) -> Account | None:
        asked = {"email_index": index_of(self._sealer, email)}
        row = (await self._connection.execute(FIND_BY_EMAIL, asked)).first()
        return None if row is None else account_of(self._sealer, row)

    async def page(self, *, after: AccountId, size: int) -> list[Account]:
        """List in the order of ids, from the first one behind `after`."""
        rows = await self._connection.execute(PAGE, {"after": after, "size": size})
        return [account_of(self._sealer, row) for row in rows]

    async def add(self, account: NewAccount, now: datetime) -> bool:
        """Open an account. False when another one has the address: it belongs to one."""
        row = {
            "id": account.id,
            "email_index": None if account.email is None else index_of(self._sealer, account.email),
            "profile": self._seal(account.id, account.email, account.profile),
            "language": account.language,
            "level": account.level,
            "created_at": now,
            "updated_at": now,
            "closing_at": None,
            "mail_failing_since": None,
            "ended_at": None,
        }
        try:
            # The unique index has the last word when two come at once.
            async with self._connection.begin_nested():
                await self._connection.execute(ADD, row)
        except IntegrityError:
            return False
        return True

    async def save_profile(
        self, account: Account, profile: Profile, language: str, now: datetime
    ) -> None:
        sealed = self._seal(account.id, _address_of(account), profile)
        changed = {"account": account.id, "sealed": sealed, "tongue": language, "now": now}
        await self._connection.execute(SAVE, changed)

    async def save_email(self, account: Account, email: EmailAddress, now: datetime) -> bool:
        """Replace the address. False when another account has it."""
        sealed = self._seal(account.id, email, account.profile)
        changed = {
            "account": account.id,
            "sealed": sealed,
            "index": index_of(self._sealer, email),
            "now": now,
        }
        try:
            async with self._connection.begin_nested():
                await self._connection.execute(SAVE_EMAIL, changed)
        except IntegrityError:
            return False
        return True

    async def save_level(self, account_id: AccountId, level: Level, now: datetime) -> None:
        changed = {"account": account_id, "reached": level, "now": now}
        await self._connection.execute(SAVE_LEVEL, changed)

    async def save_closing(self, account_id: AccountId, closing_at: datetime | None) -> None:
        """Note when the account is to be closed for good; None takes it back."""
        await self._connection.execute(SAVE_CLOSING, {"account": account_id, "until": closing_at})

    async def closing_by(self, now: datetime) -> list[AccountId]:
        """Return the accounts whose time to change one's mind is over."""
        return list((await self._connection.execute(CLOSING, {"now": now})).scalars())

    async def close(self, account_id: AccountId, now: datetime) -> bool:
        """Forget who it is and free the address. Of several callers at once, one gets True."""
        sealed = self._seal(account_id, None, Profile())
        closed = {"account": account_id, "now": now, "sealed": sealed}
        return (await self._connection.execute(CLOSE, closed)).first() is not None

    async def ended_by(self, limit: datetime) -> list[AccountId]:
        """Return the accounts that were closed for good before then."""
        return list((await self._connection.execute(ENDED, {"limit": limit})).scalars())

    async def mark_mail_failing(self, address: str, now: datetime) -> None:
        """Remember since when mail to the address comes back, if an account has it."""
        failing = {"index": index_of(self._sealer, EmailAddress(address)), "now": now}
        await self._connection.execute(MAIL_FAILS, failing)

    async def mark_mail_arriving(self, email: EmailAddress) -> None:
        """Forget it: somebody has just read a message there."""
        await self._connection.execute(MAIL_ARRIVES, {"index": index_of(self._sealer, email)})

    async def remove(self, account_id: AccountId) -> None:
        await self._connection.execute(REMOVE, {"account": account_id})

    def _seal(self, account_id: AccountId, email: EmailAddress | None, profile: Profile) -> bytes:
        plain = plain_profile(profile) | {"email": None if email is None else email.text}
        return self._sealer.seal(json.dumps(plain).encode(), _context(account_id))


def index_of(sealer: Sealer, email: EmailAddress) -> bytes:
    """Return by what an address is found without being readable."""
    return sealer.index(email.canonical, EMAIL_INDEX)


def account_of(sealer: Sealer, row: Sequence[Any]) -> Account:  # Any: columns of each type
    """Return the account of a row of COLUMNS."""
    columns = dict(zip(_NAMES, row, strict=True))
    plain = read_json(sealer.open(columns.pop("profile"), _context(columns["id"])))
    email = plain.pop("email")
    return Account(email=email, profile=_read_profile(plain), **columns)


def plain_profile(profile: Profile) -> dict[str, object]:
    """Return the members to seal."""
    plain = asdict(profile)
    if not profile.further:
        # The version before stops at a member that it does not know.
        del plain["further"]
    return plain


def _address_of(account: Account) -> EmailAddress | None:
    return None if account.email is None else EmailAddress(account.email)


def _read_profile(plain: Mapping[str, object]) -> Profile:
    parts = dict(plain)
    address = parts.pop("address")
    return Profile(address=Address(**address), **parts)  # type: ignore[arg-type]  # as sealed above


def _context(account_id: object) -> str:
    return f"accounts.profile.{account_id}"
