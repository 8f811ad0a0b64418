"""Append to a file, outside the database, what a restored backup must not bring back.

Each line is a JSON object of ids; its `mac` covers the line and the mac of the line before it.
"""

import fcntl
import hmac
import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import BinaryIO

from citizen_account.domain.revocations import Revocation

BEGINNING = "0" * 64
_TAIL_BYTES = 64 * 1024


class RevocationLogError(OSError):
    """The file is not what we wrote; says where."""


@dataclass(frozen=True, slots=True)
class LogPosition:
    """How far the log had come: what a backup remembers of the log beside it."""

    lines: int = 0
    mac: str = BEGINNING


class RevocationLog:
    """One file for all processes of a machine; they take turns by locking it."""

    def __init__(self, path: Path, key: bytes) -> None:
        self.path = path
        self._key = key

    def append(self, revocations: Sequence[Revocation]) -> None:
        """Add lines that survive a crash. Raises: RevocationLogError, OSError."""
        descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o600)
        with os.fdopen(descriptor, "r+b") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            mac = _end_of(file)
            for revocation in revocations:
                line, mac = self._line(revocation, mac)
                file.write(line)
            file.flush()
            os.fsync(file.fileno())

    def read(self) -> Iterator[tuple[LogPosition, Revocation]]:
        """Yield every line with the position behind it. Raises: RevocationLogError, OSError."""
        before = BEGINNING
        with self.path.open("rb") as file:
            for number, line in enumerate(file, start=1):
                if not line.endswith(b"\n"):
                    # Cut off by a crash: nobody was told that it was kept.
                    return
                revocation = _parse(line, number)
                expected, before = self._line(revocation, before)
                if not hmac.compare_digest(line, expected):
                    raise RevocationLogError(f"line {number} is not as it was written")
                yield LogPosition(number, before), revocation

    def position(self) -> LogPosition:
        """Return the end of the log; a file that is not there yet is at its beginning.

        Raises: RevocationLogError, OSError.
        """
        if not self.path.exists():
            return LogPosition()
        found = LogPosition()
        for found, _ in self.read():  # noqa: B007  # the last one is used
            pass
        return found

    def since(self, position: LogPosition, instant: datetime) -> Iterator[Revocation]:
        """Yield what was written behind the position, or happened since the instant.

        Raises: OSError; RevocationLogError too when the log never stood at the position: it is
        another one, or its end is gone.
        """
        was_met = position.lines == 0
        for place, revocation in self.read():
            was_met = was_met or place == position
            if place.lines > position.lines or revocation.at >= instant:
                yield revocation
        if not was_met:
            raise RevocationLogError("it is not the log that the backup was made beside")

    def _line(self, revocation: Revocation, before: str) -> tuple[bytes, str]:
        facts = {
            "at": revocation.at.isoformat(),
            "kind": revocation.kind,
            "facts": dict(sorted(revocation.facts.items())),
        }
        text = before + json.dumps(facts)
        mac = hmac.new(self._key, text.encode(), sha256).hexdigest()
        return json.dumps(facts | {"mac": mac}).encode() + b"\n", mac


def _parse(line: bytes, number: int) -> Revocation:
    try:
        plain = json.loads(line)
        at = datetime.fromisoformat(plain["at"])
        return Revocation(at, plain["kind"], plain["facts"])
    except (ValueError, KeyError, TypeError):
        raise RevocationLogError(f"line {number} cannot be read") from None


def _end_of(file: BinaryIO) -> str:
    """Go behind the last whole line and return its mac; what a crash left half is cut off."""
    end = file.seek(0, os.SEEK_END)
    start = max(0, end - _TAIL_BYTES)
    file.seek(start)
    tail = file.read()
    whole = tail[: tail.rfind(b"\n") + 1]
    if len(whole) < len(tail):
        file.truncate(start + len(whole))
    file.seek(start + len(whole))
    if not whole:
        return BEGINNING
    try:
        return str(json.loads(whole.splitlines()[-1])["mac"])
    except (ValueError, KeyError, TypeError):
        raise RevocationLogError("its last line cannot be read") from None
