"""Read the operator's description of a resource server, named as RFC 9728 names things."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from citizen_account.domain.accounts import Level
from citizen_account.domain.assurance import LEVEL_OF_ACR
from citizen_account.domain.claims import API_SCOPES, SCOPES
from citizen_account.domain.clients import ClientId
from citizen_account.domain.keys import LONGEST_TOKEN, SIGNING_ALGORITHMS
from citizen_account.domain.resources import ResourceServer, TokenFormat
from citizen_account.openid.grants import ACCESS_TOKEN_LIFETIME
from citizen_account.openid.metadata_members import Members
from citizen_account.openid.resources import is_resource

SHORTEST, LONGEST = 60, int(LONGEST_TOKEN.total_seconds())
"""Seconds. A JWT that was read by itself cannot be taken back before it ends."""
# RFC 9068 section 2.1 wants RS256 understood, not used: it costs six times as much to sign.
_SIGNED_BY = "ES256"
_LONGEST_AGE = 366 * 24 * 3600


def read_resource_server(
    metadata: Mapping[str, object], issuer: str, now: datetime, previous: ResourceServer | None
) -> ResourceServer:
    """Return the resource server that the metadata describes. Raises: RegistrationError."""
    members = Members(metadata)
    resource = read_resource_id(members)
    if resource == issuer:
        raise members.fail("resource", "is ourselves: tokens without a resource are for us")
    token_format = members.choice("access_token_format", TokenFormat.OPAQUE)
    client_id = members.text("client_id", maximum=255)
    if client_id is None and token_format is TokenFormat.OPAQUE:
        raise members.fail("client_id", "is needed: nobody could introspect its opaque tokens")
    lifetime = _seconds(members, "access_token_lifetime", SHORTEST, LONGEST)
    max_age = _seconds(members, "max_age", 1, _LONGEST_AGE)
    return ResourceServer(
        id=resource,
        name=members.local_text("resource_name", default=resource),
        client_id=None if client_id is None else ClientId(client_id),
        scopes=_scopes(members),
        token_format=token_format,
        signing_algorithm=members.one_of(
            "access_token_signing_alg", SIGNING_ALGORITHMS, _SIGNED_BY
        ),
        token_lifetime=ACCESS_TOKEN_LIFETIME if lifetime is None else lifetime,
        required_level=_level(members),
        max_age=max_age,
        is_disabled=False,
        created_at=now if previous is None else previous.created_at,
    )


def read_resource_id(members: Members) -> str:
    """Return the identifier. Raises: RegistrationError."""
    resource = members.text("resource")
    if resource is None or not is_resource(resource):
        raise members.fail("resource", "must be an absolute URI without a fragment")
    return resource


def _scopes(members: Members) -> frozenset[str]:
    scopes = members.words("scopes_supported")
    if not scopes:
        raise members.fail("scopes_supported", "at least one is needed")
    for scope in scopes:
        # RFC 6749 section 3.3; the resident's claims are read at /userinfo, which is ours.
        if not scope.isascii() or not scope.isprintable() or set(scope) & set(' "\\') or not scope:
            raise members.fail("scopes_supported", "must be words of visible ASCII characters")
        if scope in (*SCOPES, *API_SCOPES):
            raise members.fail("scopes_supported", f"{scope} is of the account itself")
    return frozenset(scopes)


def _level(members: Members) -> Level | None:
    acr = members.one_of("acr", list(LEVEL_OF_ACR), "")
    return LEVEL_OF_ACR[acr] if acr else None


def _seconds(members: Members, name: str, least: int, most: int) -> timedelta | None:
    value = members.raw(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        raise members.fail(name, f"must be a number of seconds from {least} to {most}")
    return timedelta(seconds=value)
