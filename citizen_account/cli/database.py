"""Prepare the database and check it."""

import asyncio

import typer
from rich import print as say
from rich.console import Console

from citizen_account import migrations
from citizen_account.cli.failures import CommandError, runtime
from citizen_account.settings import Settings
from citizen_account.usecases.keys import ensure_keys

app = typer.Typer(help="The database.", no_args_is_help=True)


@app.command()
def upgrade() -> None:
    """Create or upgrade the tables, and the first signing keys."""
    with Console(stderr=True).status("Upgrading the database"):
        asyncio.run(_upgrade(_url()))
    say("The database is up to date.")


@app.command()
def check() -> None:
    """Say whether the database has the tables that this version needs; exit 1 if it has not."""
    steps = asyncio.run(migrations.pending_steps(_url()))
    if steps:
        raise CommandError(
            f"{len(steps)} steps are missing: {', '.join(steps)}. Run: citizen-account db upgrade"
        )
    found = asyncio.run(migrations.differences(_url()))
    if found:
        raise CommandError(f"The tables differ from this version's: {found[0]}")
    say("The database has the tables of this version.")


async def _upgrade(url: str) -> None:
    await migrations.upgrade(url)
    async with runtime() as built, built.database.begin() as uow:
        await ensure_keys(uow)


def _url() -> str:
    return Settings().database_url.get_secret_value()
