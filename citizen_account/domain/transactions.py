"""Tell whether the running task has a transaction open: the network must wait until it is over."""

from contextvars import ContextVar

in_transaction: ContextVar[bool] = ContextVar("in_transaction", default=False)


class NetworkInTransactionError(RuntimeError):
    """A programming error: a slow peer would hold the database's locks."""


def require_no_transaction() -> None:
    """Raise NetworkInTransactionError while a unit of work is open."""
    if in_transaction.get():
        raise NetworkInTransactionError("no network inside a transaction")
