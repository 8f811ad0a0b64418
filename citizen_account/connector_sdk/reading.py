"""Read what a source says tolerantly: unknown fields pass, and what does not fit is noted.

A note names the place in the answer and the kind of fault, never the value: it may be personal.
"""

import json
import logging
from collections.abc import Iterable
from datetime import datetime, tzinfo
from typing import TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from citizen_account.connector_sdk.errors import Misconfigured, Unavailable
from citizen_account.connector_sdk.shapes import adapter_of, name_of

Json = dict[str, "Json"] | list["Json"] | str | int | float | bool | None
T = TypeVar("T")
MAXIMUM_DEPTH = 32
# Above this share of records that do not fit, the source speaks another language than the manifest.
TOLERATED_SHARE = 0.5
log = logging.getLogger("citizen_account.connectors")


class Said(BaseModel):
    """A shape of the source's own; name only the fields that you read.

    >>> class Zaak(Said):
    ...     identificatie: str
    >>> read(Zaak, {"identificatie": "2026-7", "onbekend": 1}).identificatie
    '2026-7'
    """

    model_config = ConfigDict(extra="ignore", frozen=True)


class UnreadableError(Exception):
    """An answer cannot be read at all: broken JSON, too large, too deep."""


def read(shape: type[T], value: Json) -> T:
    """Return the value in the shape.

    >>> read(dict[str, int], {"bikes": 4})
    {'bikes': 4}

    Raises:
        Unavailable: when it does not fit.

    """
    try:
        return adapter_of(shape).validate_python(value)
    except ValidationError as error:
        note = _note(error)
    # Raised out here, so that the values in pydantic's error do not hang on to ours.
    log.warning("connector_drift %s: %s", name_of(shape), note)
    raise Unavailable(f"the answer has another shape: {note}")


def read_each(shape: type[T], values: Json) -> list[T]:
    """Return those of a list that fit, and note the others.

    >>> read_each(int, [1, 2, "three"])
    [1, 2]

    Raises:
        Unavailable: when it is no list.
        Misconfigured: when more than half of it does not fit.

    """
    if not isinstance(values, list):
        raise Unavailable("the answer has another shape: a list was expected")
    adapter = adapter_of(shape)
    fitting, notes = [], []
    for value in values:
        try:
            fitting.append(adapter.validate_python(value))
        except ValidationError as error:
            notes.append(_note(error))
    if notes:
        log.warning(
            "connector_drift %s: %d of %d: %s", name_of(shape), len(notes), len(values), notes[0]
        )
    if len(notes) > len(values) * TOLERATED_SHARE:
        raise Misconfigured(f"the source answers in another shape: {notes[0]}")
    return fitting


def _note(error: ValidationError) -> str:
    # Only places and kinds: `input` and `msg` may repeat what the source said.
    faults = error.errors(include_input=False, include_url=False, include_context=False)
    return ", ".join(f"{_place(fault['loc'])} {fault['type']}" for fault in faults[:3])


def _place(location: Iterable[int | str]) -> str:
    return ".".join(str(part) for part in location) or "it"


def aware(moment: datetime, zone: tzinfo) -> datetime:
    """Return the moment with a time zone: the source's own when it named none.

    A time that the autumn's change of clocks makes double is the earlier one.

    >>> from zoneinfo import ZoneInfo
    >>> aware(datetime(2026, 7, 1, 9, 30), ZoneInfo("Europe/Bratislava")).isoformat()
    '2026-07-01T09:30:00+02:00'
    """
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=zone)


def parse_json(raw: bytes) -> Json:
    """Return the JSON in UTF-8, within bounds that every database and page can hold.

    Raises:
        UnreadableError: for anything else.

    """
    try:
        value: Json = json.loads(raw.decode("utf-8-sig"), parse_constant=_refuse)
    except (ValueError, RecursionError):
        raise UnreadableError("the answer is no JSON") from None
    _check(value)
    return value


def _refuse(constant: str) -> float:
    # RFC 8259 section 6: neither infinities nor NaN exist.
    raise ValueError(constant)


def _check(value: Json) -> None:
    layer: list[Json] = [value]
    for _ in range(MAXIMUM_DEPTH):
        below: list[Json] = []
        for part in layer:
            if isinstance(part, dict):
                below += [*part.keys(), *part.values()]
            elif isinstance(part, list):
                below += part
            elif isinstance(part, str) and not _can_be_stored(part):
                raise UnreadableError("the answer holds a character that no text may have")
        if not below:
            return
        layer = below
    raise UnreadableError("the answer is nested too deeply")


def _can_be_stored(text: str) -> bool:
    """Tell whether it has neither NUL, which PostgreSQL refuses, nor half a surrogate pair."""
    return "\0" not in text and not any("\ud800" <= letter <= "\udfff" for letter in text)
