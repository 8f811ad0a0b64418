"""Restore a backup: end what must not live on, and keep what was revoked since."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from citizen_account.domain.events import SignedOut
from citizen_account.domain.operations import DatabaseRestored
from citizen_account.domain.revocations import Revocation
from citizen_account.storage.revocation_log import LogPosition, RevocationLog
from citizen_account.storage.unit_of_work import Database, UnitOfWork
from citizen_account.usecases.audit import LONGEST_TRANSACTION, sweep
from citizen_account.usecases.backups import BackupFile, Contents, Header, read_parts
from citizen_account.usecases.revocations import repeat

# Machines whose clocks differ a little, and transactions that began before the snapshot.
MARGIN = LONGEST_TRANSACTION + timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Restored:
    rows: int
    sessions: int
    """How many were alive and are ended now."""
    mails: int
    """How many waited to be sent and never will be."""
    repeated: Mapping[str, int]
    """From the event's code to how often it was carried out again."""


def revocations_since(header: Header, logs: Sequence[RevocationLog]) -> Iterable[Revocation]:
    """Return what was revoked after the backup, in its order; the first log stood beside it.

    Raises: RevocationLogError, OSError.
    """
    since = header.taken_at - MARGIN
    beginning = LogPosition()
    found = []
    for number, log in enumerate(logs):
        position = header.log if number == 0 and header.log is not None else beginning
        # Of a log of another machine only the time tells what is new.
        found += [
            revocation
            for revocation in log.since(position, since)
            if position is not beginning or revocation.at >= since
        ]
    return sorted(found, key=lambda revocation: revocation.at)


async def restore_backup(
    database: Database,
    backup: BackupFile,
    contents: Contents,
    revocations: Iterable[Revocation],
    progress: Callable[[str], None] = lambda _: None,
) -> Restored:
    """Put the backup in place of all rows, in one transaction: all of it, or nothing.

    The file was inspected before. Raises: BackupError, OSError, temporarily_unavailable.
    """
    async with database.begin() as uow:
        await uow.archive.clear()
        for part in read_parts(backup):
            progress(part.table)
            await uow.archive.add(part.table, part.columns, part.rows)
        await uow.archive.set_counters()
        sessions = await _end_sessions(uow)
        await uow.archive.end_grants(uow.now)
        mails = await uow.archive.set_mail_aside()
        repeated = Counter([each.kind for each in revocations if await repeat(uow, each)])
        # What these would write to residents was written to them when it happened.
        await uow.archive.set_mail_aside()
        uow.record(DatabaseRestored(contents.header.taken_at, repeated.total()))
    async with database.begin() as uow:
        await sweep(uow)
    return Restored(contents.total, sessions, mails, repeated)


async def _end_sessions(uow: UnitOfWork) -> int:
    """End all of them; the services they opened are told, as at each sign-out."""
    ended = await uow.archive.end_sessions(uow.now)
    for account_id, session_id in ended:
        uow.record(SignedOut(account_id, session_id))
    return len(ended)
