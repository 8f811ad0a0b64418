"""Keep the codes that are on their way by e-mail."""

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import ForeignKey, Uuid, bindparam, delete, exists, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.orm import Mapped, mapped_column

from citizen_account.domain.accounts import AccountId
from citizen_account.domain.challenges import (
    MAX_CODES,
    MAX_TRIES,
    Challenge,
    ChallengeId,
    ChallengePurpose,
    Onward,
)
from citizen_account.domain.emails import EmailAddress
from citizen_account.security.sealing import Sealer
from citizen_account.storage.base import Base

CODE_INDEX = "challenge code"
KEEP_EXPIRED = timedelta(days=1)


class ChallengeRow(Base):
    __tablename__ = "challenges"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    purpose: Mapped[ChallengePurpose]
    browser_digest: Mapped[bytes]
    account_id: Mapped[AccountId | None] = mapped_column(
        Uuid, ForeignKey("accounts.id", ondelete="CASCADE"), index=True
    )
    details: Mapped[bytes]
    """Sealed JSON: the address, and where the resident was going."""
    is_decoy: Mapped[bool]
    created_at: Mapped[datetime]
    code_expires_at: Mapped[datetime]
    expires_at: Mapped[datetime] = mapped_column(index=True)
    tries: Mapped[int]
    codes: Mapped[int]
    verified_at: Mapped[datetime | None]
    used_at: Mapped[datetime | None]


class ChallengeCodeRow(Base):
    """A code that was sent. One sent again does not cancel the one on its way."""

    __tablename__ = "challenge_codes"

    challenge_id: Mapped[UUID] = mapped_column(
        Uuid, ForeignKey("challenges.id", ondelete="CASCADE"), primary_key=True
    )
    code_digest: Mapped[bytes] = mapped_column(primary_key=True)
    expires_at: Mapped[datetime]


@dataclass(frozen=True, slots=True)
class NewChallenge:
    id: ChallengeId
    purpose: ChallengePurpose
    browser_digest: bytes
    account_id: AccountId | None
    email: EmailAddress
    onward: Onward
    is_decoy: bool


_ID = ChallengeRow.id == bindparam("challenge")
FIND = select(
    ChallengeRow.id,
    ChallengeRow.purpose,
    ChallengeRow.browser_digest,
    ChallengeRow.account_id,
    ChallengeRow.details,
    ChallengeRow.is_decoy,
    ChallengeRow.created_at,
    ChallengeRow.code_expires_at,
    ChallengeRow.expires_at,
    ChallengeRow.tries,
    ChallengeRow.codes,
    ChallengeRow.verified_at,
    ChallengeRow.used_at,
).where(_ID)
ADD = insert(ChallengeRow)
ADD_CODE = insert(ChallengeCodeRow)
COUNT_CODE = (
    update(ChallengeRow)
    .where(_ID, ChallengeRow.codes < MAX_CODES, ChallengeRow.verified_at.is_(None))
    .values(
        codes=ChallengeRow.codes + 1,
        code_expires_at=bindparam("code_ends"),
        expires_at=bindparam("code_ends"),
    )
    .returning(ChallengeRow.id)
)
TRY = (
    update(ChallengeRow)
    .where(
        _ID,
        ChallengeRow.tries < MAX_TRIES,
        ChallengeRow.verified_at.is_(None),
        ChallengeRow.code_expires_at > bindparam("now"),
    )
    .values(tries=ChallengeRow.tries + 1)
    .returning(ChallengeRow.tries)
)
FITS = select(
    exists().where(
        ChallengeCodeRow.challenge_id == bindparam("challenge"),
        ChallengeCodeRow.code_digest == bindparam("code"),
        ChallengeCodeRow.expires_at > bindparam("now"),
    )
)
VERIFY = (
    update(ChallengeRow)
    .where(_ID, ChallengeRow.verified_at.is_(None))
    .values(verified_at=bindparam("now"), expires_at=bindparam("ends"))
    .returning(ChallengeRow.id)
)
USE = (
    update(ChallengeRow)
    .where(
        _ID,
        ChallengeRow.verified_at.is_not(None),
        ChallengeRow.used_at.is_(None),
        ChallengeRow.expires_at > bindparam("now"),
    )
    .values(used_at=bindparam("now"))
    .returning(ChallengeRow.id)
)
_OLD = select(ChallengeRow.id).where(ChallengeRow.expires_at < bindparam("limit"))
FORGET_CODES = delete(ChallengeCodeRow).where(ChallengeCodeRow.challenge_id.in_(_OLD))
FORGET = delete(ChallengeRow).where(ChallengeRow.expires_at < bindparam("limit"))


