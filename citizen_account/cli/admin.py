"""Say who may administrate."""

import asyncio
from typing import Annotated

import typer
from rich import print as say

from citizen_account.cli.failures import CommandError, runtime
from citizen_account.domain.accounts import Role
from citizen_account.usecases.administration import grant_role, revoke_role

app = typer.Typer(help="Who may administrate.", no_args_is_help=True)
Email = Annotated[str, typer.Argument(help="The account's e-mail address.")]
GivenRole = Annotated[Role, typer.Argument(help="What the person may do.")]


@app.command()
def grant(email: Email, role: GivenRole) -> None:
    """Give a role to an account that exists."""
    asyncio.run(_grant(email, role))
    say(f"{email} is {role} now.")


@app.command()
def revoke(email: Email, role: GivenRole) -> None:
    """Take a role away; it is gone with the person's next request."""
    asyncio.run(_revoke(email, role))
    say(f"{email} is no longer {role}.")


async def _grant(email: str, role: Role) -> None:
    async with runtime() as built, built.database.begin() as uow:
        if not await grant_role(uow, email, role):
            raise CommandError(f"There is no account with the address {email}.")


async def _revoke(email: str, role: Role) -> None:
    async with runtime() as built, built.database.begin() as uow:
        if not await revoke_role(uow, email, role):
            raise CommandError(f"There is no account with the address {email}.")
