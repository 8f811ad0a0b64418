"""Keep grants, the codes that open them, and the tokens that live and end with them."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from operator import attrgetter
from typing import Any

from sqlalchemy import (
    JSON,
    Executable,
    ForeignKey,
    LargeBinary,
    String,
    Uuid,
    bindparam,
    delete,
    exists,
    insert,
    select,
)
from sqlalchemy import update as change
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Row
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.orm import Mapped, mapped_column

from citizen_account.domain.accounts import AccountId, Level, SessionId
from citizen_account.domain.clients import ClientId
from citizen_account.domain.consents import ConsentId
from citizen_account.domain.grants import (
    Grant,
    GrantEnd,
    GrantId,
    PresentedToken,
    StoredCode,
    StoredToken,
    TokenKind,
)
from citizen_account.domain.transactions import LostRaceError
from citizen_account.storage.base import Base
from citizen_account.storage.clients import ClientRow
from citizen_account.storage.direct import DirectConnection


class GrantRow(Base):
    __tablename__ = "grants"

    id: Mapped[GrantId] = mapped_column(primary_key=True)
    client_id: Mapped[ClientId] = mapped_column(String(255), ForeignKey("clients.id"), index=True)
    account_id: Mapped[AccountId | None] = mapped_column(
        Uuid, ForeignKey("accounts.id", ondelete="CASCADE"), index=True
    )
    # No foreign key: a session's row is forgotten before the grants that it gave.
    session_id: Mapped[SessionId | None] = mapped_column(index=True)
    consent_id: Mapped[ConsentId | None] = mapped_column(
        Uuid, ForeignKey("consents.id", ondelete="CASCADE"), index=True
    )
    scope: Mapped[str]
    claims: Mapped[list[str]]
    id_token_claims: Mapped[list[str]]
    nonce: Mapped[str | None]
    authenticated_at: Mapped[datetime | None]
    methods: Mapped[list[str]]
    level: Mapped[Level | None]
    is_offline: Mapped[bool]
    session_ends_at: Mapped[datetime | None]
    resources: Mapped[list[str] | None]
    """None in rows that a version without resource indicators writes: no resource."""
    confirmation: Mapped[Mapping[str, object] | None] = mapped_column(JSON(none_as_null=True))
    created_at: Mapped[datetime] = mapped_column(index=True)
    ended_at: Mapped[datetime | None]
    ended_by: Mapped[GrantEnd | None]


class CodeRow(Base):
    __tablename__ = "authorization_codes"

    digest: Mapped[bytes] = mapped_column(LargeBinary(32), primary_key=True)
    grant_id: Mapped[GrantId] = mapped_column(
        Uuid, ForeignKey("grants.id", ondelete="CASCADE"), index=True
    )
    redirect_uri: Mapped[str]
    code_challenge: Mapped[str | None]
    expires_at: Mapped[datetime] = mapped_column(index=True)
    used_at: Mapped[datetime | None]


class TokenRow(Base):
    __tablename__ = "tokens"

    digest: Mapped[bytes] = mapped_column(LargeBinary(32), primary_key=True)
    grant_id: Mapped[GrantId] = mapped_column(
        Uuid, ForeignKey("grants.id", ondelete="CASCADE"), index=True
    )
    kind: Mapped[TokenKind]
    scope: Mapped[str]
    resource: Mapped[str | None]
    confirmation: Mapped[Mapping[str, object] | None] = mapped_column(JSON(none_as_null=True))
    issued_at: Mapped[datetime]
    expires_at: Mapped[datetime] = mapped_column(index=True)
    used_at: Mapped[datetime | None]


GRANT = tuple(GrantRow.__table__.columns)
CODE = (
    CodeRow.digest,
    CodeRow.redirect_uri,
    CodeRow.code_challenge,
    CodeRow.expires_at,
    CodeRow.used_at,
)
TOKEN = tuple(TokenRow.__table__.columns)
GRANT_NAMES = tuple(column.name for column in GRANT)
TOKEN_NAMES = tuple(column.name for column in TOKEN)
_GRANT_FIELDS = attrgetter(*GRANT_NAMES)
_TOKEN_FIELDS = attrgetter(*TOKEN_NAMES)

ADD_GRANT = insert(GrantRow)
ADD_CODE = insert(CodeRow)
ADD_TOKENS = insert(TokenRow)
KEEP_GRANT = {
    "sqlite": sqlite.insert(GrantRow).on_conflict_do_nothing(),
    "postgresql": postgresql.insert(GrantRow).on_conflict_do_nothing(),
}
KEEP_TOKEN = {
    "sqlite": sqlite.insert(TokenRow).on_conflict_do_nothing(),
    "postgresql": postgresql.insert(TokenRow).on_conflict_do_nothing(),
}
FIND_CODE = (
    select(*CODE, *GRANT)
    .join(GrantRow, GrantRow.id == CodeRow.grant_id)
    .where(CodeRow.digest == bindparam("code_digest"))
)
FIND_TOKEN = (
    select(*TOKEN, *GRANT)
    .join(GrantRow, GrantRow.id == TokenRow.grant_id)
    .where(TokenRow.digest == bindparam("token_digest"))
)
# The code or token was found in another statement: meanwhile its grant may have ended.
_STILL_GRANTED = exists().where(GrantRow.ended_at.is_(None))
USE_CODE = (
    change(CodeRow)
    .where(CodeRow.digest == bindparam("code_digest"), CodeRow.used_at.is_(None))
    .where(_STILL_GRANTED.where(GrantRow.id == CodeRow.grant_id))
    .values(used_at=bindparam("now"))
    .returning(CodeRow.grant_id)
)
USE_TOKEN = (
    change(TokenRow)
    .where(TokenRow.digest == bindparam("token_digest"), TokenRow.used_at.is_(None))
    .where(_STILL_GRANTED.where(GrantRow.id == TokenRow.grant_id))
    .values(used_at=bindparam("now"))
    .returning(TokenRow.grant_id)
)
_LIVING = change(GrantRow).where(GrantRow.ended_at.is_(None))
_END = _LIVING.values(ended_at=bindparam("now"), ended_by=bindparam("cause"))
END_ONE = _END.where(GrantRow.id == bindparam("grant")).returning(GrantRow.id)
END_OF_CONSENT = _END.where(GrantRow.consent_id == bindparam("consent"))
# OIDC Core section 11: what was granted for offline use outlives the session.
END_OF_SESSION = _END.where(GrantRow.session_id == bindparam("session"), ~GrantRow.is_offline)
END_OF_CLIENT = _END.where(GrantRow.client_id == bindparam("client"))
# Tokens without a row ask their client's: `storage/archive.py` does the same to all of them.
END_AT_CLIENT = (
    change(ClientRow)
    .where(ClientRow.id == bindparam("client"))
    .values(grants_ended_at=bindparam("now"))
)
END_OF_ACCOUNT = _END.where(GrantRow.account_id == bindparam("account"))
FORGET_CODES = delete(CodeRow).where(CodeRow.expires_at < bindparam("now"))
FORGET_TOKENS = delete(TokenRow).where(TokenRow.expires_at < bindparam("now"))
# A grant that opens nothing any more; a young one may be waiting for its first code.
FORGET_GRANTS = delete(GrantRow).where(
    GrantRow.created_at < bindparam("limit"),
    ~exists().where(TokenRow.grant_id == GrantRow.id),
    ~exists().where(CodeRow.grant_id == GrantRow.id),
)
KEEP_EMPTY_GRANTS = timedelta(days=1)


class Grants:
    def __init__(self, connection: AsyncConnection | DirectConnection) -> None:
        self._connection = connection

    async def add(self, grant: Grant) -> None:
        await self._connection.execute(ADD_GRANT, _grant_columns(grant))

    async def add_code(self, code: StoredCode) -> None:
        row = {
            "digest": code.digest,
            "grant_id": code.grant.id,
            "redirect_uri": code.redirect_uri,
            "code_challenge": code.code_challenge,
            "expires_at": code.expires_at,
            "used_at": code.used_at,
        }
        await self._connection.execute(ADD_CODE, row)

    async def add_tokens(self, tokens: Sequence[StoredToken]) -> None:
        await self._connection.execute(ADD_TOKENS, [_token_columns(token) for token in tokens])

    async def add_revoked(self, presented: PresentedToken, now: datetime) -> None:
        """Write what was not written at issue, the token revoked. Of many at once all succeed."""
        kind = self._connection.dialect.name
        revoked = replace(presented.token, used_at=now)
        await self._connection.execute(KEEP_GRANT[kind], _grant_columns(presented.grant))
        await self._connection.execute(KEEP_TOKEN[kind], _token_columns(revoked))

    async def find_code(self, digest: bytes) -> StoredCode | None:
        row = (await self._connection.execute(FIND_CODE, {"code_digest": digest})).first()
        return None if row is None else code_of(row)

    async def find_token(self, digest: bytes) -> PresentedToken | None:
        """Return the token of either kind, whether it lives or not."""
        row = (await self._connection.execute(FIND_TOKEN, {"token_digest": digest})).first()
        return None if row is None else presented_of(row)

    async def use_code(self, digest: bytes, now: datetime) -> bool:
        """Use up the code. Of any number of callers at once, one gets True."""
        used = await self._connection.execute(USE_CODE, {"code_digest": digest, "now": now})
        return used.first() is not None

    async def use_token(self, digest: bytes, now: datetime) -> bool:
        """Use up a refresh token, or revoke an access token. Of all callers one gets True."""
        used = await self._connection.execute(USE_TOKEN, {"token_digest": digest, "now": now})
        return used.first() is not None

    async def win_code(self, digest: bytes, now: datetime) -> None:
        """Use up the code as `use_code` does, together with what is written next.

        Raises: LostRaceError for all callers but one, at the latest when the transaction ends.
        """
        await self._win(USE_CODE, {"code_digest": digest, "now": now})

    async def win_token(self, digest: bytes, now: datetime) -> None:
        """Use up a refresh token likewise."""
        await self._win(USE_TOKEN, {"token_digest": digest, "now": now})

    async def _win(self, statement: Executable, facts: dict[str, object]) -> None:
        if isinstance(self._connection, DirectConnection):
            await self._connection.win(statement, facts)
        elif (await self._connection.execute(statement, facts)).first() is None:
            raise LostRaceError

    async def end(self, grant_id: GrantId, cause: GrantEnd, now: datetime) -> bool:
        """End every token of the grant, issued or still to come. The first caller gets True."""
        ending = {"grant": grant_id, "cause": cause, "now": now}
        return (await self._connection.execute(END_ONE, ending)).first() is not None

    async def end_of_consent(self, consent_id: ConsentId, cause: GrantEnd, now: datetime) -> None:
        """End every grant that rests on the consent. Idempotent, as its sisters are."""
        ending = {"consent": consent_id, "cause": cause, "now": now}
        await self._connection.execute(END_OF_CONSENT, ending)

    async def end_of_session(self, session_id: SessionId, now: datetime) -> None:
        """End what was granted in the session, but for what was granted for offline use."""
        ending = {"session": session_id, "cause": GrantEnd.SIGNED_OUT, "now": now}
        await self._connection.execute(END_OF_SESSION, ending)

    async def end_of_client(self, client_id: ClientId, cause: GrantEnd, now: datetime) -> None:
        """End all that the client was granted until now, with a row and without."""
        ending = {"client": client_id, "cause": cause, "now": now}
        await self._connection.execute(END_OF_CLIENT, ending)
        await self._connection.execute(END_AT_CLIENT, {"client": client_id, "now": now})

    async def end_of_account(self, account_id: AccountId, cause: GrantEnd, now: datetime) -> None:
        ending = {"account": account_id, "cause": cause, "now": now}
        await self._connection.execute(END_OF_ACCOUNT, ending)

    async def forget_expired(self, now: datetime) -> None:
        """Drop what has expired: a used code or token was kept to notice its replay."""
        await self._connection.execute(FORGET_CODES, {"now": now})
        await self._connection.execute(FORGET_TOKENS, {"now": now})
        await self._connection.execute(FORGET_GRANTS, {"limit": now - KEEP_EMPTY_GRANTS})


def code_of(row: Sequence[Any]) -> StoredCode:  # Any: columns of each type
    """Return the code of a row that begins with CODE and GRANT."""
    found, redirect_uri, challenge, expires_at, used_at = row[: len(CODE)]
    grant = _grant(row[len(CODE) : len(CODE) + len(GRANT)])
    return StoredCode(found, grant, redirect_uri, challenge, expires_at, used_at)


def presented_of(row: Sequence[Any]) -> PresentedToken:  # Any: as above
    """Return the token of a row that begins with TOKEN and GRANT."""
    end = len(TOKEN) + len(GRANT)
    return PresentedToken(_token(row[: len(TOKEN)]), _grant(row[len(TOKEN) : end]))


def _grant_columns(grant: Grant) -> dict[str, object]:
    columns: dict[str, object] = dict(zip(GRANT_NAMES, _GRANT_FIELDS(grant), strict=True))
    return columns | {
        "claims": sorted(grant.claims),
        "id_token_claims": sorted(grant.id_token_claims),
        "methods": list(grant.methods),
        "resources": list(grant.resources),
        "confirmation": None if grant.confirmation is None else dict(grant.confirmation),
    }


def _token_columns(token: StoredToken) -> dict[str, object]:
    columns: dict[str, object] = dict(zip(TOKEN_NAMES, _TOKEN_FIELDS(token), strict=True))
    confirmation = token.confirmation
    return columns | {"confirmation": None if confirmation is None else dict(confirmation)}


def _token(row: Sequence[Any]) -> StoredToken:  # Any: columns of each type
    columns = dict(zip(TOKEN_NAMES, row, strict=True))
    return StoredToken(**columns)


def _grant(row: Sequence[object] | Row[tuple[object, ...]]) -> Grant:
    columns = dict(zip(GRANT_NAMES, row, strict=True))
    claims, in_id_token = columns.pop("claims"), columns.pop("id_token_claims")
    return Grant(
        claims=frozenset(claims),
        id_token_claims=frozenset(in_id_token),
        methods=tuple(columns.pop("methods")),
        resources=tuple(columns.pop("resources") or ()),
        **columns,
    )
