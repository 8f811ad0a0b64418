"""Write a connector's answers as JSON, and read them back."""

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError

from citizen_account.connector_sdk.models import Case, Entitlement, Place

R = TypeVar("R")
_CASES = TypeAdapter(tuple[Case, ...])
_ENTITLEMENTS = TypeAdapter(tuple[Entitlement, ...])
_PLACES = TypeAdapter(tuple[Place, ...])
_ADAPTERS: Mapping[str, TypeAdapter[Any]] = {  # Any: each capability has records of its own
    "cases": _CASES,
    "entitlements": _ENTITLEMENTS,
}
STORED_CAPABILITIES = tuple(_ADAPTERS)
"""What is kept as snapshots; everything else is asked when it is needed."""


def encode(capability: str, records: Sequence[Case] | Sequence[Entitlement]) -> bytes:
    """Return the records as JSON. Raises: KeyError for a capability that is not stored."""
    return _ADAPTERS[capability].dump_json(tuple(records))


def decode_cases(payload: bytes | None) -> tuple[Case, ...]:
    """Read cases; what an older version wrote otherwise counts as not yet fetched."""
    return _decode(_CASES, payload)


def decode_entitlements(payload: bytes | None) -> tuple[Entitlement, ...]:
    """Read entitlements; see `decode_cases`."""
    return _decode(_ENTITLEMENTS, payload)


def encode_places(records: Sequence[Place]) -> bytes:
    return _PLACES.dump_json(tuple(records))


def decode_places(payload: bytes) -> tuple[Place, ...]:
    """Read public places; see `decode_cases`."""
    return _decode(_PLACES, payload)


def _decode(adapter: TypeAdapter[tuple[R, ...]], payload: bytes | None) -> tuple[R, ...]:
    if payload is None:
        return ()
    try:
        return adapter.validate_json(payload)
    except ValidationError:
        return ()
