"""Keep the clients that were read lately, with the version that their rows had."""

import time
from collections.abc import Hashable
from dataclasses import dataclass

from citizen_account.domain.clients import Client
from citizen_account.domain.resources import ResourceServer

MOST = 512
"""Are kept; with one more all are forgotten, and read again."""
MAX_AGE_SECONDS = 60.0
"""PostgreSQL counts its versions round in a circle (section 25.1.5): far more than a minute."""

Found = tuple[Client, ResourceServer | None]


@dataclass(frozen=True, slots=True)
class Known:
    found: Found
    version: str
    until: float


class Recollection:
    """Nothing may rest on it that does not also ask the database for the version."""

    def __init__(self) -> None:
        self._known: dict[Hashable, Known] = {}

    def recall(self, key: Hashable) -> Known | None:
        known = self._known.get(key)
        return None if known is None or known.until < time.monotonic() else known

    def keep(self, key: Hashable, found: Found, version: str) -> None:
        if len(self._known) >= MOST:
            self._known.clear()
        self._known[key] = Known(found, version, time.monotonic() + MAX_AGE_SECONDS)

    def forget(self) -> None:
        """Forget all: something of it has changed, or another server may answer from now on."""
        self._known.clear()
