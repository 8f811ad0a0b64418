"""Hold an authorization request to what the resource servers that it names demand."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta

from citizen_account.domain.accounts import Level
from citizen_account.domain.assurance import reaches
from citizen_account.domain.resources import ResourceServer
from citizen_account.openid.authorization import AuthorizationRequest, RefusedToClient
from citizen_account.openid.claims_request import ClaimsRequest
from citizen_account.openid.resources import narrow_scope, refuse_target
from citizen_account.openid.responses import Refused


def require_targets(
    request: AuthorizationRequest, servers: Mapping[str, ResourceServer], issuer: str
) -> AuthorizationRequest | RefusedToClient:
    """Return the request with what the named resource servers demand of the sign-in.

    `servers` are those of the named ones that there are.
    """
    for name in request.resources:
        if name == issuer:
            continue
        # RFC 8707 section 2: what is unknown or shut is an invalid_target.
        if name not in servers:
            return RefusedToClient(request.target, refuse_target())
        narrowed = narrow_scope(" ".join(request.scope), servers[name])
        if isinstance(narrowed, Refused):
            return RefusedToClient(request.target, narrowed.error)
    for server in servers.values():
        request = _with_demands(request, server)
    return request


def _with_demands(request: AuthorizationRequest, server: ResourceServer) -> AuthorizationRequest:
    # RFC 9470 section 5: asked for at once what would be asked for after the first refusal.
    ages = [age for age in (request.max_age, _whole_seconds(server.max_age)) if age is not None]
    return replace(
        request,
        max_age=min(ages, default=None),
        claims=_with_level(request.claims, server.required_level),
    )


def _with_level(claims: ClaimsRequest, least: Level | None) -> ClaimsRequest:
    if least is None:
        return claims
    enough = {level for level in claims.essential_levels if reaches(level, {least})}
    return replace(claims, essential_levels=frozenset(enough or {least}))


def _whole_seconds(age: timedelta | None) -> int | None:
    return None if age is None else int(age.total_seconds())
