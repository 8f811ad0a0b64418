"""Keep what must happen later, in the transaction that decided it."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import JSON, String, bindparam, delete, func, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.orm import Mapped, mapped_column

from citizen_account.domain.errands import MAIL, Delivery, Errand, Mail, ParkedErrand
from citizen_account.domain.events import Event, facts_of
from citizen_account.security.sealing import Sealer
from citizen_account.security.tokens import new_id
from citizen_account.storage.base import Base

# A worker that died while sending leaves its errand claimed: another takes it over.
CLAIM_LIFETIME = timedelta(minutes=5)
KEEP_DONE = timedelta(days=30)


class OutboxRow(Base):
    __tablename__ = "outbox"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(String(64))
    facts: Mapped[dict[str, str]] = mapped_column(JSON)
    payload: Mapped[bytes | None]
    state: Mapped[Delivery]
    due_at: Mapped[datetime] = mapped_column(index=True)
    claimed_at: Mapped[datetime | None]
    attempts: Mapped[int]
    created_at: Mapped[datetime]
    reason: Mapped[str] = mapped_column(String(255))


ADD = insert(OutboxRow)
_DUE = (
    select(OutboxRow.id)
    .where(
        OutboxRow.due_at <= bindparam("now"),
        or_(
            OutboxRow.state == Delivery.PENDING,
            (OutboxRow.state == Delivery.SENDING) & (OutboxRow.claimed_at < bindparam("forgotten")),
        ),
    )
    .order_by(OutboxRow.due_at)
    .limit(bindparam("size"))
    # Rendered on PostgreSQL alone; SQLite has one writer.
    .with_for_update(skip_locked=True)
)
CLAIM = (
    update(OutboxRow)
    .where(OutboxRow.id.in_(_DUE))
    .values(
        state=Delivery.SENDING,
        claimed_at=bindparam("claimed"),
        attempts=OutboxRow.attempts + 1,
    )
    .returning(
        OutboxRow.id,
        OutboxRow.kind,
        OutboxRow.facts,
        OutboxRow.payload,
        OutboxRow.attempts,
        OutboxRow.created_at,
    )
)
_ONE = update(OutboxRow).where(OutboxRow.id == bindparam("errand"))
FINISH = _ONE.values(state=Delivery.DONE, payload=None, reason="")
RETRY = _ONE.values(state=Delivery.PENDING, due_at=bindparam("due"), reason=bindparam("why"))
PARK = _ONE.values(state=Delivery.PARKED, reason=bindparam("why"))
_FROM_THE_START = {
    "state": Delivery.PENDING,
    "due_at": bindparam("due"),
    "created_at": bindparam("due"),
    "attempts": 0,
    "reason": "",
}
RELEASE = (
    _ONE.where(OutboxRow.state == Delivery.PARKED).values(_FROM_THE_START).returning(OutboxRow.id)
)
HURRY = (
    update(OutboxRow)
    .where(
        OutboxRow.kind == bindparam("errand_kind"),
        OutboxRow.facts["delivery"].as_string() == bindparam("delivery"),
        OutboxRow.state.in_([Delivery.PENDING, Delivery.PARKED]),
    )
    .values(_FROM_THE_START)
    .returning(OutboxRow.id)
)
PARKED = (
    select(
        OutboxRow.id,
        OutboxRow.kind,
        OutboxRow.facts,
        OutboxRow.attempts,
        OutboxRow.created_at,
        OutboxRow.reason,
    )
    .where(OutboxRow.state == Delivery.PARKED, OutboxRow.id > bindparam("after"))
    .order_by(OutboxRow.id)
    .limit(bindparam("size"))
)
COUNTS = select(OutboxRow.state, func.count()).group_by(OutboxRow.state)
OLDEST_DUE = select(func.min(OutboxRow.due_at)).where(
    OutboxRow.state == Delivery.PENDING, OutboxRow.due_at <= bindparam("now")
)
FORGET = delete(OutboxRow).where(
    OutboxRow.state.in_([Delivery.DONE, Delivery.SUPERSEDED]),
    OutboxRow.created_at < bindparam("limit"),
)


class Outbox:
    def __init__(self, connection: AsyncConnection, sealer: Sealer) -> None:
        self._connection = connection
        self._sealer = sealer

    async def add_events(self, events: Sequence[Event], now: datetime) -> None:
        rows = [_row(new_id(), event.code, facts_of(event), now) for event in events]
        await self._connection.execute(ADD, rows)

    async def add(
        self,
        kind: str,
        facts: Mapping[str, str],
        now: datetime,
        *,
        sealed: Mapping[str, str] | None = None,
    ) -> UUID:
        """Ask for a job by its name. What is sealed is forgotten once the job is done."""
        errand_id = new_id()
        row = _row(errand_id, kind, facts, now)
        if sealed is not None:
            row["payload"] = self._seal(errand_id, dict(sealed))
        await self._connection.execute(ADD, [row])
        return errand_id

    async def add_mail(self, mail: Mail, now: datetime) -> UUID:
        """Ask for a message; address and facts are sealed until it has been sent."""
        errand_id = new_id()
        row = _row(errand_id, MAIL, {"name": mail.name}, now)
        row["payload"] = self._seal(errand_id, asdict(mail) | {"facts": dict(mail.facts)})
        await self._connection.execute(ADD, [row])
        return errand_id

    def _seal(self, errand_id: UUID, plain: Mapping[str, object]) -> bytes:
        return self._sealer.seal(json.dumps(plain).encode(), f"outbox.payload.{errand_id}")

    async def claim(self, now: datetime, size: int) -> Sequence[Errand]:
        """Take due errands, each for one caller only."""
        asked = {"now": now, "claimed": now, "forgotten": now - CLAIM_LIFETIME, "size": size}
        rows = await self._connection.execute(CLAIM, asked)
        return [Errand(**row._asdict()) for row in rows]

    async def finish(self, errand_id: UUID) -> None:
        await self._connection.execute(FINISH, {"errand": errand_id})

    async def retry(self, errand_id: UUID, due: datetime, why: str) -> None:
        await self._connection.execute(RETRY, {"errand": errand_id, "due": due, "why": why[:255]})

    async def park(self, errand_id: UUID, why: str) -> None:
        await self._connection.execute(PARK, {"errand": errand_id, "why": why[:255]})

    async def release(self, errand_id: UUID, now: datetime) -> bool:
        """Let a parked errand be tried again. Of several callers at once, one gets True."""
        released = await self._connection.execute(RELEASE, {"errand": errand_id, "due": now})
        return released.first() is not None

    async def hurry(self, kind: str, delivery: UUID, now: datetime) -> UUID | None:
        """Let the errand of a delivery that waits or is parked be tried at once; return its id."""
        asked = {"errand_kind": kind, "delivery": str(delivery), "due": now}
        hurried: UUID | None = (await self._connection.execute(HURRY, asked)).scalar()
        return hurried

    async def parked(self, *, after: UUID | None, size: int) -> Sequence[ParkedErrand]:
        asked = {"after": after or UUID(int=0), "size": size}
        return [
            ParkedErrand(**row._asdict()) for row in await self._connection.execute(PARKED, asked)
        ]

    async def counts(self) -> Mapping[Delivery, int]:
        rows = await self._connection.execute(COUNTS)
        return {state: count for state, count in rows.all()}  # noqa: C416  # rows are no pairs to mypy

    async def oldest_due(self, now: datetime) -> datetime | None:
        """Return since when the oldest errand has been waiting for a worker; None: none is."""
        found: datetime | None = (await self._connection.execute(OLDEST_DUE, {"now": now})).scalar()
        return found

    async def forget_done(self, now: datetime) -> None:
        await self._connection.execute(FORGET, {"limit": now - KEEP_DONE})


def read_mail(sealer: Sealer, errand: Errand) -> Mail:
    """Open the message of a mail errand."""
    return Mail(**_opened(sealer, errand))


def read_sealed(sealer: Sealer, errand: Errand) -> Mapping[str, str]:
    """Open what a job was given sealed."""
    opened: Mapping[str, str] = _opened(sealer, errand)
    return opened


def _opened(sealer: Sealer, errand: Errand) -> Any:  # noqa: ANN401  # JSON of ours
    return json.loads(sealer.open(errand.payload or b"", f"outbox.payload.{errand.id}"))


def _row(errand_id: UUID, kind: str, facts: Mapping[str, str], now: datetime) -> dict[str, object]:
    return {
        "id": errand_id,
        "kind": kind,
        "facts": dict(facts),
        "payload": None,
        "state": Delivery.PENDING,
        "due_at": now,
        "claimed_at": None,
        "attempts": 0,
        "created_at": now,
        "reason": "",
    }
