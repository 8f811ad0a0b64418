"""Say what holds for transactions: no network inside, and of those who come at once one wins."""

from contextvars import ContextVar

in_transaction: ContextVar[bool] = ContextVar("in_transaction", default=False)


class NetworkInTransactionError(RuntimeError):
    """A programming error: a slow peer would hold the database's locks."""


class LostRaceError(Exception):
    """Somebody used first what may be used once. Nothing was kept: who asks again finds it used."""


def require_no_transaction() -> None:
    """Raise NetworkInTransactionError while a unit of work is open."""
    if in_transaction.get():
        raise NetworkInTransactionError("no network inside a transaction")
