"""Name the resource servers that a token is for (RFC 8707)."""

from collections.abc import Sequence
from urllib.parse import urlsplit

from authlib.oauth2 import OAuth2Error
from authlib.oauth2.rfc6749.errors import InvalidScopeError

from citizen_account.domain.assurance import reaches
from citizen_account.domain.grants import Grant
from citizen_account.domain.resources import ResourceServer
from citizen_account.openid.responses import Refused

MAXIMUM_RESOURCES = 10
MAXIMUM_CHARACTERS = 2048


class InvalidTargetError(OAuth2Error):
    """RFC 8707 section 2."""

    error = "invalid_target"


def read_resources(values: Sequence[str]) -> tuple[str, ...]:
    """Return each resource once, in the client's order. Raises: InvalidTargetError."""
    named = tuple(dict.fromkeys(value for value in values if value))
    if len(named) > MAXIMUM_RESOURCES or not all(is_resource(name) for name in named):
        raise InvalidTargetError("The resource is malformed.")
    return named


def choose_resource(
    asked: Sequence[str], granted: Sequence[str], issuer: str
) -> str | Refused | None:
    """Return the one resource that an access token is for; None for ourselves, at /userinfo.

    A token for two resources could be used by the one at the other, so there is none. A client
    that asks for itself is granted what it asks for: pass it twice.
    """
    wanted = tuple(asked) or tuple(granted)
    if len(wanted) > 1:
        return Refused(InvalidTargetError("Name one resource: a token is for one."))
    if not wanted or wanted[0] == issuer:
        return None
    # RFC 8707 section 2.2: no other than those of the authorization.
    return wanted[0] if wanted[0] in granted else refused_target()


def narrow_scope(scope: str, server: ResourceServer) -> str | Refused:
    """Return the part of a scope that the resource server understands (RFC 8707 section 2.2)."""
    narrowed = " ".join(name for name in scope.split() if name in server.scopes)
    return narrowed or Refused(InvalidScopeError("The resource knows nothing of the scope."))


def refuse_below(server: ResourceServer | None, grant: Grant) -> Refused | None:
    """Refuse a token that the resource server would send back at once (RFC 9470 section 3)."""
    if server is None or server.required_level is None:
        return None
    if grant.level is not None and reaches(grant.level, {server.required_level}):
        return None
    return Refused(InvalidTargetError("The resource asks for a stronger sign-in of a resident."))


def refuse_target() -> InvalidTargetError:
    return InvalidTargetError("The resource is unknown, or was not granted.")


def refused_target() -> Refused:
    return Refused(refuse_target())


def is_resource(name: str) -> bool:
    """Say whether it can name a resource."""
    # RFC 8707 section 2: an absolute URI without a fragment.
    if len(name) > MAXIMUM_CHARACTERS or not name.isascii() or not name.isprintable():
        return False
    try:
        parts = urlsplit(name)
    except ValueError:
        return False
    return bool(parts.scheme) and "#" not in name and " " not in name
