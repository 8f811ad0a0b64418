"""Keep how clients registered themselves, and the tokens that let them."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ForeignKey,
    LargeBinary,
    String,
    bindparam,
    delete,
    exists,
    func,
    insert,
    select,
    update,
)
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.orm import Mapped, mapped_column

from citizen_account.domain.accounts import AccountId
from citizen_account.domain.clients import Approval, Client, ClientId
from citizen_account.domain.registrations import ClientRegistration, InitialToken
from citizen_account.storage.base import Base
from citizen_account.storage.clients import COLUMNS as CLIENT_COLUMNS
from citizen_account.storage.clients import ClientRow, client_of
from citizen_account.storage.consents import ConsentRow, DecisionRow
from citizen_account.storage.grants import GrantRow
from citizen_account.storage.resources import ResourceServerRow


class ClientRegistrationRow(Base):
    __tablename__ = "client_registrations"

    client_id: Mapped[ClientId] = mapped_column(
        String(255), ForeignKey("clients.id", ondelete="CASCADE"), primary_key=True
    )
    token_digest: Mapped[bytes] = mapped_column(LargeBinary(32))
    initial_token_id: Mapped[UUID | None]
    asked_at: Mapped[datetime] = mapped_column(index=True)
    decided_at: Mapped[datetime | None]
    decided_by: Mapped[AccountId | None]
    reason: Mapped[str]


class InitialTokenRow(Base):
    __tablename__ = "initial_tokens"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    digest: Mapped[bytes] = mapped_column(LargeBinary(32), unique=True)
    uses_left: Mapped[int]
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime] = mapped_column(index=True)


COLUMNS = tuple(ClientRegistrationRow.__table__.columns)
ADD = insert(ClientRegistrationRow)
_ONE = ClientRegistrationRow.client_id == bindparam("client")
FIND = select(*COLUMNS).where(_ONE)
ASK_AGAIN = (
    update(ClientRegistrationRow)
    .where(_ONE)
    .values(asked_at=bindparam("now"), decided_at=None, decided_by=None, reason="")
)
NOTE = (
    update(ClientRegistrationRow)
    .where(_ONE)
    .values(decided_at=bindparam("now"), decided_by=bindparam("staff"), reason=bindparam("why"))
)
FORGET = delete(ClientRegistrationRow).where(_ONE)
# A client that residents, tokens or an API know stays, as their records name it.
_MET = (ConsentRow, DecisionRow, GrantRow, ResourceServerRow)
REMOVE_UNMET = (
    delete(ClientRow)
    .where(
        ClientRow.id == bindparam("client"),
        *(~exists().where(row.client_id == bindparam("client")) for row in _MET),
    )
    .returning(ClientRow.id)
)
_WAITING = ClientRow.approval == Approval.PENDING
QUEUE = (
    select(ClientRegistrationRow.asked_at, *CLIENT_COLUMNS)
    .join(ClientRow, ClientRow.id == ClientRegistrationRow.client_id)
    .where(_WAITING)
    .order_by(ClientRegistrationRow.asked_at, ClientRow.id)
    .limit(bindparam("size"))
)
COUNT_QUEUE = select(func.count()).where(_WAITING)
# Nobody looked in time: the row that waits goes, with whatever hangs on it. It was never let in.
OLD = (
    select(ClientRegistrationRow.client_id)
    .join(ClientRow, ClientRow.id == ClientRegistrationRow.client_id)
    .where(_WAITING, ClientRegistrationRow.asked_at < bindparam("limit"))
)

TOKEN_COLUMNS = tuple(InitialTokenRow.__table__.columns)
ADD_TOKEN = insert(InitialTokenRow)
_GOOD = (
    InitialTokenRow.digest == bindparam("token"),
    InitialTokenRow.uses_left > 0,
    InitialTokenRow.expires_at > bindparam("now"),
)
IS_GOOD = select(InitialTokenRow.id).where(*_GOOD)
USE_TOKEN = (
    update(InitialTokenRow)
    .where(*_GOOD)
    .values(uses_left=InitialTokenRow.uses_left - 1)
    .returning(InitialTokenRow.id)
)
REVOKE_TOKENS = delete(InitialTokenRow).returning(InitialTokenRow.id)
FORGET_TOKENS = delete(InitialTokenRow).where(InitialTokenRow.expires_at < bindparam("now"))


class Registrations:
    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def add(self, registration: ClientRegistration) -> None:
        row = {column.name: getattr(registration, column.name) for column in COLUMNS}
        await self._connection.execute(ADD, row)

    async def find(self, client_id: ClientId) -> ClientRegistration | None:
        row = (await self._connection.execute(FIND, {"client": client_id})).first()
        return None if row is None else ClientRegistration(**row._asdict())

    async def ask_again(self, client_id: ClientId, now: datetime) -> None:
        """Put the client at the end of the queue."""
        await self._connection.execute(ASK_AGAIN, {"client": client_id, "now": now})

    async def note_decision(
        self, client_id: ClientId, staff_id: AccountId, reason: str, now: datetime
    ) -> None:
        facts = {"client": client_id, "staff": staff_id, "why": reason, "now": now}
        await self._connection.execute(NOTE, facts)

    async def forget(self, client_id: ClientId) -> None:
        """Let nobody change the client's metadata over the network any more."""
        await self._connection.execute(FORGET, {"client": client_id})

    async def remove_unmet(self, client_id: ClientId) -> bool:
        """Forget the client itself, unless a resident has met it; say whether it is gone."""
        gone = await self._connection.execute(REMOVE_UNMET, {"client": client_id})
        return gone.first() is not None

    async def queue(self, size: int) -> Sequence[tuple[datetime, Client]]:
        """List the clients that wait for an administrator, the longest first."""
        rows = await self._connection.execute(QUEUE, {"size": size})
        return [_waiting(row) for row in rows]

    async def count_waiting(self) -> int:
        count: int = (await self._connection.execute(COUNT_QUEUE)).scalar_one()
        return count

    async def waiting_since_before(self, limit: datetime) -> Sequence[ClientId]:
        return list((await self._connection.execute(OLD, {"limit": limit})).scalars())


class InitialTokens:
    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def add(self, token: InitialToken) -> None:
        row = {column.name: getattr(token, column.name) for column in TOKEN_COLUMNS}
        await self._connection.execute(ADD_TOKEN, row)

    async def is_good(self, digest: bytes, now: datetime) -> bool:
        """Look without using anything up."""
        asked = {"token": digest, "now": now}
        return (await self._connection.execute(IS_GOOD, asked)).first() is not None

    async def use(self, digest: bytes, now: datetime) -> UUID | None:
        """Use it once and return its id. Of callers at once no more get one than uses are left."""
        asked = {"token": digest, "now": now}
        used: UUID | None = (await self._connection.execute(USE_TOKEN, asked)).scalar()
        return used

    async def revoke_all(self) -> int:
        """Make every token worthless and say how many there were."""
        return len((await self._connection.execute(REVOKE_TOKENS)).all())

    async def forget_expired(self, now: datetime) -> None:
        await self._connection.execute(FORGET_TOKENS, {"now": now})


def _waiting(row: Sequence[Any]) -> tuple[datetime, Client]:  # Any: columns of each type
    return row[0], client_of(row[1:])
