"""Prepare the database, check it, back it up and restore it."""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Annotated

import typer
from rich import print as say
from rich.console import Console

from citizen_account import migrations
from citizen_account.bootstrap import open_revocation_log
from citizen_account.cli.failures import CommandError, runtime
from citizen_account.domain.revocations import Revocation
from citizen_account.settings import Settings
from citizen_account.storage.revocation_log import RevocationLog, RevocationLogError
from citizen_account.usecases.backups import (
    BackupError,
    BackupFile,
    Contents,
    inspect_backup,
    take_backup,
)
from citizen_account.usecases.keys import ensure_keys
from citizen_account.usecases.restoring import Restored, restore_backup, revocations_since

app = typer.Typer(help="The database.", no_args_is_help=True)
FileToWrite = Annotated[Path, typer.Argument(help="The file to write; it must not exist yet.")]
FileToRead = Annotated[Path, typer.Argument(help="The file that `db backup` wrote.")]
Logs = Annotated[
    list[Path] | None,
    typer.Option(
        "--log", help="A log of revocations, if not CITIZEN_REVOCATION_LOG; once for each machine."
    ),
]


@app.command()
def upgrade() -> None:
    """Create or upgrade the tables, and the first signing keys."""
    with Console(stderr=True).status("Upgrading the database"):
        asyncio.run(_upgrade(_url()))
    say("The database is up to date.")


@app.command()
def check() -> None:
    """Say whether the database has the tables that this version needs; exit 1 if it has not."""
    steps = asyncio.run(migrations.pending_steps(_url()))
    if steps:
        raise CommandError(
            f"{len(steps)} steps are missing: {', '.join(steps)}. Run: citizen-account db upgrade"
        )
    found = asyncio.run(migrations.differences(_url()))
    if found:
        raise CommandError(f"The tables differ from this version's: {found[0]}")
    say("The database has the tables of this version.")


@app.command()
def backup(file: FileToWrite) -> None:
    """Write all that is worth keeping into a sealed file, while the account goes on serving."""
    settings = Settings()
    sealed = BackupFile(file, _backup_key(settings))
    try:
        with Console(stderr=True).status("Writing the backup"):
            contents = asyncio.run(_backup(sealed))
    except (BackupError, OSError) as error:
        raise CommandError(f"There is no backup: {error}") from None
    for line in _taken(contents, settings):
        say(line)


@app.command()
def restore(
    file: FileToRead,
    log: Logs = None,
    *,
    without_log: Annotated[
        bool,
        typer.Option("--without-log", help="Bring back what was withdrawn since the backup."),
    ] = False,
    replace: Annotated[
        bool, typer.Option("--replace", help="Put it in place of what the database holds now.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask before replacing.")] = False,
) -> None:
    """Fill the database from a backup; withdrawals and erasures since then hold."""
    settings = Settings()
    sealed = BackupFile(file, _backup_key(settings))
    logs = _logs(settings, log or [], is_wanted=not without_log)
    try:
        contents = asyncio.run(_inspect(sealed))
        revocations = list(revocations_since(contents.header, logs))
    except RevocationLogError as error:
        raise CommandError(f"Nothing was restored: the log of revocations: {error}.") from None
    except (BackupError, OSError) as error:
        raise CommandError(f"Nothing was restored: {error}.") from None
    _require_permission(may_replace=replace, is_confirmed=yes)
    with Console(stderr=True).status("Restoring") as status:
        restored = asyncio.run(_restore(sealed, contents, revocations, status.update))
    for line in _told(contents, restored, settings, logs):
        say(line)


async def _upgrade(url: str) -> None:
    await migrations.upgrade(url)
    async with runtime() as built, built.database.begin() as uow:
        await ensure_keys(uow)


async def _backup(sealed: BackupFile) -> Contents:
    async with runtime() as built:
        return await take_backup(built.database, sealed, built.issuer, built.revocation_log)


async def _inspect(sealed: BackupFile) -> Contents:
    async with runtime() as built:
        return inspect_backup(sealed, built.sealer, migrations.known_steps())


async def _is_empty() -> bool:
    pending = await migrations.pending_steps(_url())
    if len(pending) == len(migrations.known_steps()):
        return True
    if pending:
        raise CommandError("Nothing was restored. Run first: citizen-account db upgrade")
    async with runtime() as built, built.database.read() as uow:
        return await uow.archive.is_empty()


async def _restore(
    sealed: BackupFile,
    contents: Contents,
    revocations: Sequence[Revocation],
    progress: Callable[[str], None],
) -> Restored:
    await migrations.upgrade(_url())
    async with runtime() as built:
        return await restore_backup(built.database, sealed, contents, revocations, progress)


def _require_permission(*, may_replace: bool, is_confirmed: bool) -> None:
    if asyncio.run(_is_empty()):
        return
    if not may_replace:
        raise CommandError(
            "Nothing was restored: the database is not empty. With --replace all that it holds"
            " goes away for good: stop the account and back it up first."
        )
    if not is_confirmed and not typer.confirm("Delete all that the database holds now?"):
        raise CommandError("Nothing was restored.")


def _logs(settings: Settings, paths: Sequence[Path], *, is_wanted: bool) -> list[RevocationLog]:
    if not is_wanted:
        return []
    configured = [] if settings.revocation_log is None else [settings.revocation_log]
    logs = [open_revocation_log(settings, path) for path in paths or configured]
    if not logs:
        raise CommandError(
            "Nothing was restored: no log of revocations. Name it with --log, or say --without-log:"
            " then consents that were withdrawn and accounts that were closed since come back."
        )
    return logs


def _backup_key(settings: Settings) -> str:
    if settings.backup_key is None:
        raise CommandError("CITIZEN_BACKUP_KEY is missing: 32 random characters or more.")
    return settings.backup_key.get_secret_value()


def _taken(contents: Contents, settings: Settings) -> Iterator[str]:
    yield f"{contents.total} rows of {len(contents.rows)} tables are in the backup."
    yield "To restore it, CITIZEN_BACKUP_KEY, CITIZEN_SECRET_KEY and CITIZEN_DATA_KEY are needed."
    if settings.revocation_log is None:
        yield (
            "CITIZEN_REVOCATION_LOG is not set: what residents withdraw from now on would come"
            " back with this backup."
        )


def _told(
    contents: Contents, restored: Restored, settings: Settings, logs: Sequence[RevocationLog]
) -> Iterator[str]:
    header = contents.header
    taken = f"{header.taken_at:%Y-%m-%d %H:%M:%S} UTC"
    yield f"The backup of {taken} is restored: {restored.rows} rows."
    yield f"All sessions are ended ({restored.sessions} were alive); everybody signs in again."
    yield "Codes, tokens and requests on their way were not in the backup: none works any more."
    yield f"{restored.mails} messages that waited then are not sent."
    if not logs:
        yield "No log was read: what was withdrawn or closed since the backup IS BACK."
    elif not restored.repeated:
        yield "The log holds nothing that was revoked since."
    for kind, count in sorted(restored.repeated.items()):
        yield f"From the log, again: {count} x {kind.replace('_', ' ')}."
    if header.issuer != settings.issuer:
        yield f"It was the account at {header.issuer}: services know that address."


def _url() -> str:
    return Settings().database_url.get_secret_value()
