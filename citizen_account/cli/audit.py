"""Verify the trail of what happened."""

import asyncio

import typer
from rich import print as say

from citizen_account.cli.failures import CommandError, runtime
from citizen_account.usecases.audit import Broken, Verified
from citizen_account.usecases.audit import verify as verify_chain

app = typer.Typer(help="The trail of what happened.", no_args_is_help=True)


@app.callback()
def group() -> None:
    """Look at the trail of what happened."""


@app.command()
def verify() -> None:
    """Compare every row of the trail with the chain of hashes; exit 1 where it does not hold."""
    say(asyncio.run(_verify()))


async def _verify() -> str:
    async with runtime() as built, built.database.read() as uow:
        result = await verify_chain(uow)
    match result:
        case Verified(rows):
            return f"The chain holds: {rows} rows."
        case Broken(position, reason):
            raise CommandError(f"The chain is broken at position {position}: {reason}.")
