"""Follow a request through the account, where an operator collects traces; else do nothing."""

from collections.abc import Mapping
from contextlib import AbstractContextManager
from typing import Protocol


class Span(Protocol):
    """A piece of work with a beginning and an end. It holds ids and routes, nothing personal."""

    def name(self, text: str) -> None: ...

    def note(self, facts: Mapping[str, str | int]) -> None: ...


class Tracer(Protocol):
    def span(self, name: str, parent: str = "") -> AbstractContextManager[Span]:
        """Open a span; `parent` is a `traceparent` header that can be believed."""
        ...

    def close(self) -> None:
        """Send what waits to be sent."""
        ...


def open_tracer(url: str) -> Tracer | None:
    """Return a tracer that sends to this OTLP address; None where there is none.

    Raises: ValueError where the packages are not installed.
    """
    if not url:
        return None
    try:
        # Only here: who collects no traces neither installs nor loads them.
        from citizen_account.telemetry.otlp import OtlpTracer  # noqa: PLC0415  # as said above
    except ImportError:
        raise ValueError(
            "CITIZEN_TRACES_URL needs more packages: pip install 'citizen-account[otel]'"
        ) from None
    return OtlpTracer.sending_to(url)
