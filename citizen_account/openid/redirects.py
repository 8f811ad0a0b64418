"""Say whether a browser may be sent to an address: the letter decides, but for one exception."""

import re
from collections.abc import Mapping

from citizen_account.domain.clients import Client, ClientProfile

NATIVE = "native"
_MOST = 65_535
# RFC 8252 section 7.3: the addresses themselves; section 8.3 warns of the name localhost.
_LOOPBACK = re.compile(r"(http://(?:127\.0\.0\.1|\[::1\]))(?::([0-9]{1,5}))?((?:[/?].*)?)")


def is_registered(client: Client, redirect_uri: str) -> bool:
    """Say whether the client registered the address, or the same one with another port."""
    # RFC 9700 section 4.1.3, OIDC Core section 3.1.2.1: the exact string, character by character.
    if redirect_uri in client.redirect_uris:
        return True
    # RFC 8252 section 7.3: a program listens at whatever port the system gives it.
    if not _is_native(client.metadata) or client.profile is ClientProfile.HIGH:
        return False
    asked = _without_port(redirect_uri)
    return asked is not None and asked in {_without_port(uri) for uri in client.redirect_uris}


def _is_native(metadata: Mapping[str, object]) -> bool:
    return metadata.get("application_type") == NATIVE


def _without_port(address: str) -> tuple[str, str] | None:
    """Return the address but for its port; None where it is no loopback one."""
    found = _LOOPBACK.fullmatch(address)
    if found is None or not address.isascii() or not address.isprintable():
        return None
    origin, port, rest = found.groups()
    # A port is one number in one spelling.
    if port is not None and (port.startswith("0") or int(port) > _MOST):
        return None
    return origin, rest
