"""Find a client and what it presents in one question: the busiest endpoints ask for both."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from sqlalchemy import Executable, bindparam, select
from sqlalchemy.ext.asyncio import AsyncConnection

from citizen_account.domain.clients import Client, ClientId
from citizen_account.domain.grants import PresentedToken, StoredCode
from citizen_account.domain.resources import ResourceServer
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
from citizen_account.storage.resources import WRITTEN as RESOURCE
from citizen_account.storage.resources import ResourceServerRow, server_of

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
WITH_RESOURCE = (
    select(*COLUMNS, *RESOURCE.columns)
    .select_from(ClientRow)
    .outerjoin(
        ResourceServerRow,
        (ResourceServerRow.id == bindparam("resource")) & ResourceServerRow.is_disabled.is_(False),
    )
    .where(_ASKING)
)
OF_TOKEN = (
    select(*TOKEN, *GRANT, *COLUMNS)
    .select_from(TokenRow)
    .join(GrantRow, GrantRow.id == TokenRow.grant_id)
    .join(ClientRow, ClientRow.id == GrantRow.client_id)
    .where(TokenRow.digest == bindparam("secret_digest"))
)


class Presented:
    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

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

    async def resource(
        self, client_id: ClientId, resource: str
    ) -> tuple[Client | None, ResourceServer | None]:
        """Return who asks, and the resource server that it names, if it is not disabled."""
        asked = {"client_id": client_id, "resource": resource}
        return await self._ask(WITH_RESOURCE, asked, server_of)

    async def holder(self, digest: bytes) -> tuple[Client, PresentedToken] | None:
        """Return the token, and the client that it was issued to."""
        row = (await self._connection.execute(OF_TOKEN, {"secret_digest": digest})).first()
        if row is None:
            return None
        return client_of(row[len(TOKEN) + len(GRANT) :]), presented_of(row)

    async def _ask(
        self, statement: Executable, asked: Mapping[str, object], read: Callable[[Row], Thing]
    ) -> tuple[Client | None, Thing | None]:
        row: Row | None = (await self._connection.execute(statement, asked)).first()
        if row is None:
            return None, None
        rest = row[len(COLUMNS) :]
        return client_of(row), None if rest[0] is None else read(rest)
