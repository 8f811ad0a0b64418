"""Write a backup: every table as it stood at one instant, sealed, in a form of our own.

Inside the sealed stream are lines of JSON: a header, then for each table its name and columns and
a line for each row, at last the numbers of rows and a checksum over all lines before.
"""

import hmac
import json
import os
from base64 import b64decode, b64encode
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Any, BinaryIO

from citizen_account.domain.operations import BackupTaken
from citizen_account.security.sealing import Sealer, UnsealableError
from citizen_account.security.streams import SealingWriter, StreamError, open_stream
from citizen_account.storage.archive import ROWS_AT_ONCE, Archive, kept_tables, misfit
from citizen_account.storage.revocation_log import LogPosition, RevocationLog
from citizen_account.storage.unit_of_work import Database

FORMAT = 1
_CHECK = "backup.check"
Line = Any  # JSON of ours, read behind its seal


class BackupError(Exception):
    """The file cannot be restored here; says why, in a form that an operator understands."""


@dataclass(frozen=True, slots=True)
class BackupFile:
    path: Path
    secret: str
    """What seals it: kept elsewhere."""


@dataclass(frozen=True, slots=True)
class Header:
    revision: str
    """The step of the migrations at which the tables were."""
    taken_at: datetime
    issuer: str
    log: LogPosition | None
    """How far the log of revocations beside it had come; None where none was kept."""
    sealed_check: bytes
    index_check: bytes


@dataclass(frozen=True, slots=True)
class Contents:
    header: Header
    rows: Mapping[str, int] = field(default_factory=dict)

    @property
    def total(self) -> int:
        return sum(self.rows.values())


@dataclass(frozen=True, slots=True)
class Part:
    """Some rows of a table."""

    table: str
    columns: tuple[str, ...]
    rows: Sequence[Sequence[object]]


async def take_backup(
    database: Database, backup: BackupFile, issuer: str, log: RevocationLog | None
) -> Contents:
    """Write the file, while others go on reading and writing. Raises: BackupError, OSError."""
    # Before the snapshot: whatever is not in it stands behind this place, or is young.
    position = None if log is None else _position_of(log)
    with _new_file(backup.path) as file:
        async with database.snapshot() as (archive, now):
            header = Header(
                revision=await archive.revision(),
                taken_at=now,
                issuer=issuer,
                log=position,
                sealed_check=database.sealer.seal(_CHECK.encode(), _CHECK),
                index_check=database.sealer.index(_CHECK, _CHECK),
            )
            writer = _Writer(SealingWriter(file, backup.secret))
            contents = await _write(writer, header, archive)
    async with database.begin() as uow:
        uow.record(BackupTaken(now))
    return contents


def inspect_backup(backup: BackupFile, sealer: Sealer, revisions: Sequence[str]) -> Contents:
    """Read the whole file and say what is in it, once all of it is proven to fit here.

    Raises: BackupError, OSError.
    """
    reading = _Reading(backup)
    for part in reading.parts():
        reason = misfit(part.table, part.columns)
        if reason is not None and reading.header.revision in revisions:
            raise BackupError(f"the tables are too different: {reason}")
    header = reading.header
    if header.revision not in revisions:
        raise BackupError(
            f"it was made by a newer version (step {header.revision}): install that one first"
        )
    _require_our_keys(header, sealer)
    return Contents(header, reading.counts)


def read_parts(backup: BackupFile) -> Iterator[Part]:
    """Yield the rows, in an order in which they can be added. Raises: BackupError, OSError."""
    return _Reading(backup).parts()


def _position_of(log: RevocationLog) -> LogPosition:
    # A log that is missing beside this backup later is a loss, not a quiet year.
    log.append(())
    return log.position()


@contextmanager
def _new_file(path: Path) -> Iterator[BinaryIO]:
    """Yield a file that has its name once it is whole and on the disk."""
    if path.exists():
        raise BackupError(f"{path} exists already")
    unfinished = path.with_name(f"{path.name}.unfinished")
    descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        yield file
        file.flush()
        os.fsync(file.fileno())
    unfinished.rename(path)


