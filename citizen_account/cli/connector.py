"""List, check and begin connectors."""

import asyncio
import re
import shutil
from pathlib import Path
from typing import Annotated

import typer
import uvicorn
from rich import print as say
from rich.markup import escape
from rich.table import Table

from citizen_account.bootstrap import utc_now
from citizen_account.cli.failures import CommandError, runtime
from citizen_account.cli.tables import show_table
from citizen_account.connector_host.configuration import read_configurations
from citizen_account.connector_host.outcomes import Failed
from citizen_account.connector_host.registry import Registry, load_registry
from citizen_account.connector_host.serving import Caller, Serving, create_serving
from citizen_account.connector_sdk import example
from citizen_account.connector_sdk.http import open_transport
from citizen_account.connector_sdk.models import Condition, HealthReport
from citizen_account.outbound import trust

app = typer.Typer(help="Connectors to city services.", no_args_is_help=True)
NAME = re.compile(r"[a-z][a-z0-9_]{2,30}")
EXAMPLE = Path(example.__file__).parent


@app.command("list")
def list_connectors() -> None:
    """List every installed connector, and why one is not in use."""
    show_table(asyncio.run(_list()))


async def _list() -> Table:
    async with runtime() as built:
        return _table(built.connectors.registry)


def _table(registry: Registry) -> Table:
    table = Table("Connector", "Version", "Kind", "Capabilities", "State", box=None)
    for name, installed in registry.connectors.items():
        manifest = installed.manifest
        state = "in use" if installed.connector else f"[yellow]{escape(installed.problem)}[/]"
        capabilities = ", ".join(manifest.capabilities)
        table.add_row(name, manifest.version, manifest.kind, capabilities, state)
    for name, reason in registry.refused.items():
        table.add_row(name, "", "", "", f"[red]{escape(reason)}[/]")
    return table


@app.command("check")
def check(connector_id: Annotated[str, typer.Argument(metavar="ID")]) -> None:
    """Try every capability of a connector on its source; exit 1 unless all is well."""
    report = asyncio.run(_check(connector_id))
    for name, health in sorted(report.capabilities.items()):
        colour = "green" if health.condition is Condition.OK else "red"
        say(f"{name}: [{colour}]{health.condition.value}[/] {escape(health.detail)}".rstrip())
    if report.condition is not Condition.OK:
        raise CommandError(f"{connector_id} is {report.condition.value}.")


async def _check(connector_id: str) -> HealthReport:
    async with runtime() as built:
        registry = built.connectors.registry
        if connector_id in registry.refused:
            raise CommandError(f"{connector_id}: {registry.refused[connector_id]}")
        installed = registry.find(connector_id)
        if installed is None:
            known = ", ".join(registry.connectors) or "none"
            raise CommandError(f"No connector {connector_id} is installed; there are: {known}.")
        if installed.connector is None:
            raise CommandError(f"{connector_id} is not in use: {installed.problem}.")
        outcome = await built.connectors.check(connector_id)
    if isinstance(outcome, Failed):
        raise CommandError(f"{connector_id} could not be checked: {outcome.reason.value}.")
    return outcome.answer


@app.command("new")
def new(
    name: Annotated[str, typer.Argument(help="Lower case; also the name of its folder.")],
    folder: Annotated[Path, typer.Option(help="Where connectors lie.")] = Path("connectors"),
) -> None:
    """Begin a connector: a copy of the example that already passes the acceptance suite."""
    if not NAME.fullmatch(name):
        raise CommandError("A name has 3 to 31 lower-case letters, digits and underscores.")
    place = folder / name
    if place.exists():
        raise CommandError(f"{place} exists already.")
    shutil.copytree(EXAMPLE, place, ignore=shutil.ignore_patterns("__pycache__"))
    for file in place.iterdir():
        file.write_text(renamed(file.read_text(encoding="utf-8"), name), encoding="utf-8")
    say(f"Written: {escape(str(place))}. Next, in pyproject.toml:")
    say(escape(f'[project.entry-points."citizen_account.connectors"]\n{name} = "{_entry(place)}"'))
    say("Then install the project again, and follow docs/connectors.md.")


@app.command("serve")
def serve(
    connector_id: Annotated[str, typer.Argument(metavar="ID")],
    file: Annotated[
        Path, typer.Option(envvar="CITIZEN_CONNECTORS_FILE", help="With its table and [ID.serve].")
    ],
    host: Annotated[str, typer.Option(help="Where to listen.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Where to listen.")] = 8010,
) -> None:
    """Run one connector by itself, for an account elsewhere; no database is needed."""
    serving = serving_of(connector_id, file)
    say(f"{connector_id} listens at http://{host}:{port}")
    uvicorn.run(serving, host=host, port=port, log_config=None, access_log=False)


def serving_of(connector_id: str, file: Path) -> Serving:
    """Return the application that serves the connector."""
    configurations = read_configurations(file)
    trusted = trust()
    registry = load_registry(configurations, lambda n: open_transport(trusted, n), utc_now)
    installed = registry.find(connector_id)
    if installed is None:
        reason = registry.refused.get(connector_id, "not installed")
        raise CommandError(f"{connector_id}: {reason}.")
    if installed.connector is None:
        raise CommandError(f"{connector_id} is not in use: {installed.problem}.")
    entry = configurations[connector_id].serve
    if entry is None:
        raise CommandError(f"{file} has no [{connector_id}.serve] with client_id and secret.")
    caller = Caller(entry.client_id, entry.read_secret(), utc_now)
    return create_serving(installed.manifest, installed.connector, caller)


def renamed(text: str, name: str) -> str:
    """Return a file of the example as the new connector's own."""
    capital = "".join(part.capitalize() for part in name.split("_"))
    text = text.replace("ExampleOffice", f"{capital}Office").replace("[example", f"[{name}")
    text = text.replace('id = "example"', f'id = "{name}"').replace("`example`", f"`{name}`")
    return text.replace("/run/secrets/example", f"/run/secrets/{name}")


def _entry(place: Path) -> str:
    return ".".join((*place.parts[-2:], "connector:build"))
