"""Name what an operator did to the account as a whole, for the audit trail."""

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar


@dataclass(frozen=True, slots=True)
class KeyRevoked:
    """A signing key may have leaked: it is gone at once, and another one signs."""

    code: ClassVar = "key_revoked"
    has_follow_up: ClassVar = False
    account_id: ClassVar = None
    algorithm: str
    kid: str


@dataclass(frozen=True, slots=True)
class BackupTaken:
    code: ClassVar = "backup_taken"
    has_follow_up: ClassVar = False
    account_id: ClassVar = None
    taken_at: datetime


@dataclass(frozen=True, slots=True)
class DatabaseRestored:
    """The rows before this one are those of the backup, but for what was revoked since."""

    code: ClassVar = "database_restored"
    has_follow_up: ClassVar = False
    account_id: ClassVar = None
    taken_at: datetime
    revocations: int
