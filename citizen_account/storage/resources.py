"""Keep the resource servers."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

from sqlalchemy import ForeignKey, String, bindparam, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.orm import Mapped, mapped_column

from citizen_account.domain.accounts import Level
from citizen_account.domain.clients import ClientId
from citizen_account.domain.resources import ResourceServer, TokenFormat
from citizen_account.storage.base import Base
from citizen_account.storage.written import Written


class ResourceServerRow(Base):
    __tablename__ = "resource_servers"

    id: Mapped[str] = mapped_column(String(2048), primary_key=True)
    name: Mapped[Mapping[str, str]]
    client_id: Mapped[ClientId | None] = mapped_column(
        String(255), ForeignKey("clients.id"), index=True
    )
    scopes: Mapped[list[str]]
    token_format: Mapped[TokenFormat]
    signing_algorithm: Mapped[str] = mapped_column(String(16))
    token_lifetime_seconds: Mapped[int]
    required_level: Mapped[Level | None]
    max_age_seconds: Mapped[int | None]
    is_disabled: Mapped[bool]
    created_at: Mapped[datetime]


WRITTEN = Written(ResourceServerRow.__table__)
READ = select(*WRITTEN.columns)
_LIVING = READ.where(ResourceServerRow.is_disabled.is_(False))
FIND = READ.where(ResourceServerRow.id == bindparam("resource"))
FIND_SOME = _LIVING.where(ResourceServerRow.id.in_(bindparam("resources", expanding=True)))
LIST = READ.order_by(ResourceServerRow.id).limit(1000)
ADD = insert(ResourceServerRow)
REPLACE = update(ResourceServerRow).where(ResourceServerRow.id == bindparam("resource"))
SET_DISABLED = REPLACE.values(is_disabled=bindparam("disabled")).returning(ResourceServerRow.id)


class Resources:
    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def find(self, resource: str) -> ResourceServer | None:
        """Return it, disabled or not."""
        row = (await self._connection.execute(FIND, {"resource": resource})).first()
        return None if row is None else server_of(row)

    async def find_some(self, resources: Sequence[str]) -> Mapping[str, ResourceServer]:
        """Return those that exist and are not disabled, by their id."""
        rows = await self._connection.execute(FIND_SOME, {"resources": list(resources)})
        return {row.id: server_of(row) for row in rows}

    async def all(self) -> Sequence[ResourceServer]:
        """List in the order of ids."""
        return [server_of(row) for row in await self._connection.execute(LIST)]

    async def add(self, server: ResourceServer) -> None:
        await self._connection.execute(ADD, _row(server))

    async def replace(self, server: ResourceServer) -> None:
        row = _row(server)
        del row["id"], row["created_at"]
        await self._connection.execute(REPLACE.values(row), {"resource": server.id})

    async def disable(self, resource: str) -> bool:
        """Say whether there is such a resource server."""
        asked = {"resource": resource, "disabled": True}
        return (await self._connection.execute(SET_DISABLED, asked)).first() is not None


def _row(server: ResourceServer) -> dict[str, object]:
    max_age = server.max_age
    return {
        "id": server.id,
        "name": dict(server.name),
        "client_id": server.client_id,
        "scopes": sorted(server.scopes),
        "token_format": server.token_format,
        "signing_algorithm": server.signing_algorithm,
        "token_lifetime_seconds": int(server.token_lifetime.total_seconds()),
        "required_level": server.required_level,
        "max_age_seconds": None if max_age is None else int(max_age.total_seconds()),
        "is_disabled": server.is_disabled,
        "created_at": server.created_at,
    }


def server_of(row: Sequence[Any]) -> ResourceServer:  # Any: columns of each type
    """Return the resource server of a row of what WRITTEN reads."""
    return _server(tuple(row))


@lru_cache(maxsize=128)
def _server(row: tuple[Any, ...]) -> ResourceServer:  # Any: as above
    columns = WRITTEN.read(row)
    lifetime, max_age = columns.pop("token_lifetime_seconds"), columns.pop("max_age_seconds")
    return ResourceServer(
        scopes=frozenset(columns.pop("scopes")),
        token_lifetime=timedelta(seconds=lifetime),
        max_age=None if max_age is None else timedelta(seconds=max_age),
        **columns,
    )
