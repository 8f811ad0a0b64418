"""Open the way of the hot endpoints to either database."""

import asyncio

from citizen_account.storage.base import async_url
from citizen_account.storage.direct import DirectPool
from citizen_account.storage.direct_postgres import PostgresPool
from citizen_account.storage.direct_sqlite import SqlitePool


def open_direct(url: str, size: int, turns: asyncio.Lock) -> DirectPool:
    address = async_url(url)
    if address.get_backend_name() == "postgresql":
        return PostgresPool(address, size)
    return SqlitePool(address, turns)
