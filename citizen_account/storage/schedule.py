"""Let one of many workers do what is done periodically."""

from datetime import datetime

from sqlalchemy import String, bindparam, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.orm import Mapped, mapped_column

from citizen_account.storage.base import Base


class ScheduleRow(Base):
    __tablename__ = "schedule"

    name: Mapped[str] = mapped_column(String(64), primary_key=True)
    due_at: Mapped[datetime]


FIND = select(ScheduleRow.due_at).where(ScheduleRow.name == bindparam("task"))
ADD = insert(ScheduleRow)
CLAIM = (
    update(ScheduleRow)
    .where(ScheduleRow.name == bindparam("task"), ScheduleRow.due_at <= bindparam("now"))
    .values(due_at=bindparam("next"))
    .returning(ScheduleRow.name)
)


class Schedule:
    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def is_due(self, name: str, now: datetime) -> bool:
        due_at = (await self._connection.execute(FIND, {"task": name})).scalar()
        return due_at is None or due_at <= now

    async def claim(self, name: str, now: datetime, following: datetime) -> bool:
        """Take the task for this turn. Of any number of workers at once, one gets True."""
        asked = {"task": name, "now": now, "next": following}
        if (await self._connection.execute(CLAIM, asked)).first() is not None:
            return True
        if (await self._connection.execute(FIND, {"task": name})).first() is not None:
            return False
        try:
            async with self._connection.begin_nested():
                await self._connection.execute(ADD, {"name": name, "due_at": following})
        except IntegrityError:
            return False
        return True
