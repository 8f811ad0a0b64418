"""Keep how each connector fares, for all processes at once."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import String, bindparam, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.orm import Mapped, mapped_column

from citizen_account.domain.connectors import ConnectorHealth, ConnectorId, Gate
from citizen_account.storage.base import Base


class ConnectorHealthRow(Base):
    __tablename__ = "connector_health"

    connector_id: Mapped[ConnectorId] = mapped_column(String(31), primary_key=True)
    gate: Mapped[Gate]
    failures: Mapped[int]
    since: Mapped[datetime | None]
    open_until: Mapped[datetime | None]
    reason: Mapped[str]
    checked_at: Mapped[datetime | None]
    report: Mapped[Mapping[str, str]]


COLUMNS = (
    ConnectorHealthRow.connector_id,
    ConnectorHealthRow.gate,
    ConnectorHealthRow.failures,
    ConnectorHealthRow.since,
    ConnectorHealthRow.open_until,
    ConnectorHealthRow.reason,
    ConnectorHealthRow.checked_at,
    ConnectorHealthRow.report,
)
ALL = select(*COLUMNS).order_by(ConnectorHealthRow.connector_id)
FIND = select(*COLUMNS).where(ConnectorHealthRow.connector_id == bindparam("connector"))
HOLD = FIND.with_for_update()
ADD = {
    "sqlite": sqlite.insert(ConnectorHealthRow).on_conflict_do_nothing(),
    "postgresql": postgresql.insert(ConnectorHealthRow).on_conflict_do_nothing(),
}
SAVE = (
    update(ConnectorHealthRow)
    .where(ConnectorHealthRow.connector_id == bindparam("connector"))
    .values({column: bindparam(f"new_{column.key}") for column in COLUMNS[1:]})
)


class ConnectorHealths:
    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def find(self, connector_id: ConnectorId) -> ConnectorHealth:
        """Return how it fares; what nobody ever called fares well."""
        row = (await self._connection.execute(FIND, {"connector": connector_id})).first()
        return ConnectorHealth(connector_id) if row is None else ConnectorHealth(*row)

    async def all(self) -> Sequence[ConnectorHealth]:
        return [ConnectorHealth(*row) for row in await self._connection.execute(ALL)]

    async def hold(self, connector_id: ConnectorId) -> ConnectorHealth:
        """Return how it fares, and keep others from changing it until the transaction ends."""
        new = _values(ConnectorHealth(connector_id))
        add = ADD[self._connection.dialect.name]
        await self._connection.execute(add, {"connector_id": connector_id, **new})
        row = (await self._connection.execute(HOLD, {"connector": connector_id})).one()
        return ConnectorHealth(*row)

    async def save(self, health: ConnectorHealth) -> None:
        """Change a row that `hold` gave."""
        new = {f"new_{name}": value for name, value in _values(health).items()}
        await self._connection.execute(SAVE, {"connector": health.connector_id, **new})


def _values(health: ConnectorHealth) -> dict[str, object]:
    return {
        "gate": health.gate,
        "failures": health.failures,
        "since": health.since,
        "open_until": health.open_until,
        "reason": health.reason,
        "checked_at": health.checked_at,
        "report": dict(health.report),
    }
