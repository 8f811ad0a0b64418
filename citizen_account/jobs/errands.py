"""Say what a handler may answer instead of success."""

from collections.abc import Awaitable, Callable

from citizen_account.bootstrap import Runtime
from citizen_account.domain.errands import Errand

Handler = Callable[[Runtime, Errand], Awaitable[None]]


class Retry(Exception):  # noqa: N818  # an answer, no error
    """The peer is away or asks to wait: try again by the schedule. The reason holds ids only."""


class Park(Exception):  # noqa: N818  # an answer, no error
    """Trying again is useless: a person must look. The reason holds ids only."""
