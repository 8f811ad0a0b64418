"""Count tries in the database, so that every process and every restart knows of them."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import Insert, bindparam, case, delete, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.orm import Mapped, mapped_column

from citizen_account.domain.throttling import Counter, Throttled
from citizen_account.security.sealing import Sealer
from citizen_account.storage.base import Base

THROTTLE_INDEX = "throttle"


class ThrottleRow(Base):
    __tablename__ = "throttles"

    key: Mapped[bytes] = mapped_column(primary_key=True)
    """A blind index: what is counted names people and networks."""
    count: Mapped[int]
    ends_at: Mapped[datetime] = mapped_column(index=True)


def _count_up(statement: "sqlite.Insert | postgresql.Insert") -> Insert:
    """One statement counts and answers: two tries at once never count as one."""
    is_over = ThrottleRow.ends_at <= bindparam("now")
    new = statement.values(key=bindparam("key"), count=1, ends_at=bindparam("ends"))
    upsert = new.on_conflict_do_update(
        index_elements=[ThrottleRow.key],
        set_={
            "count": case((is_over, 1), else_=ThrottleRow.count + 1),
            "ends_at": case((is_over, new.excluded.ends_at), else_=ThrottleRow.ends_at),
        },
    )
    return upsert.returning(ThrottleRow.count.label("tries"), ThrottleRow.ends_at)


COUNT_UP = {
    "sqlite": _count_up(sqlite.insert(ThrottleRow)),
    "postgresql": _count_up(postgresql.insert(ThrottleRow)),
}
GIVE_BACK = (
    update(ThrottleRow)
    .where(ThrottleRow.key == bindparam("counted"), ThrottleRow.count > 0)
    .values(count=ThrottleRow.count - 1)
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
        count, _ = await self._count(key, window)
        return count <= limit

    async def hit_all(self, counters: Sequence[Counter]) -> Throttled | None:
        """Count a try by several rules; when one refuses, say when it lets go."""
        ends = []
        # In one order everywhere, so that two transactions never wait for each other.
        for counter in sorted(counters, key=lambda each: each.key):
            count, ends_at = await self._count(counter.key, counter.rule.window)
            if count > counter.rule.limit:
                ends.append(ends_at)
        return Throttled(max(ends)) if ends else None

    async def give_back(self, counters: Sequence[Counter]) -> None:
        """Take back what a success was counted for: only failures are to add up."""
        for counter in sorted(counters, key=lambda each: each.key):
            await self._connection.execute(GIVE_BACK, {"counted": self._index(counter.key)})

    async def forget_old(self, now: datetime) -> None:
        await self._connection.execute(FORGET, {"now": now})

    async def _count(self, key: str, window: timedelta) -> tuple[int, datetime]:
        tried = {"key": self._index(key), "now": self._now, "ends": self._now + window}
        statement = COUNT_UP[self._connection.dialect.name]
        row = (await self._connection.execute(statement, tried)).one()
        return row.tries, row.ends_at

    def _index(self, key: str) -> bytes:
        return self._sealer.index(key, THROTTLE_INDEX)
