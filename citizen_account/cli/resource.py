"""Register the city's APIs that access tokens are made for, look at them, shut one."""

import asyncio
from collections.abc import Sequence
from typing import Annotated

import typer
from rich import print as say
from rich.table import Table

from citizen_account.bootstrap import Runtime
from citizen_account.cli.failures import CommandError, runtime
from citizen_account.cli.metadata_files import Metadata, MetadataFile, import_all, read_metadata
from citizen_account.cli.tables import show_table
from citizen_account.domain.resources import ResourceServer
from citizen_account.domain.texts import in_language
from citizen_account.storage.unit_of_work import UnitOfWork
from citizen_account.usecases.resources import disable_resource, import_resource, list_resources

app = typer.Typer(help="The APIs that access tokens are made for.", no_args_is_help=True)
GivenResource = Annotated[str, typer.Argument(help="The resource's identifier, an absolute URI.")]


@app.command("import")
def import_(file: MetadataFile) -> None:
    """Register resource servers, or register them again under their identifier."""
    for server in asyncio.run(import_all("resource", read_metadata(file), _register)):
        typer.echo(f"resource {server.id}")


@app.command("list")
def list_() -> None:
    """List the resource servers."""
    table = Table("resource", "name", "tokens", "introspected by", "state")
    for server in asyncio.run(_list()):
        state = "disabled" if server.is_disabled else "active"
        name = in_language(server.name, "en")
        table.add_row(server.id, name, server.token_format, server.client_id or "", state)
    show_table(table)


@app.command()
def disable(resource: GivenResource) -> None:
    """Give no more tokens for an API. Importing it again opens it."""
    asyncio.run(_disable(resource))
    say(f"{resource} is disabled.")


async def _register(built: Runtime, uow: UnitOfWork, metadata: Metadata) -> ResourceServer:
    return await import_resource(uow, metadata, built.issuer)


async def _list() -> Sequence[ResourceServer]:
    async with runtime() as built, built.database.read() as uow:
        return await list_resources(uow)


async def _disable(resource: str) -> None:
    async with runtime() as built, built.database.begin() as uow:
        if not await disable_resource(uow, resource):
            raise CommandError(f"There is no resource {resource}.")
