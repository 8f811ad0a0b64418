"""Write the models as JSON and read them back: for snapshots, and for a connector over HTTP.

Reading checks everything that the types promise, so that a page can trust what it shows.
"""

from typing import TypeVar

from pydantic import ValidationError
from pydantic_core import PydanticSerializationError

from citizen_account.connector_sdk.shapes import adapter_of, name_of

T = TypeVar("T")


class WireError(ValueError):
    """What is there is not what the types promise. Names places and kinds, never values."""


def dump(value: T, shape: type[T]) -> bytes:
    """Return the value as JSON.

    >>> from citizen_account.connector_sdk.models import Money
    >>> dump(Money(1250, "EUR"), Money)
    b'{"amount_minor":1250,"currency":"EUR"}'

    Raises:
        WireError: when it has another shape.

    """
    try:
        return adapter_of(shape).dump_json(value, warnings="error")
    except (PydanticSerializationError, TypeError, AttributeError, ValueError) as error:
        raise WireError(f"cannot be written as {name_of(shape)}") from error


def load(raw: bytes, shape: type[T]) -> T:
    """Return the value that the JSON stands for.

    >>> from citizen_account.connector_sdk.models import Money
    >>> load(b'{"amount_minor": 1250, "currency": "EUR"}', Money)
    Money(amount_minor=1250, currency='EUR')

    Raises:
        WireError: when it has another shape.

    """
    try:
        return adapter_of(shape).validate_json(raw)
    except ValidationError as error:
        faults = error.errors(include_input=False, include_url=False, include_context=False)
        place = ".".join(str(part) for part in faults[0]["loc"]) or name_of(shape)
        fault = f"{place}: {faults[0]['type']}"
    raise WireError(fault)


def checked(value: T, shape: type[T]) -> T:
    """Return an equal value in which every part is what the types promise.

    Python does not check dataclasses: a connector may have put anything into one.

    Raises:
        WireError: when it has another shape.

    """
    return load(dump(value, shape), shape)
