"""Chain audit and ledger rows by hashes, so that an edited or missing row is found."""

import hashlib
import json
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import (
    ColumnElement,
    String,
    UniqueConstraint,
    bindparam,
    cast,
    exists,
    func,
    insert,
    select,
)
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.orm import Mapped, mapped_column

from citizen_account.storage.audit import AuditRow
from citizen_account.storage.base import Base, Counter
from citizen_account.storage.ledger import LedgerRow

GENESIS = "0" * 64
PAGE = 1000


class Trail(StrEnum):
    AUDIT = "audit"
    LEDGER = "ledger"


class ChainRow(Base):
    __tablename__ = "chain"
    __table_args__ = (UniqueConstraint("trail", "row_id"),)

    position: Mapped[int] = mapped_column(Counter, primary_key=True, autoincrement=False)
    trail: Mapped[Trail]
    row_id: Mapped[str] = mapped_column(String(36))
    row_digest: Mapped[str] = mapped_column(String(64))
    hash: Mapped[str] = mapped_column(String(64))
    sealed_at: Mapped[datetime]


@dataclass(frozen=True, slots=True)
class Link:
    """One sealed row: its digest, and the hash that binds it to all before it."""

    position: int
    trail: Trail
    row_id: str
    row_digest: str
    hash: str


@dataclass(frozen=True, slots=True)
class Unsealed:
    trail: Trail
    row_id: str
    row_digest: str


LINK = (ChainRow.position, ChainRow.trail, ChainRow.row_id, ChainRow.row_digest, ChainRow.hash)
LAST = select(*LINK, ChainRow.sealed_at).order_by(ChainRow.position.desc()).limit(1)
LINKS = (
    select(*LINK)
    .where(ChainRow.position > bindparam("after"))
    .order_by(ChainRow.position)
    .limit(PAGE)
)
ADD = insert(ChainRow)
_AUDIT_ID = cast(AuditRow.id, String)
# A UUID is written with hyphens on PostgreSQL and without on SQLite.
_LEDGER_ID = func.replace(cast(LedgerRow.id, String), "-", "")
_AUDIT = select(
    _AUDIT_ID.label("row_id"), AuditRow.at, AuditRow.account_id, AuditRow.event, AuditRow.facts
)
_LEDGER = select(
    _LEDGER_ID.label("row_id"),
    LedgerRow.account_id,
    LedgerRow.at,
    LedgerRow.actor_kind,
    LedgerRow.actor,
    LedgerRow.what,
    LedgerRow.purpose,
    LedgerRow.reference,
)


def _not_sealed(trail: Trail, row_id: ColumnElement[str]) -> ColumnElement[bool]:
    return ~exists().where(ChainRow.trail == trail, ChainRow.row_id == row_id)


UNSEALED = {
    Trail.AUDIT: _AUDIT.where(AuditRow.at >= bindparam("since"))
    .where(_not_sealed(Trail.AUDIT, _AUDIT_ID))
    .order_by(AuditRow.at, AuditRow.id)
    .limit(PAGE),
    Trail.LEDGER: _LEDGER.where(LedgerRow.at >= bindparam("since"))
    .where(_not_sealed(Trail.LEDGER, _LEDGER_ID))
    .order_by(LedgerRow.at, LedgerRow.id)
    .limit(PAGE),
}
ROWS = {
    Trail.AUDIT: _AUDIT.where(_AUDIT_ID.in_(bindparam("ids", expanding=True))),
    Trail.LEDGER: _LEDGER.where(_LEDGER_ID.in_(bindparam("ids", expanding=True))),
}


class Chain:
    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def last(self) -> tuple[Link, datetime] | None:
        """Return the newest link and when it was sealed."""
        row = (await self._connection.execute(LAST)).first()
        if row is None:
            return None
        columns = row._asdict()
        sealed_at: datetime = columns.pop("sealed_at")
        return Link(**columns), sealed_at

    async def unsealed(self, since: datetime) -> list[Unsealed]:
        """List rows since then that no link holds yet, at most a page of each trail."""
        found = []
        for trail, statement in UNSEALED.items():
            rows = await self._connection.execute(statement, {"since": since})
            found += [_unsealed_row(trail, row._asdict()) for row in rows]
        return found

    async def add(self, links: Sequence[Link], now: datetime) -> None:
        """Append. Raises the database's integrity error when another worker was faster."""
        rows = [
            {
                "position": link.position,
                "trail": link.trail,
                "row_id": link.row_id,
                "row_digest": link.row_digest,
                "hash": link.hash,
                "sealed_at": now,
            }
            for link in links
        ]
        await self._connection.execute(ADD, rows)

    async def links(self) -> AsyncIterator[Sequence[Link]]:
        """Yield the whole chain from its beginning, a page at a time."""
        after = 0
        while True:
            rows = await self._connection.execute(LINKS, {"after": after})
            links = [Link(**row._asdict()) for row in rows]
            if not links:
                return
            yield links
            after = links[-1].position

    async def digests(self, trail: Trail, ids: Sequence[str]) -> Mapping[str, str]:
        """Return today's digest of each of the rows that is still there."""
        if not ids:
            return {}
        rows = await self._connection.execute(ROWS[trail], {"ids": list(ids)})
        return {
            row.row_id: row.row_digest
            for row in (_unsealed_row(trail, row._asdict()) for row in rows)
        }


def hash_of(previous: str, row: Unsealed) -> str:
    text = f"{previous}\x1f{row.trail}\x1f{row.row_id}\x1f{row.row_digest}"
    return hashlib.sha256(text.encode()).hexdigest()


def _unsealed_row(trail: Trail, columns: dict[str, object]) -> Unsealed:
    row_id = str(columns["row_id"])
    plain = {name: _plain(value) for name, value in columns.items()}
    digest = hashlib.sha256(json.dumps(plain, sort_keys=True).encode()).hexdigest()
    return Unsealed(trail, row_id, digest)


def _plain(value: object) -> object:
    return value if isinstance(value, (dict, list, type(None))) else str(value)
