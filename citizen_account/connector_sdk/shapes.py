"""Keep the checker of each shape: pydantic builds one slowly and uses it fast."""

from typing import Any, TypeVar

from pydantic import TypeAdapter

T = TypeVar("T")
_KNOWN: dict[object, TypeAdapter[Any]] = {}  # Any: a checker for each shape


def adapter_of(shape: type[T]) -> TypeAdapter[T]:
    """Return the checker of a type, made once."""
    if shape not in _KNOWN:
        _KNOWN[shape] = TypeAdapter(shape)
    return _KNOWN[shape]


def name_of(shape: object) -> str:
    return getattr(shape, "__name__", None) or str(shape)
