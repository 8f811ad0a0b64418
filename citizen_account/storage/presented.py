"""Find a client and what it presents in one question: the busiest endpoints ask for both."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from sqlalchemy import Executable, bindparam, select
from sqlalchemy.ext.asyncio import AsyncConnection

from citizen_account.domain.accounts import Account
from citizen_account.domain.clients import Client, ClientId
from citizen_account.domain.grants import PresentedToken, StoredCode
from citizen_account.security.sealing import Sealer
from citizen_account.storage.accounts import COLUMNS as ACCOUNT
from citizen_account.storage.accounts import AccountRow, account_of
from citizen_account.storage.clients import COLUMNS, ClientRow, client_of
from citizen_account.storage.grants import (
    CODE,
    GRANT,
    TOKEN,
    CodeRow,
    GrantRow,
    TokenRow,
    code_of,
    presented_of,
)

Row = Sequence[Any]  # Any: columns of each type
Thing = TypeVar("Thing")

_ASKING = ClientRow.id == bindparam("client_id")
WITH_TOKEN = (
    select(*COLUMNS, *TOKEN, *GRANT)
    .select_from(ClientRow)
    .outerjoin(TokenRow, TokenRow.digest == bindparam("secret_digest"))
    .outerjoin(GrantRow, GrantRow.id == TokenRow.grant_id)
    .where(_ASKING)
)
WITH_CODE = (
    select(*COLUMNS, *CODE, *GRANT)
    .select_from(ClientRow)
    .outerjoin(CodeRow, CodeRow.digest == bindparam("secret_digest"))
    .outerjoin(GrantRow, GrantRow.id == CodeRow.grant_id)
    .where(_ASKING)
)
OF_TOKEN = (
    select(*TOKEN, *GRANT, *COLUMNS, *ACCOUNT)
    .select_from(TokenRow)
    .join(GrantRow, GrantRow.id == TokenRow.grant_id)
    .join(ClientRow, ClientRow.id == GrantRow.client_id)
    .outerjoin(AccountRow, AccountRow.id == GrantRow.account_id)
    .where(TokenRow.digest == bindparam("secret_digest"))
)
_CLIENT_FROM = len(TOKEN) + len(GRANT)
_ACCOUNT_FROM = _CLIENT_FROM + len(COLUMNS)


@dataclass(frozen=True, slots=True)
class Held:
    """A token, and whose it is; what it is good for is not looked at."""

    presented: PresentedToken
    client: Client
    """It was issued to."""
    account: Account | None
    """Of the resident who released something to the client; None for the client's own business."""


class Presented:
    def __init__(self, connection: AsyncConnection, sealer: Sealer) -> None:
        self._connection = connection
        self._sealer = sealer

    async def token(
        self, client_id: ClientId, digest: bytes
    ) -> tuple[Client | None, PresentedToken | None]:
        """Return who asks, and the token, whosever it is."""
        asked = {"client_id": client_id, "secret_digest": digest}
        return await self._ask(WITH_TOKEN, asked, presented_of)

    async def code(
        self, client_id: ClientId, digest: bytes
    ) -> tuple[Client | None, StoredCode | None]:
        """Return who asks, and the code, whosever it is."""
        asked = {"client_id": client_id, "secret_digest": digest}
        return await self._ask(WITH_CODE, asked, code_of)

    async def held(self, digest: bytes) -> Held | None:
        """Return the token, and whose it is."""
        asked = {"secret_digest": digest}
        row: Row | None = (await self._connection.execute(OF_TOKEN, asked)).first()
        if row is None:
            return None
        client, account = row[_CLIENT_FROM:_ACCOUNT_FROM], row[_ACCOUNT_FROM:]
        return Held(
            presented_of(row),
            client_of(client),
            None if account[0] is None else account_of(self._sealer, account),
        )

    async def _ask(
        self, statement: Executable, asked: Mapping[str, object], read: Callable[[Row], Thing]
    ) -> tuple[Client | None, Thing | None]:
        row: Row | None = (await self._connection.execute(statement, asked)).first()
        if row is None:
            return None, None
        rest = row[len(COLUMNS) :]
        return client_of(row), None if rest[0] is None else read(rest)
