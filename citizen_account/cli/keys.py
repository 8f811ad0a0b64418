"""Look at the signing keys and rotate them."""

import asyncio
from collections.abc import Sequence
from typing import Annotated

import typer
from rich.table import Table

from citizen_account.cli.failures import CommandError, runtime
from citizen_account.cli.tables import show_table
from citizen_account.domain.keys import KeyPlace
from citizen_account.usecases.keys import (
    AlreadyRotating,
    Rotated,
    Rotation,
    ensure_keys,
    list_keys,
    revoke_key,
    rotate_keys,
)

app = typer.Typer(help="The keys that sign what the provider says.", no_args_is_help=True)


@app.command("list")
def list_() -> None:
    """List the keys with their states: next, active, retired."""
    table = Table("kid", "use", "algorithm", "state", "signs from (UTC)", "published until (UTC)")
    for place in asyncio.run(_list()):
        until = place.published_until
        table.add_row(
            place.key.kid,
            place.use,
            place.key.algorithm,
            place.state,
            f"{place.key.active_from:%Y-%m-%d %H:%M:%S}",
            "" if until is None else f"{until:%Y-%m-%d %H:%M:%S}",
        )
    show_table(table)


@app.command()
def rotate() -> None:
    """Publish a next key for each use and algorithm; it signs once every service can know it."""
    for rotation in asyncio.run(_rotate()):
        match rotation:
            case Rotated(key):
                begins = f"{key.active_from:%Y-%m-%d %H:%M:%S} UTC"
                typer.echo(f"{key.use} {key.algorithm} {key.kid} signs from {begins}")
            case AlreadyRotating(use, algorithm):
                typer.echo(f"{use} {algorithm} has a next key already")


# An id may begin with a hyphen.
@app.command(context_settings={"ignore_unknown_options": True})
def revoke(
    kid: Annotated[str, typer.Argument(help="The key's id, as `keys list` shows it.")],
) -> None:
    """Forget a key that may have leaked, at once; another one signs in its place."""
    if not asyncio.run(_revoke(kid)):
        raise CommandError(f"There is no key {kid}.")
    typer.echo(f"{kid} is gone. Processes that serve notice within a minute, or at a restart.")


async def _list() -> Sequence[KeyPlace]:
    async with runtime() as built, built.database.begin() as uow:
        await ensure_keys(uow)
        return await list_keys(uow)


async def _revoke(kid: str) -> bool:
    async with runtime() as built, built.database.begin() as uow:
        return await revoke_key(uow, kid)


async def _rotate() -> Sequence[Rotation]:
    async with runtime() as built, built.database.begin() as uow:
        return await rotate_keys(uow)
