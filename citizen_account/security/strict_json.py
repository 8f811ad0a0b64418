"""Read JSON that a stranger wrote, in the narrow form that everybody reads alike (RFC 7493)."""

import json
from collections.abc import Iterator, Sequence

MAX_DEPTH = 16
"""No JWT needs a tenth part of it."""
LARGEST_NUMBER = 2**53
"""RFC 7493 section 2.2: beyond, readers take a number for another one."""


def read_object(raw: bytes) -> dict[str, object]:
    """Return a JSON object. Raises: ValueError for whatever else it is.

    No name twice, no NaN or Infinity, no number and no nest that is out of all bounds, no half of
    a surrogate pair, no NUL.
    """
    try:
        read = json.loads(raw, object_pairs_hook=_object)
    except RecursionError:
        raise ValueError("nested too deeply") from None
    if not isinstance(read, dict):
        raise ValueError("no object")  # noqa: TRY004  # of what is read, not of what is passed
    _require_readable(read)
    return read


def _object(pairs: Sequence[tuple[str, object]]) -> dict[str, object]:
    members = dict(pairs)
    # RFC 7493 section 2.3, RFC 7515 section 4, RFC 7519 section 4.
    if len(members) != len(pairs):
        raise ValueError("a name stands twice")
    return members


def _require_readable(whole: dict[str, object]) -> None:
    layer: list[object] = [whole]
    for _ in range(MAX_DEPTH):
        layer = [part for each in layer for part in _parts(each)]
        if not layer:
            return
    raise ValueError("nested too deeply")


def _parts(value: object) -> Iterator[object]:
    match value:
        case dict():
            yield from value
            yield from value.values()
        case list():
            yield from value
        case str():
            # RFC 7493 section 2.1. PostgreSQL takes no NUL.
            if "\0" in value or any("\ud800" <= letter <= "\udfff" for letter in value):
                raise ValueError("a character that no text may have")
        # NaN is not within any bounds.
        case int() | float() if not -LARGEST_NUMBER <= value <= LARGEST_NUMBER:
            raise ValueError("a number out of all bounds")
