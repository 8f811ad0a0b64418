"""Bring a database to the tables of today, one step at a time (Alembic)."""

import asyncio
from collections.abc import Callable

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from citizen_account.resources import MIGRATIONS
from citizen_account.storage.base import async_url
from citizen_account.storage.tables import METADATA


async def upgrade(url: str) -> None:
    """Bring the database to the newest step. Does nothing when it is there already, or beyond."""

    def run(connection: Connection) -> None:
        config = _config(connection)
        current = MigrationContext.configure(connection).get_current_revision()
        if not _is_of_a_later_version(ScriptDirectory.from_config(config), current):
            command.upgrade(config, "head")

    await _with_connection(url, run)


async def downgrade(url: str, revision: str) -> None:
    """Take the database back to an earlier step; `base` empties it."""

    def run(connection: Connection) -> None:
        command.downgrade(_config(connection), revision)

    await _with_connection(url, run)


async def pending_steps(url: str) -> list[str]:
    """Name the steps that the database still lacks, oldest first.

    A database that a later version has upgraded lacks none: this version can live with it.
    """
    found: list[str] = []

    def run(connection: Connection) -> None:
        current = MigrationContext.configure(connection).get_current_revision()
        script = ScriptDirectory.from_config(_config(connection))
        if _is_of_a_later_version(script, current):
            return
        steps = script.iterate_revisions("head", current or "base")
        found.extend(step.revision for step in steps if step.revision != current)

    await _with_connection(url, run)
    return found[::-1]


def known_steps() -> list[str]:
    """Name every step that this version knows."""
    script = ScriptDirectory(str(MIGRATIONS))
    return [step.revision for step in script.walk_revisions()]


async def differences(url: str) -> list[object]:
    """List where the migrated database and the tables in code are not the same."""
    found: list[object] = []

    def run(connection: Connection) -> None:
        options = {"compare_type": True, "compare_server_default": True}
        context = MigrationContext.configure(connection, opts=options)
        found.extend(compare_metadata(context, METADATA))

    await _with_connection(url, run)
    return found


def write_step(url: str, message: str, revision: str) -> None:
    """Write the step that leads from the database to the tables in code."""

    def run(connection: Connection) -> None:
        command.revision(_config(connection), message, autogenerate=True, rev_id=revision)

    asyncio.run(_with_connection(url, run))


def _is_of_a_later_version(script: ScriptDirectory, current: str | None) -> bool:
    return current is not None and all(step.revision != current for step in script.walk_revisions())


async def _with_connection(url: str, run: Callable[[Connection], None]) -> None:
    engine = create_async_engine(async_url(url), poolclass=NullPool)
    try:
        async with engine.begin() as connection:
            await connection.run_sync(run)
    finally:
        await engine.dispose()


def _config(connection: Connection) -> Config:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["connection"] = connection
    return config
