"""Start the small city: the account, an eID, the City Library and the city's systems."""

import asyncio
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from citizen_account.cli.failures import CommandError
from citizen_account.demo.city import Part, SmallCity
from citizen_account.demo.personas import EID_PERSONAS, PERSONAS
from citizen_account.demo.supervisor import CityError, run_city

HIGHEST_PORT = 65_535


def demo(
    port: Annotated[
        int,
        typer.Option(
            help="The account's port; the three that follow are taken too.",
            min=1,
            max=HIGHEST_PORT - len(Part) + 1,
        ),
    ] = 8000,
    folder: Annotated[Path, typer.Option(help="Where databases, keys and logs lie.")] = Path("var"),
    database_url: Annotated[
        str | None,
        typer.Option(envvar="CITIZEN_DATABASE_URL", help="Another database for the account."),
    ] = None,
) -> None:
    """Run a whole small city on this machine until Ctrl-C; a second run finds its data again."""
    try:
        asyncio.run(run_city(SmallCity.in_folder(folder, port, database_url), announce))
    except CityError as error:
        raise CommandError(str(error)) from None


def announce(city: SmallCity) -> None:
    """Say where the city is, who lives in it and where the mail goes."""
    console = Console(highlight=False, soft_wrap=True)
    account = city.address_of(Part.ACCOUNT)
    console.print(f"\nThe small city is open: [bold]{account}[/]\n")
    console.print(_people())
    console.print(f"\nMail           {account}/dev/mailbox")
    console.print(f"Paper mail     {account}/dev/letters (references and secrets to link services)")
    console.print(f"City Library   {city.address_of(Part.LIBRARY)}")
    console.print(f"National eID   {city.address_of(Part.EID)} (a test, with people of its own)")
    console.print(f"City systems   {city.address_of(Part.EMULATORS)}")
    console.print(f"Files and logs {city.folder}")
    console.print("\nCtrl-C stops everything.")


def _people() -> Table:
    table = Table("who", "e-mail", "password", box=None, pad_edge=False)
    for persona in PERSONAS:
        table.add_row(f"{persona.name}, {persona.story}", persona.email, persona.password)
    for persona in EID_PERSONAS:
        table.add_row(f"eID: {persona.name}, {persona.story}", persona.email, persona.password)
    return table
