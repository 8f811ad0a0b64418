"""Describe an authorization request that a client pushed before it sent the browser (RFC 9126)."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from citizen_account.domain.clients import ClientId

# RFC 9126 section 2.2 and FAPI 2.0 section 5.3.2.2 clause 12: less than 600 seconds. It is only
# the way of the browser from the client to us: once it has come, the interaction has its own hour.
PUSHED_LIFETIME = timedelta(seconds=90)


@dataclass(frozen=True, slots=True)
class PushedRequest:
    """A request, read and found good, that waits for the browser."""

    digest: bytes
    """Of the request URI."""
    client_id: ClientId
    parameters: tuple[tuple[str, str], ...]
    """Sealed at rest, as an interaction's are."""
    expires_at: datetime
    used_at: datetime | None

    def is_open_to(self, client_id: ClientId, now: datetime) -> bool:
        # RFC 9126 section 2.2: bound to the client that pushed it.
        return self.client_id == client_id and self.used_at is None and self.expires_at > now
