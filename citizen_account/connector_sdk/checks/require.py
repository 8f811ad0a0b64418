"""State what must hold, also where Python is told to skip its own assertions."""

from typing import TypeVar

T = TypeVar("T")


def require(holds: object, otherwise: str) -> None:
    """Raise AssertionError with the text unless it holds."""
    if not holds:
        raise AssertionError(otherwise)


def is_a(kind: type[T], value: object) -> T:
    """Return the value, known to be of the kind."""
    if not isinstance(value, kind):
        raise AssertionError(f"{type(value).__name__} where {kind.__name__} was due")  # noqa: TRY004  # a failed check
    return value