class Challenges:
    def __init__(self, connection: AsyncConnection, sealer: Sealer) -> None:
        self._connection = connection
        self._sealer = sealer

    async def find(self, challenge_id: ChallengeId) -> Challenge | None:
        row = (await self._connection.execute(FIND, {"challenge": challenge_id})).first()
        return None if row is None else self._challenge(row._asdict())

    async def add(self, challenge: NewChallenge, code: str, now: datetime, ends: datetime) -> None:
        """Begin with a first code; a decoy's code is stored as well, and sent to nobody."""
        details = {
            "email": challenge.email.text,
            "interaction": challenge.onward.interaction,
            "place": challenge.onward.place,
        }
        row = {
            "id": challenge.id,
            "purpose": challenge.purpose,
            "browser_digest": challenge.browser_digest,
            "account_id": challenge.account_id,
            "details": self._sealer.seal(json.dumps(details).encode(), _context(challenge.id)),
            "is_decoy": challenge.is_decoy,
            "created_at": now,
            "code_expires_at": ends,
            "expires_at": ends,
            "tries": 0,
            "codes": 1,
            "verified_at": None,
            "used_at": None,
        }
        await self._connection.execute(ADD, row)
        await self._add_code(challenge.id, code, ends)

    async def add_code(self, challenge_id: ChallengeId, code: str, ends: datetime) -> bool:
        """Let one more code fit beside the earlier ones. False when there were enough."""
        counted = {"challenge": challenge_id, "code_ends": ends}
        if (await self._connection.execute(COUNT_CODE, counted)).first() is None:
            return False
        await self._add_code(challenge_id, code, ends)
        return True

    async def use_try(self, challenge_id: ChallengeId, now: datetime) -> bool:
        """Count a guess before it is looked at. False when none is left."""
        tried = {"challenge": challenge_id, "now": now}
        return (await self._connection.execute(TRY, tried)).first() is not None

    async def fits(self, challenge_id: ChallengeId, code: str, now: datetime) -> bool:
        asked = {"challenge": challenge_id, "code": self._digest(challenge_id, code), "now": now}
        return bool((await self._connection.execute(FITS, asked)).scalar_one())

    async def verify(self, challenge_id: ChallengeId, now: datetime, ends: datetime) -> bool:
        """Note that the code was right. Of several callers at once, one gets True."""
        asked = {"challenge": challenge_id, "now": now, "ends": ends}
        return (await self._connection.execute(VERIFY, asked)).first() is not None

    async def use(self, challenge_id: ChallengeId, now: datetime) -> bool:
        """Take the step behind the code. Of several callers at once, one gets True."""
        asked = {"challenge": challenge_id, "now": now}
        return (await self._connection.execute(USE, asked)).first() is not None

    async def forget_old(self, now: datetime) -> None:
        limit = {"limit": now - KEEP_EXPIRED}
        await self._connection.execute(FORGET_CODES, limit)
        await self._connection.execute(FORGET, limit)

    async def _add_code(self, challenge_id: ChallengeId, code: str, ends: datetime) -> None:
        digest = self._digest(challenge_id, code)
        # The same six digits by chance: the later end counts.
        await self._connection.execute(
            delete(ChallengeCodeRow).where(
                ChallengeCodeRow.challenge_id == challenge_id,
                ChallengeCodeRow.code_digest == digest,
            )
        )
        row = {"challenge_id": challenge_id, "code_digest": digest, "expires_at": ends}
        await self._connection.execute(ADD_CODE, row)

    def _digest(self, challenge_id: ChallengeId, code: str) -> bytes:
        # Keyed: a million codes are soon tried on a stolen digest that is not.
        return self._sealer.index(f"{challenge_id} {code}", CODE_INDEX)

    def _challenge(self, columns: dict[str, object]) -> Challenge:
        sealed = columns.pop("details")
        details = json.loads(self._sealer.open(sealed, _context(columns["id"])))  # type: ignore[arg-type]  # a column of ours
        return Challenge(
            email=EmailAddress(details["email"]),
            onward=Onward(details["interaction"], details["place"]),
            **columns,  # type: ignore[arg-type]  # the columns are the fields
        )


def _context(challenge_id: object) -> str:
    return f"challenges.details.{challenge_id}"
