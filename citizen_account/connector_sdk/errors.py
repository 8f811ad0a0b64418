"""Name what can go wrong by what the host does next.

A connector raises one of these; anything else that it raises counts as a bug of the connector.
A reason is for the operator's log: it never holds a name, a reference, a token or an address.
"""

# ruff: noqa: N818 - the names say what the host does next, and read well where they are raised

from collections.abc import Mapping
from types import MappingProxyType
from typing import ClassVar

from citizen_account.connector_sdk.models import Text

NO_FIELDS: Mapping[str, Text] = MappingProxyType({})


class ConnectorError(Exception):
    """What a connector may raise; `code` is stable and the same over HTTP."""

    code: ClassVar[str]


class Unavailable(ConnectorError):
    """The source does not answer now: a read is tried again, the resident sees the last snapshot.

    >>> Unavailable("the register answered 503", retry_after=30).retry_after
    30
    """

    code = "unavailable"

    def __init__(self, reason: str, *, retry_after: float | None = None) -> None:
        super().__init__(reason)
        self.retry_after = retry_after
        """Seconds that the source asked us to wait; None when it did not say."""


class RateLimited(ConnectorError):
    """The source wants fewer calls: nothing is called before `retry_after` seconds are over."""

    code = "rate_limited"

    def __init__(self, retry_after: float) -> None:
        super().__init__(f"asked to wait {retry_after:g} seconds")
        self.retry_after = retry_after


class OutcomeUnknown(ConnectorError):
    """A write was sent and no answer came: it may have happened. Never repeated blindly."""

    code = "outcome_unknown"

    def __init__(self, operation: str) -> None:
        super().__init__(f"no answer to {operation}")
        self.operation = operation


class Refused(ConnectorError):
    """The source said no, for a reason that the resident reads. Never tried again by itself."""

    code = "refused"

    def __init__(self, why: str, text: Text, fields: Mapping[str, Text] = NO_FIELDS) -> None:
        super().__init__(why)
        self.why = why
        """A stable word for the reason, for instance `wrong_secret`; see `protocol`."""
        self.text = text
        self.fields = fields
        """From the name of a field of a form to what is wrong with it."""


class NeedsRelink(ConnectorError):
    """The link no longer holds (an expired grant, another account): the resident links again."""

    code = "needs_relink"


class Gone(ConnectorError):
    """What was asked for existed and does not any more: its card goes away."""

    code = "gone"

    def __init__(self, reason: str = "no longer there") -> None:
        super().__init__(reason)


class Misconfigured(ConnectorError):
    """The operator must act (wrong URL, refused credentials, a source of another shape).

    The connector is hidden from residents and the administrators are told.
    """

    code = "misconfigured"


ERRORS: tuple[type[ConnectorError], ...] = (
    Unavailable,
    RateLimited,
    OutcomeUnknown,
    Refused,
    NeedsRelink,
    Gone,
    Misconfigured,
)
