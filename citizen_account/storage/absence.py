"""Tell a database that is away from a mistake of ours."""

from collections.abc import Iterator
from contextlib import contextmanager
from sqlite3 import SQLITE_ERROR, SQLITE_READONLY
from sqlite3 import Error as SqliteError
from sqlite3 import OperationalError as SqliteOperationalError

from asyncpg import InterfaceError, InternalClientError, PostgresError
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from citizen_account.domain.errors import DomainError, ErrorCode

# PostgreSQL appendix A: connection lost, resources used up, shutting down or starting, no such
# database, no right to log in.
_AWAY = ("08", "53", "57P", "3D", "28")

# A wrong statement, or one that writes where only reading is allowed.
_MISTAKES = frozenset({SQLITE_ERROR, SQLITE_READONLY})
_OF_DATABASES = (
    OSError,
    DBAPIError,
    InterfaceError,
    InternalClientError,
    PoolTimeoutError,
    PostgresError,
    SqliteError,
)


@contextmanager
def noticing_absence() -> Iterator[None]:
    """Say `temporarily_unavailable` when the database is away, and pass all else on.

    A disk that cannot be written (the log of revocations) counts as well: try again later.
    """
    try:
        yield
    except Exception as error:
        raise_if_absent(error)
        raise


def raise_if_absent(error: Exception) -> None:
    """Raise `temporarily_unavailable` if that is what the error comes from."""
    if isinstance(error, _OF_DATABASES) and is_absence(error):
        why = type(error).__name__
        raise DomainError(ErrorCode.TEMPORARILY_UNAVAILABLE, why=why) from error


def is_absence(error: Exception) -> bool:
    """Say whether the database is away, or the disk; else what was asked of it was wrong."""
    if isinstance(error, OSError | PoolTimeoutError):
        return True
    if isinstance(error, DBAPIError) and error.connection_invalidated:
        return True
    cause = getattr(error, "orig", error)
    if isinstance(cause, InternalClientError):
        # asyncpg's word for a connection that is just being told of its end.
        return True
    if isinstance(cause, InterfaceError):
        # Said of a connection that was lost before the statement; else it is a mistake of ours.
        return "closed" in str(cause)
    if isinstance(cause, SqliteError):
        # The file is gone, locked or unreadable, or the disk is full.
        code = getattr(cause, "sqlite_errorcode", SQLITE_ERROR)
        return isinstance(cause, SqliteOperationalError) and code not in _MISTAKES
    return str(getattr(cause, "sqlstate", None)).startswith(_AWAY)
