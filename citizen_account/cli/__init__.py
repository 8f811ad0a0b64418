"""The command line: one file a group, one clear line for each failure."""

import sys

import typer
from pydantic import ValidationError
from rich.console import Console

from citizen_account.cli import (
    admin,
    audit,
    client,
    connector,
    database,
    demo,
    doctor,
    keys,
    resident,
    resource,
    serve,
)
from citizen_account.cli.failures import CommandError
from citizen_account.connector_host.configuration import ConfigurationError
from citizen_account.domain.errors import DomainError
from citizen_account.settings import SecretFileError
from citizen_account.upstream.file import UpstreamsFileError

app = typer.Typer(
    name="citizen-account",
    help="The account that a city gives its residents.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
app.command("serve")(serve.serve)
app.command("worker")(serve.work)
app.command("demo")(demo.demo)
app.command("doctor")(doctor.doctor)
app.add_typer(database.app, name="db")
app.add_typer(keys.app, name="keys")
app.add_typer(resident.app, name="resident")
app.add_typer(client.app, name="client")
app.add_typer(resource.app, name="resource")
app.add_typer(admin.app, name="admin")
app.add_typer(connector.app, name="connector")
app.add_typer(audit.app, name="audit")


def main() -> None:
    """Run the command; end with status 1 and one line on the standard error when it fails."""
    try:
        app()
    except CommandError as error:
        _fail(str(error))
    except DomainError as error:
        _fail(f"{error.code}: {error.facts.get('why', '')}")
    except SecretFileError as error:
        _fail(str(error))
    except ConfigurationError as error:
        _fail(f"CITIZEN_CONNECTORS_FILE: {'; '.join(str(error).splitlines())}")
    except UpstreamsFileError as error:
        _fail(f"CITIZEN_UPSTREAMS_FILE: {error}")
    except ValidationError as error:
        _fail("; ".join(_setting_fault(dict(fault)) for fault in error.errors()))


def _setting_fault(fault: dict[str, object]) -> str:
    place = fault["loc"]
    name = "_".join(str(part) for part in place) if isinstance(place, tuple) else ""
    reason = str(fault["msg"]).removeprefix("Value error, ")
    return f"CITIZEN_{name.upper()}: {reason}" if name else reason


def _fail(line: str) -> None:
    Console(stderr=True, soft_wrap=True).print(line, style="bold red", markup=False)
    sys.exit(1)
