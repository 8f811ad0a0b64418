"""Keep sign-ins through other providers: those on their way, and whom each has proven."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, String, Uuid, bindparam, delete, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.orm import Mapped, mapped_column

from citizen_account.domain.accounts import AccountId, Address, Level, Profile
from citizen_account.domain.challenges import Onward
from citizen_account.domain.emails import EmailAddress
from citizen_account.domain.upstreams import Arrival, Identity, Login, Proof, UpstreamId
from citizen_account.security.sealing import Sealer
from citizen_account.storage.accounts import plain_profile
from citizen_account.storage.base import Base

SUBJECT_INDEX = "upstream subject"


class UpstreamLoginRow(Base):
    """A sign-in on its way, found by the digest of the state that it carries."""

    __tablename__ = "upstream_logins"

    state_digest: Mapped[bytes] = mapped_column(primary_key=True)
    details: Mapped[bytes]
    """Sealed JSON of the Login."""
    expires_at: Mapped[datetime] = mapped_column(index=True)
    used_at: Mapped[datetime | None]


class UpstreamArrivalRow(Base):
    """Somebody proven who has no account here yet, or has not linked it."""

    __tablename__ = "upstream_arrivals"

    digest: Mapped[bytes] = mapped_column(primary_key=True)
    details: Mapped[bytes]
    """Sealed JSON of the Arrival."""
    expires_at: Mapped[datetime] = mapped_column(index=True)
    used_at: Mapped[datetime | None]


class UpstreamIdentityRow(Base):
    __tablename__ = "upstream_identities"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    upstream_id: Mapped[str] = mapped_column(String(31))
    subject_index: Mapped[bytes] = mapped_column(unique=True)
    """Blind index of issuer and subject together: never the address, the name or a number."""
    account_id: Mapped[AccountId] = mapped_column(
        Uuid, ForeignKey("accounts.id", ondelete="CASCADE"), index=True
    )
    linked_at: Mapped[datetime]
    last_used_at: Mapped[datetime]


_LOGIN = UpstreamLoginRow.state_digest == bindparam("state")
ADD_LOGIN = insert(UpstreamLoginRow)
USE_LOGIN = (
    update(UpstreamLoginRow)
    .where(_LOGIN, UpstreamLoginRow.used_at.is_(None))
    .where(UpstreamLoginRow.expires_at > bindparam("now"))
    .values(used_at=bindparam("now"))
    .returning(UpstreamLoginRow.details)
)
FORGET_LOGINS = delete(UpstreamLoginRow).where(UpstreamLoginRow.expires_at < bindparam("now"))
_ARRIVAL = UpstreamArrivalRow.digest == bindparam("arrival")
ADD_ARRIVAL = insert(UpstreamArrivalRow)
FIND_ARRIVAL = select(UpstreamArrivalRow.details).where(
    _ARRIVAL,
    UpstreamArrivalRow.used_at.is_(None),
    UpstreamArrivalRow.expires_at > bindparam("now"),
)
USE_ARRIVAL = (
    update(UpstreamArrivalRow)
    .where(_ARRIVAL, UpstreamArrivalRow.used_at.is_(None))
    .values(used_at=bindparam("now"))
    .returning(UpstreamArrivalRow.digest)
)
FORGET_ARRIVALS = delete(UpstreamArrivalRow).where(UpstreamArrivalRow.expires_at < bindparam("now"))
_IDENTITIES = select(
    UpstreamIdentityRow.id,
    UpstreamIdentityRow.upstream_id,
    UpstreamIdentityRow.account_id,
    UpstreamIdentityRow.linked_at,
    UpstreamIdentityRow.last_used_at,
)
FIND_IDENTITY = _IDENTITIES.where(UpstreamIdentityRow.subject_index == bindparam("index"))
LIST_IDENTITIES = _IDENTITIES.where(UpstreamIdentityRow.account_id == bindparam("account"))
LIST_IDENTITIES = LIST_IDENTITIES.order_by(UpstreamIdentityRow.id)
ADD_IDENTITY = insert(UpstreamIdentityRow)
SEE_IDENTITY = update(UpstreamIdentityRow).where(UpstreamIdentityRow.id == bindparam("identity"))
SEE_IDENTITY = SEE_IDENTITY.values(last_used_at=bindparam("now"))
REMOVE_IDENTITY = (
    delete(UpstreamIdentityRow)
    .where(UpstreamIdentityRow.id == bindparam("identity"))
    .where(UpstreamIdentityRow.account_id == bindparam("account"))
    .returning(UpstreamIdentityRow.id)
)


class UpstreamLogins:
    def __init__(self, connection: AsyncConnection, sealer: Sealer) -> None:
        self._connection = connection
        self._sealer = sealer

    async def add(self, login: Login, state_digest: bytes) -> None:
        plain = {
            "upstream_id": login.upstream_id,
            "browser_digest": login.browser_digest.hex(),
            "account_id": None if login.account_id is None else str(login.account_id),
            "nonce": login.nonce,
            "code_verifier": login.code_verifier,
            "language": login.language,
            "onward": asdict(login.onward),
            "expires_at": login.expires_at.isoformat(),
        }
        details = self._seal(plain, "upstream_logins", state_digest)
        row = {"state_digest": state_digest, "details": details, "used_at": None}
        await self._connection.execute(ADD_LOGIN, row | {"expires_at": login.expires_at})

    async def use(self, state_digest: bytes, now: datetime) -> Login | None:
        """Take the login the state stands for. Of any number of callers at once, one gets it."""
        used = await self._connection.execute(USE_LOGIN, {"state": state_digest, "now": now})
        sealed = used.scalar()
        if sealed is None:
            return None
        plain = self._open(sealed, "upstream_logins", state_digest)
        account = plain.pop("account_id")
        return Login(
            browser_digest=bytes.fromhex(plain.pop("browser_digest")),
            account_id=None if account is None else AccountId(UUID(account)),
            onward=Onward(**plain.pop("onward")),
            expires_at=datetime.fromisoformat(plain.pop("expires_at")),
            **plain,
        )

    async def add_arrival(self, arrival: Arrival, digest: bytes) -> None:
        proof = arrival.proof
        plain = {
            "proof": asdict(proof)
            | {
                "email": None if proof.email is None else proof.email.text,
                "profile": plain_profile(proof.profile),
            },
            "browser_digest": arrival.browser_digest.hex(),
            "language": arrival.language,
            "onward": asdict(arrival.onward),
            "expires_at": arrival.expires_at.isoformat(),
        }
        details = self._seal(plain, "upstream_arrivals", digest)
        row = {"digest": digest, "details": details, "used_at": None}
        await self._connection.execute(ADD_ARRIVAL, row | {"expires_at": arrival.expires_at})

    async def find_arrival(self, digest: bytes, now: datetime) -> Arrival | None:
        asked = {"arrival": digest, "now": now}
        sealed = (await self._connection.execute(FIND_ARRIVAL, asked)).scalar()
        if sealed is None:
            return None
        plain = self._open(sealed, "upstream_arrivals", digest)
        return Arrival(
            proof=_read_proof(plain["proof"]),
            browser_digest=bytes.fromhex(plain["browser_digest"]),
            language=plain["language"],
            onward=Onward(**plain["onward"]),
            expires_at=datetime.fromisoformat(plain["expires_at"]),
        )

    async def use_arrival(self, digest: bytes, now: datetime) -> bool:
        """Use the arrival up. Of any number of callers at once, one gets True."""
        used = await self._connection.execute(USE_ARRIVAL, {"arrival": digest, "now": now})
        return used.first() is not None

    async def forget_old(self, now: datetime) -> None:
        await self._connection.execute(FORGET_LOGINS, {"now": now})
        await self._connection.execute(FORGET_ARRIVALS, {"now": now})

    def _seal(self, plain: Mapping[str, object], table: str, digest: bytes) -> bytes:
        return self._sealer.seal(json.dumps(plain).encode(), _context(table, digest))

    def _open(self, sealed: bytes, table: str, digest: bytes) -> dict[str, Any]:
        opened: dict[str, Any] = json.loads(self._sealer.open(sealed, _context(table, digest)))
        return opened


class UpstreamIdentities:
    def __init__(self, connection: AsyncConnection, sealer: Sealer) -> None:
        self._connection = connection
        self._sealer = sealer

    async def find(self, issuer: str, subject: str) -> Identity | None:
        asked = {"index": self._index(issuer, subject)}
        row = (await self._connection.execute(FIND_IDENTITY, asked)).first()
        return None if row is None else Identity(**row._asdict())

    async def of(self, account_id: AccountId) -> Sequence[Identity]:
        """List the account's identities, the first linked first."""
        rows = await self._connection.execute(LIST_IDENTITIES, {"account": account_id})
        return [Identity(**row._asdict()) for row in rows]

    async def add(self, identity: Identity, issuer: str, subject: str) -> bool:
        """Link it. False when another account has it, or got it just now."""
        row = {
            "id": identity.id,
            "upstream_id": identity.upstream_id,
            "subject_index": self._index(issuer, subject),
            "account_id": identity.account_id,
            "linked_at": identity.linked_at,
            "last_used_at": identity.last_used_at,
        }
        try:
            async with self._connection.begin_nested():
                await self._connection.execute(ADD_IDENTITY, row)
        except IntegrityError:
            return False
        return True

    async def see(self, identity_id: UUID, now: datetime) -> None:
        await self._connection.execute(SEE_IDENTITY, {"identity": identity_id, "now": now})

    async def remove(self, account_id: AccountId, identity_id: UUID) -> bool:
        """Take a way in away from its owner. Of several callers at once, one gets True."""
        removed = {"account": account_id, "identity": identity_id}
        return (await self._connection.execute(REMOVE_IDENTITY, removed)).first() is not None

    def _index(self, issuer: str, subject: str) -> bytes:
        return self._sealer.index(json.dumps([issuer, subject]), SUBJECT_INDEX)


def _read_proof(plain: dict[str, Any]) -> Proof:
    profile = plain.pop("profile")
    address = Address(**profile.pop("address"))
    email = plain.pop("email")
    return Proof(
        upstream_id=UpstreamId(plain["upstream_id"]),
        issuer=plain["issuer"],
        subject=plain["subject"],
        level=Level(plain["level"]),
        methods=tuple(plain["methods"]),
        email=None if email is None else EmailAddress(email),
        profile=Profile(address=address, **profile),
    )


def _context(table: str, digest: bytes) -> str:
    return f"{table}.details.{digest.hex()}"
