"""Name the resource servers that a token is for (RFC 8707)."""

from collections.abc import Sequence
from urllib.parse import urlsplit

from authlib.oauth2 import OAuth2Error

from citizen_account.openid.responses import Refused

MAXIMUM_RESOURCES = 10
MAXIMUM_CHARACTERS = 2048


class InvalidTargetError(OAuth2Error):
    """RFC 8707 section 2."""

    error = "invalid_target"


def read_resources(values: Sequence[str]) -> tuple[str, ...]:
    """Return each resource once, in the client's order. Raises: InvalidTargetError."""
    named = tuple(dict.fromkeys(value for value in values if value))
    if len(named) > MAXIMUM_RESOURCES or not all(_is_absolute(name) for name in named):
        raise InvalidTargetError("The resource is malformed.")
    return named


def choose_resource(
    asked: Sequence[str], granted: Sequence[str], issuer: str
) -> str | Refused | None:
    """Return the one resource that an access token is for; None for ourselves, at /userinfo.

    A token for two resources could be used by the one at the other, so there is none.
    """
    wanted = tuple(asked) or tuple(granted)
    if len(wanted) > 1:
        return Refused(InvalidTargetError("Name one resource: a token is for one."))
    if not wanted or wanted[0] == issuer:
        return None
    # RFC 8707 section 2.2: no other than those of the authorization.
    if granted and wanted[0] not in granted:
        return refused_target()
    return wanted[0]


def refuse_target() -> InvalidTargetError:
    return InvalidTargetError("The resource is unknown, or was not granted.")


def refused_target() -> Refused:
    return Refused(refuse_target())


def _is_absolute(name: str) -> bool:
    # RFC 8707 section 2: an absolute URI without a fragment.
    if len(name) > MAXIMUM_CHARACTERS or not name.isascii() or not name.isprintable():
        return False
    try:
        parts = urlsplit(name)
    except ValueError:
        return False
    return bool(parts.scheme) and "#" not in name and " " not in name
