"""Find who asks for itself, without reading again what has not changed since.

On PostgreSQL what was read lately is recalled on one condition: the statement that keeps what rests
on it finds the same version of the rows, or keeps nothing. Where nothing is to be kept, after a
refusal, the version is asked for alone. So no answer rests on what the database did not say after
the request came.
"""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Text, bindparam, cast, func, literal_column, select
from sqlalchemy.ext.asyncio import AsyncConnection

from citizen_account.domain.clients import ClientId
from citizen_account.storage.clients import COLUMNS, ClientRow, client_of
from citizen_account.storage.direct import DirectConnection
from citizen_account.storage.recollection import Found
from citizen_account.storage.resources import WRITTEN as RESOURCE
from citizen_account.storage.resources import ResourceServerRow, server_of

WITH_RESOURCE = (
    select(*COLUMNS, *RESOURCE.columns)
    .select_from(ClientRow)
    .outerjoin(
        ResourceServerRow,
        (ResourceServerRow.id == bindparam("resource")) & ResourceServerRow.is_disabled.is_(False),
    )
    .where(ClientRow.id == bindparam("client_id"))
)
# PostgreSQL section 5.5: `xmin` names the transaction that wrote this version of the row.
_OF_RESOURCE = func.coalesce(cast(literal_column("resource_servers.xmin"), Text), "none")
_VERSION = cast(literal_column("clients.xmin"), Text) + " " + _OF_RESOURCE
WITH_VERSION = WITH_RESOURCE.add_columns(_VERSION)
STILL_SO = WITH_RESOURCE.with_only_columns(ClientRow.id).where(bindparam("version") == _VERSION)


class Recalled:
    def __init__(self, connection: AsyncConnection | DirectConnection) -> None:
        self._connection = connection

    async def client(self, client_id: ClientId, resource: str | None) -> Found | None:
        """Return who asks, and the resource server that it names, if it is not disabled.

        Raises: LostRaceError when one has changed since, at the latest when the transaction ends.
        """
        asked = {"client_id": client_id, "resource": resource}
        connection = self._connection
        if not isinstance(connection, DirectConnection) or connection.recollection is None:
            # SQLite answers from memory as well.
            row = (await connection.execute(WITH_RESOURCE, asked)).first()
            return None if row is None else _found(row)
        recollection = connection.recollection
        known = recollection.recall((client_id, resource))
        if known is not None:
            await connection.win(STILL_SO, asked | {"version": known.version})
            return known.found
        row = (await connection.execute(WITH_VERSION, asked)).first()
        if row is None:
            return None
        found = _found(row[:-1])
        # What a stranger names that is not there must not drive out what is.
        if resource is None or found[1] is not None:
            recollection.keep((client_id, resource), found, row[-1])
        return found


def _found(row: Sequence[Any]) -> Found:  # Any: columns of each type
    resource = row[len(COLUMNS) :]
    return client_of(row), None if resource[0] is None else server_of(resource)
