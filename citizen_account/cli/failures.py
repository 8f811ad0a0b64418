"""End a command with one clear line."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from citizen_account import migrations
from citizen_account.bootstrap import Runtime, build_runtime
from citizen_account.domain.errors import DomainError
from citizen_account.settings import Settings
from citizen_account.storage.absence import noticing_absence


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


async def require_tables(settings: Settings) -> None:
    """Refuse to work on tables that this version does not know yet. Raises: CommandError."""
    try:
        with noticing_absence():
            steps = await migrations.pending_steps(settings.database_url.get_secret_value())
    except DomainError as error:
        why = error.facts.get("why", "")
        raise CommandError(
            f"The database does not answer ({why}): check CITIZEN_DATABASE_URL and that it runs"
        ) from None
    if steps:
        raise CommandError(
            f"The database lacks {len(steps)} steps of this version ({', '.join(steps)})."
            " Run first: citizen-account db upgrade. The version before goes on serving meanwhile"
        )
