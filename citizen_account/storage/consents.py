"""Keep what each resident allowed each service, every decision, and the texts they were shown."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, Index, String, Uuid, bindparam, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.orm import Mapped, mapped_column

from citizen_account.domain.accounts import AccountId
from citizen_account.domain.clients import ClientId
from citizen_account.domain.consents import (
    Consent,
    ConsentEnd,
    ConsentId,
    Decision,
    DecisionKind,
    LegalBasis,
    Notice,
)
from citizen_account.storage.accounts import AccountRow
from citizen_account.storage.base import Base
from citizen_account.storage.direct import change_later

NEWEST = ConsentId(UUID(int=2**128 - 1))


class ConsentRow(Base):
    __tablename__ = "consents"

    id: Mapped[ConsentId] = mapped_column(primary_key=True)
    account_id: Mapped[AccountId] = mapped_column(
        Uuid, ForeignKey("accounts.id", ondelete="CASCADE")
    )
    client_id: Mapped[ClientId] = mapped_column(String(255), ForeignKey("clients.id"), index=True)
    scopes: Mapped[list[str]]
    claims: Mapped[list[str]]
    refused: Mapped[list[str]]
    purposes: Mapped[list[str]]
    basis: Mapped[LegalBasis]
    text_digest: Mapped[str] = mapped_column(String(64))
    text_language: Mapped[str] = mapped_column(String(8))
    given_at: Mapped[datetime]
    last_used_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    ended_by: Mapped[ConsentEnd | None]


# One decision stands for a resident and a service; the ended ones stay as its history.
Index(
    "ux_consents_standing",
    ConsentRow.account_id,
    ConsentRow.client_id,
    unique=True,
    sqlite_where=ConsentRow.ended_at.is_(None),
    postgresql_where=ConsentRow.ended_at.is_(None),
)


class DecisionRow(Base):
    __tablename__ = "decisions"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    account_id: Mapped[AccountId] = mapped_column(
        Uuid, ForeignKey("accounts.id", ondelete="CASCADE"), index=True
    )
    client_id: Mapped[ClientId] = mapped_column(String(255), ForeignKey("clients.id"), index=True)
    consent_id: Mapped[ConsentId | None] = mapped_column(
        Uuid, ForeignKey("consents.id", ondelete="CASCADE")
    )
    kind: Mapped[DecisionKind]
    scopes: Mapped[list[str]]
    claims: Mapped[list[str]]
    refused: Mapped[list[str]]
    text_digest: Mapped[str] = mapped_column(String(64))
    text_language: Mapped[str] = mapped_column(String(8))
    at: Mapped[datetime]


class NoticeRow(Base):
    """A text that was shown, once for all who saw it: no value of a resident is in it."""

    __tablename__ = "notices"

    digest: Mapped[str] = mapped_column(String(64), primary_key=True)
    language: Mapped[str] = mapped_column(String(8))
    text: Mapped[str]
    first_shown_at: Mapped[datetime]


COLUMNS = tuple(ConsentRow.__table__.columns)
DECISION_COLUMNS = tuple(DecisionRow.__table__.columns)
READ = select(*COLUMNS)
_OF_ACCOUNT = ConsentRow.account_id == bindparam("account")
_OF_CLIENT = ConsentRow.client_id == bindparam("client")
_STANDING = ConsentRow.ended_at.is_(None)
FIND = READ.where(ConsentRow.id == bindparam("consent_id"))
FIND_STANDING = READ.where(_OF_ACCOUNT, _OF_CLIENT, _STANDING)
IDS_OF_PAIR = select(ConsentRow.id).where(_OF_ACCOUNT, _OF_CLIENT)
LIST_STANDING = READ.where(_OF_ACCOUNT, _STANDING).order_by(ConsentRow.id.desc())
LIST_EVERY = READ.where(_OF_ACCOUNT).order_by(ConsentRow.id.desc())
PAGE_OF_CLIENT = (
    READ.where(_OF_CLIENT, ConsentRow.id < bindparam("before", type_=Uuid))
    .order_by(ConsentRow.id.desc())
    .limit(bindparam("size"))
)
# Rendered on PostgreSQL alone; SQLite has one writer. FOR NO KEY UPDATE: rows that only refer to
# the account are added meanwhile.
HOLD = select(AccountRow.id).where(AccountRow.id == bindparam("account"))
HOLD = HOLD.with_for_update(key_share=True)
ADD = insert(ConsentRow)
_ONE = update(ConsentRow).where(ConsentRow.id == bindparam("consent"), _STANDING)
USE = _ONE.values(last_used_at=bindparam("now")).returning(ConsentRow.id)
END = _ONE.values(ended_at=bindparam("now"), ended_by=bindparam("how")).returning(ConsentRow.id)
ADD_DECISION = insert(DecisionRow)
DECISIONS = (
    select(*DECISION_COLUMNS)
    .where(
        DecisionRow.account_id == bindparam("account"),
        DecisionRow.id < bindparam("before", type_=Uuid),
    )
    .order_by(DecisionRow.id.desc())
    .limit(bindparam("size"))
)
FIND_NOTICE = select(NoticeRow.language, NoticeRow.text).where(
    NoticeRow.digest == bindparam("shown")
)
ADD_NOTICE = {
    "sqlite": sqlite.insert(NoticeRow).on_conflict_do_nothing(),
    "postgresql": postgresql.insert(NoticeRow).on_conflict_do_nothing(),
}
_SETS = ("scopes", "claims", "refused", "purposes")


class Consents:
    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def hold(self, account_id: AccountId) -> None:
        """Let other decisions of this resident wait until this transaction is over."""
        await self._connection.execute(HOLD, {"account": account_id})

    async def find(self, consent_id: ConsentId) -> Consent | None:
        row = (await self._connection.execute(FIND, {"consent_id": consent_id})).first()
        return None if row is None else _consent(row._asdict())

    async def find_standing(self, account_id: AccountId, client_id: ClientId) -> Consent | None:
        asked = {"account": account_id, "client": client_id}
        row = (await self._connection.execute(FIND_STANDING, asked)).first()
        return None if row is None else _consent(row._asdict())

    async def list_standing(self, account_id: AccountId) -> Sequence[Consent]:
        """Return all that stand, the newest first: as many as the resident uses services."""
        rows = await self._connection.execute(LIST_STANDING, {"account": account_id})
        return [_consent(row._asdict()) for row in rows]

    async def list_every(self, account_id: AccountId) -> Sequence[Consent]:
        """Return those that stand and those that ended, the newest first."""
        rows = await self._connection.execute(LIST_EVERY, {"account": account_id})
        return [_consent(row._asdict()) for row in rows]

    async def page_of_client(
        self, client_id: ClientId, *, before: ConsentId | None, size: int
    ) -> Sequence[Consent]:
        """List those of all residents, standing and ended ones, newest first."""
        asked = {"client": client_id, "before": before or NEWEST, "size": size}
        rows = await self._connection.execute(PAGE_OF_CLIENT, asked)
        return [_consent(row._asdict()) for row in rows]

    async def ids_of(self, account_id: AccountId, client_id: ClientId) -> Sequence[ConsentId]:
        """Return every consent between the two, the ended ones too."""
        asked = {"account": account_id, "client": client_id}
        return (await self._connection.execute(IDS_OF_PAIR, asked)).scalars().all()

    async def add(self, consent: Consent) -> None:
        row: dict[str, object] = {column.name: getattr(consent, column.name) for column in COLUMNS}
        lists = {name: sorted(getattr(consent, name)) for name in _SETS}
        await self._connection.execute(ADD, row | lists)

    async def use(self, consent_id: ConsentId, now: datetime) -> bool:
        """Note that something is released on it now. False once it has ended."""
        asked = {"consent": consent_id, "now": now}
        return (await self._connection.execute(USE, asked)).first() is not None

    async def end(self, consent_id: ConsentId, how: ConsentEnd, now: datetime) -> bool:
        """End it. Of any number of callers at once, one gets True."""
        asked = {"consent": consent_id, "how": how, "now": now}
        return (await self._connection.execute(END, asked)).first() is not None

    async def add_decision(self, decision: Decision) -> None:
        row: dict[str, object] = {
            column.name: getattr(decision, column.name) for column in DECISION_COLUMNS
        }
        lists = {name: sorted(getattr(decision, name)) for name in _SETS if name in row}
        await self._connection.execute(ADD_DECISION, row | lists)

    async def page_of_decisions(
        self, account_id: AccountId, *, before: UUID | None, size: int
    ) -> Sequence[Decision]:
        """List the resident's decisions, newest first."""
        asked = {"account": account_id, "before": before or NEWEST, "size": size}
        rows = await self._connection.execute(DECISIONS, asked)
        return [_decision(row._asdict()) for row in rows]

    async def keep_notice(self, notice: Notice, now: datetime) -> None:
        """Keep the text under its digest, unless it is kept already."""
        row = {"digest": notice.digest, "language": notice.language, "text": notice.text}
        statement = ADD_NOTICE[self._connection.dialect.name]
        await change_later(self._connection, statement, row | {"first_shown_at": now})

    async def find_notice(self, digest: str) -> Notice | None:
        row = (await self._connection.execute(FIND_NOTICE, {"shown": digest})).first()
        return None if row is None else Notice(**row._asdict())


def _consent(columns: dict[str, Any]) -> Consent:
    return Consent(**columns | {name: frozenset(columns[name]) for name in _SETS})


def _decision(columns: dict[str, Any]) -> Decision:
    return Decision(
        **columns | {name: frozenset(columns[name]) for name in _SETS if name in columns}
    )
