"""Tell a client what its tokens are worth, and take back what it no longer wants."""

from collections.abc import Mapping
from dataclasses import dataclass

from citizen_account.domain.clients import AuthenticationMethod, Client
from citizen_account.domain.events import GrantRevoked
from citizen_account.domain.grants import GrantEnd, PresentedToken, TokenKind
from citizen_account.openid.client_authentication import refuse_client
from citizen_account.openid.introspection import INACTIVE, Asker, describe_token, find_asker
from citizen_account.openid.provider import Provider
from citizen_account.openid.requests import PresentedRequest
from citizen_account.openid.responses import Refused
from citizen_account.openid.self_contained import read_self_contained
from citizen_account.security.certificates import Certificate
from citizen_account.security.tokens import digest
from citizen_account.storage.unit_of_work import UnitOfWork
from citizen_account.usecases.client_authentication import authenticate_found


@dataclass(frozen=True, slots=True)
class Introspected:
    client: Client
    described: Mapping[str, object]


async def introspect(
    uow: UnitOfWork,
    request: PresentedRequest,
    provider: Provider,
    certificate: Certificate | None = None,
) -> Introspected | Refused:
    """Return what RFC 7662 section 2.2 says of the token."""
    credentials = request.credentials
    found, presented = await uow.presented.token(credentials.client_id, digest(request.token))
    client = await authenticate_found(uow, found, credentials, provider, certificate)
    if isinstance(client, Refused):
        return client
    # RFC 7662 section 2.1: who asks must prove who he is, or tokens could be tried out here.
    if client.authentication_method is AuthenticationMethod.NONE:
        return refuse_client(credentials)
    presented = presented or read_self_contained(provider, request.token)
    if presented is None:
        return Introspected(client, INACTIVE)
    asker = await _find_asker(uow, client, presented)
    return Introspected(client, describe_token(provider, asker, presented, now=uow.now))


async def revoke(
    uow: UnitOfWork,
    request: PresentedRequest,
    provider: Provider,
    certificate: Certificate | None = None,
) -> Refused | None:
    """End the token (RFC 7009 section 2.1). None: it is worth nothing any more, or never was."""
    credentials = request.credentials
    found, presented = await uow.presented.token(credentials.client_id, digest(request.token))
    client = await authenticate_found(uow, found, credentials, provider, certificate)
    if isinstance(client, Refused):
        return client
    presented = presented or read_self_contained(provider, request.token)
    # RFC 7009 section 2.2: an unknown token is no error; another client's looks the same, so that
    # nobody learns of it here, and stays as it is.
    if presented is not None and presented.grant.client_id == client.id:
        await _end(uow, presented)
    return None


async def _find_asker(uow: UnitOfWork, client: Client, presented: PresentedToken) -> Asker | None:
    resource, owner_id = presented.token.resource, presented.grant.client_id
    if owner_id == client.id:
        return find_asker(client, presented, None, client)
    if resource is None:
        return None
    server = await uow.resources.find(resource)
    return find_asker(client, presented, server, await uow.clients.find(owner_id))


async def _end(uow: UnitOfWork, presented: PresentedToken) -> None:
    if presented.is_self_contained:
        # Nothing needs to be remembered of one that has expired.
        if presented.is_alive(uow.now):
            await uow.grants.add_revoked(presented, uow.now)
        return
    if presented.token.kind is TokenKind.ACCESS:
        await uow.grants.use_token(presented.token.digest, uow.now)
        return
    # RFC 7009 section 2.1: with the refresh token goes all that the grant gave.
    grant = presented.grant
    if await uow.grants.end(grant.id, GrantEnd.REVOKED, uow.now):
        uow.record(GrantRevoked(grant.account_id, grant.client_id, grant.id))
