"""Keep pending authorizations and logouts: their parameters never travel in an address."""

import json
from datetime import datetime

from sqlalchemy import ForeignKey, LargeBinary, String, bindparam, delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.orm import Mapped, mapped_column

from citizen_account.domain.accounts import SessionId
from citizen_account.domain.clients import ClientId
from citizen_account.domain.interactions import Interaction, InteractionId, InteractionKind
from citizen_account.security.sealing import Sealer
from citizen_account.storage.base import Base


class InteractionRow(Base):
    __tablename__ = "interactions"

    id: Mapped[InteractionId] = mapped_column(primary_key=True)
    kind: Mapped[InteractionKind]
    client_id: Mapped[ClientId | None] = mapped_column(
        String(255), ForeignKey("clients.id", ondelete="CASCADE")
    )
    parameters: Mapped[bytes]
    """Sealed JSON: a list of pairs."""
    browser_digest: Mapped[bytes | None] = mapped_column(LargeBinary(32))
    # No foreign key: a session's row is forgotten sooner or later than this one.
    first_session: Mapped[SessionId | None]
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime] = mapped_column(index=True)
    decided_at: Mapped[datetime | None]
    # No foreign key: neither row waits for the other to be forgotten.
    pushed: Mapped[bytes | None] = mapped_column(LargeBinary(32))


COLUMNS = tuple(InteractionRow.__table__.columns)
_ONE = InteractionRow.id == bindparam("interaction")
FIND = select(*COLUMNS).where(_ONE)
ADD = insert(InteractionRow)
BIND = (
    update(InteractionRow)
    .where(_ONE, InteractionRow.browser_digest.is_(None))
    .values(browser_digest=bindparam("browser"), first_session=bindparam("session"))
    .returning(InteractionRow.id)
)
DECIDE = (
    update(InteractionRow)
    .where(_ONE, InteractionRow.decided_at.is_(None), InteractionRow.expires_at > bindparam("now"))
    .values(decided_at=bindparam("now"))
    .returning(InteractionRow.id)
)
FORGET = delete(InteractionRow).where(InteractionRow.expires_at < bindparam("now"))


class Interactions:
    def __init__(self, connection: AsyncConnection, sealer: Sealer) -> None:
        self._connection = connection
        self._sealer = sealer

    async def add(self, interaction: Interaction) -> None:
        row: dict[str, object] = {
            column.name: getattr(interaction, column.name) for column in COLUMNS
        }
        plain = json.dumps(interaction.parameters).encode()
        row["parameters"] = self._sealer.seal(plain, _context(interaction.id))
        await self._connection.execute(ADD, row)

    async def find(self, interaction_id: InteractionId) -> Interaction | None:
        row = (await self._connection.execute(FIND, {"interaction": interaction_id})).first()
        if row is None:
            return None
        columns = row._asdict()
        plain = self._sealer.open(columns.pop("parameters"), _context(interaction_id))
        pairs = tuple((name, value) for name, value in json.loads(plain))
        return Interaction(parameters=pairs, **columns)

    async def bind(
        self, interaction_id: InteractionId, browser: bytes, session: SessionId | None
    ) -> bool:
        """Give it to the first browser that brings it. Of any number of callers, one gets True."""
        asked = {"interaction": interaction_id, "browser": browser, "session": session}
        return (await self._connection.execute(BIND, asked)).first() is not None

    async def decide(self, interaction_id: InteractionId, now: datetime) -> bool:
        """Use it up. Of any number of callers at once, one gets True."""
        asked = {"interaction": interaction_id, "now": now}
        return (await self._connection.execute(DECIDE, asked)).first() is not None

    async def forget_expired(self, now: datetime) -> None:
        await self._connection.execute(FORGET, {"now": now})


def _context(interaction_id: InteractionId) -> str:
    return f"interactions.parameters.{interaction_id}"