async def _write(writer: "_Writer", header: Header, archive: Archive) -> Contents:
    writer.line(_header_line(header))
    counts = {}
    for table, columns in kept_tables().items():
        writer.line({"table": table, "columns": columns})
        counts[table] = 0
        async for rows in archive.rows(table):
            for row in rows:
                writer.line(row)
            counts[table] += len(rows)
    writer.finish(counts)
    return Contents(header, counts)


class _Writer:
    def __init__(self, stream: SealingWriter) -> None:
        self._stream = stream
        self._checksum = sha256()

    def line(self, line: Line) -> None:
        encoded = json.dumps(line).encode() + b"\n"
        self._checksum.update(encoded)
        self._stream.write(encoded)

    def finish(self, counts: Mapping[str, int]) -> None:
        self.line({"rows": counts, "sha256": self._checksum.hexdigest()})
        self._stream.finish()


class _Reading:
    """One pass over the file, with no more of it in memory than some hundred rows."""

    def __init__(self, backup: BackupFile) -> None:
        self._backup = backup
        self._checksum = sha256()
        self._header: Header | None = None
        self.counts: dict[str, int] = {}

    @property
    def header(self) -> Header:
        if self._header is None:
            raise BackupError("it holds nothing")
        return self._header

    def parts(self) -> Iterator[Part]:
        table, columns = "", ()
        rows: list[Sequence[object]] = []
        for line in self._lines():
            is_row = isinstance(line, list)
            if rows and (not is_row or len(rows) == ROWS_AT_ONCE):
                yield Part(table, columns, rows)
                rows = []
            if is_row:
                rows.append(line)
                self.counts[table] += 1
            elif "table" in line:
                table, columns = line["table"], tuple(line["columns"])
                self.counts[table] = 0
                yield Part(table, columns, ())

    def _lines(self) -> Iterator[Line]:
        """Yield the lines between the header and the end, and prove the end."""
        encoded = self._encoded_lines()
        first = next(encoded, b"null")
        self._header = _read_header(json.loads(first))
        self._checksum.update(first)
        for raw in encoded:
            line = json.loads(raw)
            if isinstance(line, dict) and "sha256" in line:
                self._require_whole(line)
                return
            self._checksum.update(raw)
            yield line
        raise BackupError("its end is missing")

    def _require_whole(self, end: Line) -> None:
        is_same = hmac.compare_digest(end["sha256"], self._checksum.hexdigest())
        if not is_same or end["rows"] != self.counts:
            raise BackupError("its checksum does not fit")

    def _encoded_lines(self) -> Iterator[bytes]:
        held = b""
        try:
            with self._backup.path.open("rb") as file:
                for piece in open_stream(file, self._backup.secret):
                    *whole, held = (held + piece).split(b"\n")
                    yield from (line + b"\n" for line in whole)
        except StreamError as error:
            raise BackupError(str(error)) from None


def _header_line(header: Header) -> Line:
    position = header.log
    return {
        "format": FORMAT,
        "revision": header.revision,
        "taken_at": header.taken_at.isoformat(),
        "issuer": header.issuer,
        "log": None if position is None else [position.lines, position.mac],
        "sealed_check": b64encode(header.sealed_check).decode(),
        "index_check": b64encode(header.index_check).decode(),
    }


def _read_header(line: Line) -> Header:
    if not isinstance(line, dict) or line.get("format") != FORMAT:
        raise BackupError("it has a form that this version does not know")
    position = line["log"]
    return Header(
        revision=line["revision"],
        taken_at=datetime.fromisoformat(line["taken_at"]),
        issuer=line["issuer"],
        log=None if position is None else LogPosition(*position),
        sealed_check=b64decode(line["sealed_check"]),
        index_check=b64decode(line["index_check"]),
    )


def _require_our_keys(header: Header, sealer: Sealer) -> None:
    if not hmac.compare_digest(header.index_check, sealer.index(_CHECK, _CHECK)):
        raise BackupError("it was made under another CITIZEN_SECRET_KEY")
    try:
        sealer.open(header.sealed_check, _CHECK)
    except UnsealableError:
        raise BackupError("no key of CITIZEN_DATA_KEY opens what is sealed in it") from None
