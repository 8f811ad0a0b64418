"""Keep the browsers that have signed in; a secret at rest is a digest."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ForeignKey, String, Uuid, bindparam, delete, exists, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.orm import Mapped, mapped_column

from citizen_account.domain.accounts import AccountId, Device, Level, Session, SessionId
from citizen_account.security.sealing import Sealer
from citizen_account.storage.base import Base

DEVICE_INDEX = "session device"
# Ended sessions tell a known device from a new one, and a typed form its owner.
KEEP_ENDED = timedelta(days=90)


class SessionRow(Base):
    __tablename__ = "sessions"

    id: Mapped[SessionId] = mapped_column(primary_key=True)
    digest: Mapped[bytes] = mapped_column(unique=True)
    account_id: Mapped[AccountId] = mapped_column(
        Uuid, ForeignKey("accounts.id", ondelete="CASCADE"), index=True
    )
    authenticated_at: Mapped[datetime]
    methods: Mapped[str] = mapped_column(String(64))
    """Parted by blanks, as `amr` values hold none."""
    level: Mapped[Level]
    device: Mapped[bytes]
    """Sealed: what the browser said of itself."""
    device_index: Mapped[bytes]
    created_at: Mapped[datetime]
    last_seen_at: Mapped[datetime]
    expires_at: Mapped[datetime] = mapped_column(index=True)
    ended_at: Mapped[datetime | None]


COLUMNS = (
    SessionRow.id,
    SessionRow.account_id,
    SessionRow.authenticated_at,
    SessionRow.methods,
    SessionRow.level,
    SessionRow.created_at,
    SessionRow.last_seen_at,
    SessionRow.expires_at,
)
_NAMES = tuple(column.key for column in COLUMNS)
_LIVING = SessionRow.ended_at.is_(None)
_OF_ACCOUNT = SessionRow.account_id == bindparam("account")
FIND = select(*COLUMNS).where(SessionRow.digest == bindparam("session_digest"), _LIVING)
FIND_BY_ID = select(*COLUMNS).where(SessionRow.id == bindparam("session"), _LIVING)
OWNER = select(SessionRow.account_id).where(SessionRow.digest == bindparam("session_digest"))
LIST = (
    select(*COLUMNS, SessionRow.device)
    .where(
        _OF_ACCOUNT,
        _LIVING,
        SessionRow.expires_at > bindparam("now"),
        SessionRow.last_seen_at > bindparam("idle_since"),
    )
    .order_by(SessionRow.last_seen_at.desc())
)
ADD = insert(SessionRow)
SEE = (
    update(SessionRow)
    .where(SessionRow.id == bindparam("session"), SessionRow.last_seen_at < bindparam("before"))
    .values(last_seen_at=bindparam("now"))
)
RENEW = (
    update(SessionRow)
    .where(SessionRow.id == bindparam("session"), _LIVING)
    .values(
        digest=bindparam("new_digest"),
        authenticated_at=bindparam("proven_at"),
        methods=bindparam("proven_by"),
        level=bindparam("reached"),
        last_seen_at=bindparam("now"),
        expires_at=bindparam("ends"),
    )
)
_END = update(SessionRow).where(_LIVING).values(ended_at=bindparam("now"))
_END = _END.returning(*COLUMNS)
END = _END.where(SessionRow.id == bindparam("session"), _OF_ACCOUNT)
OF_ACCOUNT = select(*COLUMNS).where(_OF_ACCOUNT, _LIVING).order_by(SessionRow.id)
IS_KNOWN = select(
    exists().where(_OF_ACCOUNT).label("account"),
    exists().where(_OF_ACCOUNT, SessionRow.device_index == bindparam("index")).label("device"),
)
FORGET = delete(SessionRow).where(SessionRow.expires_at < bindparam("limit"))


class Sessions:
    def __init__(self, connection: AsyncConnection, sealer: Sealer) -> None:
        self._connection = connection
        self._sealer = sealer

    async def find(self, digest: bytes) -> Session | None:
        """Return a session that nobody ended; whether it is still young enough is a rule's say."""
        row = (await self._connection.execute(FIND, {"session_digest": digest})).first()
        return None if row is None else session_of(row)

    async def find_by_id(self, session_id: SessionId) -> Session | None:
        """Return a session that nobody ended."""
        row = (await self._connection.execute(FIND_BY_ID, {"session": session_id})).first()
        return None if row is None else session_of(row)

    async def owner_of(self, digest: bytes) -> AccountId | None:
        """Say whose session this is or was, while it is remembered."""
        asked = await self._connection.execute(OWNER, {"session_digest": digest})
        return asked.scalar()

    async def add(self, session: Session, digest: bytes, device: str) -> None:
        row = {
            "id": session.id,
            "digest": digest,
            "account_id": session.account_id,
            "authenticated_at": session.authenticated_at,
            "methods": " ".join(session.methods),
            "level": session.level,
            "device": self._sealer.seal(device.encode(), _context(session.id)),
            "device_index": device_index_of(self._sealer, device),
            "created_at": session.created_at,
            "last_seen_at": session.last_seen_at,
            "expires_at": session.expires_at,
            "ended_at": None,
        }
        await self._connection.execute(ADD, row)

    async def devices(
        self, account_id: AccountId, *, now: datetime, idle: timedelta
    ) -> Sequence[Device]:
        """List what is signed in now, the last used first."""
        asked = {"account": account_id, "now": now, "idle_since": now - idle}
        rows = await self._connection.execute(LIST, asked)
        return [self._device(row._asdict()) for row in rows]

    async def is_new_device(self, account_id: AccountId, device: str) -> bool:
        """Say whether the account was used before, but never with this device."""
        asked = {"account": account_id, "index": device_index_of(self._sealer, device)}
        [is_known] = await self._connection.execute(IS_KNOWN, asked)
        return bool(is_known.account and not is_known.device)

    async def see(self, session_id: SessionId, now: datetime, grain: timedelta) -> None:
        """Note that it is in use, unless that was noted less than a grain ago."""
        seen = {"session": session_id, "now": now, "before": now - grain}
        await self._connection.execute(SEE, seen)

    async def renew(self, session: Session, digest: bytes) -> None:
        """Replace the secret and what was proven; the services it opened stay with it."""
        renewed = {
            "session": session.id,
            "new_digest": digest,
            "proven_at": session.authenticated_at,
            "proven_by": " ".join(session.methods),
            "reached": session.level,
            "now": session.last_seen_at,
            "ends": session.expires_at,
        }
        await self._connection.execute(RENEW, renewed)

    async def end(
        self, account_id: AccountId, session_id: SessionId, now: datetime
    ) -> Session | None:
        """End one session of the account. Of several callers at once, one gets it back."""
        ending = {"account": account_id, "session": session_id, "now": now}
        row = (await self._connection.execute(END, ending)).first()
        return None if row is None else session_of(row)

    async def living(self, account_id: AccountId) -> Sequence[Session]:
        """List the sessions of the account that nobody ended, old ones too."""
        rows = await self._connection.execute(OF_ACCOUNT, {"account": account_id})
        return [session_of(row) for row in rows]

    async def forget_old(self, now: datetime) -> None:
        await self._connection.execute(FORGET, {"limit": now - KEEP_ENDED})

    def _device(self, columns: dict[str, object]) -> Device:
        sealed = columns.pop("device")
        session = _session(columns)
        summary = self._sealer.open(sealed, _context(session.id)).decode()  # type: ignore[arg-type]  # a column of ours
        return Device(session, summary)


def device_index_of(sealer: Sealer, device: str) -> bytes:
    """Return what a device is found by, without its name being there to read."""
    return sealer.index(device, DEVICE_INDEX)


def session_of(row: Sequence[Any]) -> Session:  # Any: columns of each type
    """Return the session of a row of COLUMNS."""
    return _session(dict(zip(_NAMES, row, strict=True)))


def _session(columns: dict[str, object]) -> Session:
    methods = tuple(str(columns.pop("methods")).split())
    return Session(methods=methods, **columns)  # type: ignore[arg-type]  # the columns are the fields


def _context(session_id: SessionId) -> str:
    return f"sessions.device.{session_id}"
