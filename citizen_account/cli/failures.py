"""End a command with one clear line."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from citizen_account.bootstrap import Runtime, build_runtime
from citizen_account.settings import Settings


class CommandError(Exception):
    """Say what is wrong and what to do, in one line."""


@asynccontextmanager
async def runtime() -> AsyncIterator[Runtime]:
    """Yield the runtime of this environment, and close what it opened."""
    built = build_runtime(Settings())
    try:
        yield built
    finally:
        await built.database.close()
