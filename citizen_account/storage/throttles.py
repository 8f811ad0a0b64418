"""Count tries in the database, so that every process and every restart knows of them."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

from sqlalchemy import Insert, bindparam, case, delete
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.sql.dml import ReturningInsert

from citizen_account.domain.throttling import Counter, Throttled
from citizen_account.security.sealing import Sealer
from citizen_account.storage.base import Base
from citizen_account.storage.direct import change_alone, change_later

THROTTLE_INDEX = "throttle"


class ThrottleRow(Base):
    __tablename__ = "throttles"

    key: Mapped[bytes] = mapped_column(primary_key=True)
    """A blind index: what is counted names people and networks."""
    count: Mapped[int]
    ends_at: Mapped[datetime] = mapped_column(index=True)


_INSERT: Mapping[str, "sqlite.Insert | postgresql.Insert"] = {
    "sqlite": sqlite.insert(ThrottleRow),
    "postgresql": postgresql.insert(ThrottleRow),
}


@lru_cache
def _count_up(dialect: str, many: int) -> ReturningInsert[bytes, int, datetime]:
    """Count in one statement, which answers as well: two tries at once never count as one.

    Rows are locked in the order of the values, which is one order everywhere: so two of these
    never wait for each other.
    """
    is_over = ThrottleRow.ends_at <= bindparam("now")
    new = _INSERT[dialect].values(
        [
            {"key": bindparam(f"key_{place}"), "count": 1, "ends_at": bindparam(f"ends_{place}")}
            for place in range(many)
        ]
    )
    upsert = new.on_conflict_do_update(
        index_elements=[ThrottleRow.key],
        set_={
            "count": case((is_over, 1), else_=ThrottleRow.count + 1),
            "ends_at": case((is_over, new.excluded.ends_at), else_=ThrottleRow.ends_at),
        },
    )
    return upsert.returning(ThrottleRow.key, ThrottleRow.count, ThrottleRow.ends_at)


@lru_cache
def _give_back(dialect: str, many: int) -> Insert:
    """Take one off each; a row that is gone meanwhile comes back empty and is forgotten again."""
    new = _INSERT[dialect].values(
        [
            {"key": bindparam(f"key_{place}"), "count": 0, "ends_at": bindparam("now")}
            for place in range(many)
        ]
    )
    return new.on_conflict_do_update(
        index_elements=[ThrottleRow.key],
        set_={"count": case((ThrottleRow.count > 0, ThrottleRow.count - 1), else_=0)},
    )


FORGET = delete(ThrottleRow).where(ThrottleRow.ends_at < bindparam("now"))


class Throttles:
    def __init__(self, connection: AsyncConnection, sealer: Sealer, now: datetime) -> None:
        self._connection = connection
        self._sealer = sealer
        self._now = now

    async def hit(self, key: str, limit: int, window: timedelta) -> bool:
        """Count a try and say whether it is still one of the allowed ones.

        A refusal is to be returned, not raised: raising would roll the count back.
        """
        [(count, _)] = await self._count([(key, window)])
        return count <= limit

    async def hit_all(self, counters: Sequence[Counter]) -> Throttled | None:
        """Count a try by several rules; when one refuses, say when it lets go."""
        counters = sorted(counters, key=lambda each: each.key)
        tries = await self._count([(each.key, each.rule.window) for each in counters])
        ends = [
            ends_at
            for counter, (count, ends_at) in zip(counters, tries, strict=True)
            if count > counter.rule.limit
        ]
        return Throttled(max(ends)) if ends else None

    async def give_back(self, counters: Sequence[Counter]) -> None:
        """Take back what a success was counted for: only failures are to add up."""
        keys = sorted(counter.key for counter in counters)
        statement = _give_back(self._connection.dialect.name, len(keys))
        given = {f"key_{place}": self._index(key) for place, key in enumerate(keys)}
        await change_later(self._connection, statement, {**given, "now": self._now})

    async def forget_old(self, now: datetime) -> None:
        await self._connection.execute(FORGET, {"now": now})

    async def _count(
        self, windows: Sequence[tuple[str, timedelta]]
    ) -> Sequence[tuple[int, datetime]]:
        """Return for each key how many tries it has, and to when they count."""
        keys = [self._index(key) for key, _ in windows]
        tried: dict[str, object] = {"now": self._now}
        for place, (key, (_, window)) in enumerate(zip(keys, windows, strict=True)):
            tried |= {f"key_{place}": key, f"ends_{place}": self._now + window}
        statement = _count_up(self._connection.dialect.name, len(keys))
        rows: Sequence[Sequence[Any]] = (  # Any: columns of each type
            await change_alone(self._connection, statement, tried)
        ).all()
        # They come back in no order that anybody promises.
        found = {key: (count, ends_at) for key, count, ends_at in rows}
        return [found[key] for key in keys]

    def _index(self, key: str) -> bytes:
        return self._sealer.index(key, THROTTLE_INDEX)
