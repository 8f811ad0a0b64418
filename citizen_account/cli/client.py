"""Register city services, look at them, shut one out."""

import asyncio
import json
from collections.abc import Sequence
from datetime import timedelta
from typing import Annotated

import typer
from rich import print as say
from rich.table import Table

from citizen_account.bootstrap import Runtime
from citizen_account.cli.failures import CommandError, runtime
from citizen_account.cli.metadata_files import Metadata, MetadataFile, import_all, read_metadata
from citizen_account.cli.tables import show_table
from citizen_account.domain.clients import Client
from citizen_account.domain.registrations import RegistrationMode
from citizen_account.domain.texts import in_language
from citizen_account.openid.registration import Registration
from citizen_account.storage.unit_of_work import UnitOfWork
from citizen_account.usecases.clients import (
    disable_client,
    find_client,
    import_client,
    list_clients,
)
from citizen_account.usecases.registration import make_initial_token, revoke_initial_tokens

app = typer.Typer(help="The services that sign residents in.", no_args_is_help=True)
GivenId = Annotated[str, typer.Argument(help="The client_id.")]


@app.command("import")
def import_(file: MetadataFile) -> None:
    """Register services, or register them again under their client_id."""
    for registration in asyncio.run(import_all("client", read_metadata(file), _register)):
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
        if client.approval is not None:
            state = f"{state}, registered itself: {client.approval}"
        name = in_language(client.name, "en")
        table.add_row(client.id, name, client.profile, client.authentication_method, state)
    show_table(table)


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


@app.command()
def token(
    uses: Annotated[int, typer.Option(help="How many clients it registers.", min=1)] = 1,
    days: Annotated[int, typer.Option(help="How long it lives.", min=1, max=365)] = 7,
) -> None:
    """Make an initial access token, with which a service registers itself at /register."""
    made = asyncio.run(_make_token(uses, timedelta(days=days)))
    typer.echo(f"initial_access_token {made}")


@app.command("revoke-tokens")
def revoke_tokens() -> None:
    """Make all initial access tokens worthless. Clients that used one stay."""
    typer.echo(f"{asyncio.run(_revoke_tokens())} initial access tokens are worthless now.")


async def _register(built: Runtime, uow: UnitOfWork, metadata: Metadata) -> Registration:
    return await import_client(
        uow, metadata, is_development=built.is_development, mutual_tls=built.mutual_tls
    )


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


async def _make_token(uses: int, lifetime: timedelta) -> str:
    async with runtime() as built:
        if built.registration.mode is RegistrationMode.CLOSED:
            raise CommandError("CITIZEN_REGISTRATION is closed: set it to token, queue or open")
        async with built.database.begin() as uow:
            return await make_initial_token(uow, uses=uses, lifetime=lifetime)


async def _revoke_tokens() -> int:
    async with runtime() as built, built.database.begin() as uow:
        return await revoke_initial_tokens(uow)
