"""Register city services, look at them, shut one out."""

import asyncio
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated

import typer
from rich import print as say
from rich.console import Console
from rich.table import Table

from citizen_account.cli.failures import CommandError, runtime
from citizen_account.domain.clients import Client
from citizen_account.domain.texts import in_language
from citizen_account.openid.metadata_members import RegistrationError
from citizen_account.openid.registration import Registration
from citizen_account.usecases.clients import (
    disable_client,
    find_client,
    import_client,
    list_clients,
)

app = typer.Typer(help="The services that sign residents in.", no_args_is_help=True)
MetadataFile = Annotated[
    Path, typer.Argument(help="One RFC 7591 metadata object, or a list of them.")
]
GivenId = Annotated[str, typer.Argument(help="The client_id.")]


@app.command("import")
def import_(file: MetadataFile) -> None:
    """Register services, or register them again under their client_id."""
    for registration in asyncio.run(_import(_read(file))):
        # Plain lines, so that a script can read them; a secret is shown this once.
        typer.echo(f"client_id {registration.client.id}")
        if registration.generated_secret is not None:
            typer.echo(f"client_secret {registration.generated_secret}")


@app.command("list")
def list_() -> None:
    """List the services."""
    table = Table("client_id", "name", "profile", "authentication", "state")
    for client in asyncio.run(_list()):
        state = "disabled" if client.is_disabled else "active"
        name = in_language(client.name, "en")
        table.add_row(client.id, name, client.profile, client.authentication_method, state)
    Console().print(table)


@app.command()
def show(client_id: GivenId) -> None:
    """Show a service's metadata as it was registered, without its secret."""
    client = asyncio.run(_find(client_id))
    shown = {**client.metadata, "client_id": client.id, "disabled": client.is_disabled}
    typer.echo(json.dumps(shown, indent=2, ensure_ascii=False))


@app.command()
def disable(client_id: GivenId) -> None:
    """Shut a service out and end what residents granted it. Importing it again lets it in."""
    asyncio.run(_disable(client_id))
    say(f"{client_id} is disabled, and its grants have ended.")


def _read(file: Path) -> Sequence[Mapping[str, object]]:
    try:
        read = json.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise CommandError(f"{file}: {error.strerror}") from None
    except (ValueError, RecursionError):
        raise CommandError(f"{file}: this is no JSON") from None
    found = read if isinstance(read, list) else [read]
    if not found or not all(isinstance(each, dict) for each in found):
        raise CommandError(f"{file}: must hold one metadata object or a list of them")
    return found


async def _import(clients: Sequence[Mapping[str, object]]) -> Sequence[Registration]:
    # All of the file or nothing of it.
    async with runtime() as built, built.database.begin() as uow:
        done = []
        for number, metadata in enumerate(clients, start=1):
            try:
                done.append(
                    await import_client(
                        uow,
                        metadata,
                        is_development=built.is_development,
                        mutual_tls=built.mutual_tls,
                    )
                )
            except RegistrationError as error:
                raise CommandError(f"client {number} of {len(clients)}: {error}") from None
        return done


async def _list() -> Sequence[Client]:
    async with runtime() as built, built.database.read() as uow:
        return await list_clients(uow)


async def _find(client_id: str) -> Client:
    async with runtime() as built, built.database.read() as uow:
        client = await find_client(uow, client_id)
    if client is None:
        raise CommandError(f"There is no client {client_id}.")
    return client


async def _disable(client_id: str) -> None:
    async with runtime() as built, built.database.begin() as uow:
        if not await disable_client(uow, client_id):
            raise CommandError(f"There is no client {client_id}.")
