"""Start the small city: the account, an eID, the City Library and the city's systems."""

import asyncio
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated

import typer

from citizen_account.cli.failures import CommandError
from citizen_account.demo.city import Part, SmallCity
from citizen_account.demo.personas import EID_PERSONAS, PERSONAS, Persona
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
    account, library = city.address_of(Part.ACCOUNT), city.address_of(Part.LIBRARY)
    eid, systems = city.address_of(Part.EID), city.address_of(Part.EMULATORS)
    lines = (
        "",
        f"The small city is open: {account}",
        "",
        "Its people (e-mail, password, who it is):",
        *_people(PERSONAS),
        "",
        f"The people of the national eID, a test ({eid}):",
        *_people(EID_PERSONAS),
        "",
        f"Mail          {account}/dev/mailbox",
        f"Paper mail    {account}/dev/letters (references and secrets to link services)",
        f"City Library  {library}",
        f"City systems  {systems} (they fail on request: POST /_fault)",
        f"Data and logs {city.folder}",
        "",
        "Ctrl-C stops everything; a second run finds its data again.",
    )
    for line in lines:
        # Never folded: a password is copied in one piece.
        typer.echo(line)


def _people(personas: Sequence[Persona]) -> Iterator[str]:
    emails = max(len(persona.email) for persona in personas)
    passwords = max(len(persona.password) for persona in personas)
    for persona in personas:
        who = f"{persona.name}, {persona.story}"
        yield f"  {persona.email:<{emails}}  {persona.password:<{passwords}}  {who}"
