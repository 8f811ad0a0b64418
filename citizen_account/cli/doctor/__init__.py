"""Say what of the configuration is unsafe or missing, why, and how to mend it."""

import asyncio
import json
import os
from collections.abc import Sequence
from dataclasses import asdict
from typing import Annotated

import typer
from rich.console import Console

from citizen_account.cli.doctor.configured import (
    check_backups,
    check_contact,
    check_database_password,
    check_environment,
    check_issuer,
    check_proxies,
    check_secrets,
)
from citizen_account.cli.doctor.findings import Check, Line, Site, State
from citizen_account.cli.doctor.kept import (
    check_administrators,
    check_clock,
    check_database,
    check_exemptions,
    check_keys,
    check_people,
    check_worker,
)
from citizen_account.cli.doctor.machine import check_disk, check_files, check_log
from citizen_account.cli.doctor.reached import check_address, check_connectors, check_mail
from citizen_account.cli.failures import CommandError, runtime
from citizen_account.domain.errors import DomainError
from citizen_account.settings import Settings

CHECKS: tuple[Check, ...] = (
    check_environment,
    check_issuer,
    check_proxies,
    check_secrets,
    check_database_password,
    check_backups,
    check_contact,
    check_files,
    check_disk,
    check_log,
    check_address,
    check_mail,
)
CHECKS_OF_DATABASE: tuple[Check, ...] = (
    check_clock,
    check_keys,
    check_worker,
    check_people,
    check_administrators,
    check_exemptions,
    check_connectors,
)
STYLES = {State.OK: "green", State.WARN: "yellow", State.FAIL: "bold red"}


def doctor(
    *,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print a JSON list of the lines.")
    ] = False,
) -> None:
    """Check the configuration and what it leads to; exit 1 when something is unsafe or missing."""
    lines = asyncio.run(_examine(Settings()))
    if as_json:
        typer.echo(json.dumps([asdict(line) for line in lines], ensure_ascii=False, indent=1))
    else:
        _print(lines)
    failed = [line for line in lines if line.state is State.FAIL]
    if failed:
        raise CommandError(f"{len(failed)} findings are unsafe or keep the account from working.")


async def examine(site: Site) -> Sequence[Line]:
    """Run every check; without tables of this version those that read them are left out."""
    lines = [line for check in CHECKS for line in await _run(check, site)]
    found = await _run(check_database, site)
    if any(line.state is State.FAIL for line in found):
        return [*lines, *found]
    read = [line for check in CHECKS_OF_DATABASE for line in await _run(check, site)]
    return [*lines, *found, *read]


async def _run(check: Check, site: Site) -> Sequence[Line]:
    try:
        return await check(site)
    except (DomainError, OSError) as error:
        name = check.__name__.removeprefix("check_")
        why = error.facts.get("why", "") if isinstance(error, DomainError) else error
        what = f"The check of {name.replace('_', ' ')} could not be made ({why})."
        mend = "Check CITIZEN_DATABASE_URL, that the server runs, and the files that are named."
        return [Line(State.FAIL, what, "What it would find stays unknown.", mend)]


async def _examine(settings: Settings) -> Sequence[Line]:
    async with runtime() as built:
        return await examine(Site(settings, built, dict(os.environ)))


def _print(lines: Sequence[Line]) -> None:
    console = Console(soft_wrap=True)
    for line in lines:
        console.print(f"{line.state:<4}", style=STYLES[line.state], end=" ")
        console.print(" ".join(filter(None, (line.what, line.why, line.mend))), markup=False)
