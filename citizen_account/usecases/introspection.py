"""Tell a client what its tokens are worth, and take back what it no longer wants."""

from collections.abc import Mapping
from dataclasses import dataclass

from citizen_account.domain.clients import AuthenticationMethod, Client
from citizen_account.domain.events import GrantRevoked
from citizen_account.domain.grants import GrantEnd, PresentedToken, TokenKind
from citizen_account.openid.client_authentication import refuse_client
from citizen_account.openid.introspection import describe_token
from citizen_account.openid.provider import Provider
from citizen_account.openid.requests import PresentedRequest
from citizen_account.openid.responses import Refused
from citizen_account.security.certificates import Certificate
from citizen_account.security.tokens import digest
from citizen_account.storage.unit_of_work import UnitOfWork
from citizen_account.usecases.client_authentication import authenticate_client


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
    client = await authenticate_client(uow, request.credentials, provider, certificate)
    if isinstance(client, Refused):
        return client
    # RFC 7662 section 2.1: who asks must prove who he is, or tokens could be tried out here.
    if client.authentication_method is AuthenticationMethod.NONE:
        return refuse_client(request.credentials)
    presented = await uow.grants.find_token(digest(request.token))
    return Introspected(client, describe_token(provider, client, presented, now=uow.now))


async def revoke(
    uow: UnitOfWork,
    request: PresentedRequest,
    provider: Provider,
    certificate: Certificate | None = None,
) -> Refused | None:
    """End the token (RFC 7009 section 2.1). None: it is worth nothing any more, or never was."""
    client = await authenticate_client(uow, request.credentials, provider, certificate)
    if isinstance(client, Refused):
        return client
    presented = await uow.grants.find_token(digest(request.token))
    # RFC 7009 section 2.2: an unknown token is no error; another client's looks the same, so that
    # nobody learns of it here, and stays as it is.
    if presented is not None and presented.grant.client_id == client.id:
        await _end(uow, presented)
    return None


async def _end(uow: UnitOfWork, presented: PresentedToken) -> None:
    if presented.token.kind is TokenKind.ACCESS:
        await uow.grants.use_token(presented.token.digest, uow.now)
        return
    # RFC 7009 section 2.1: with the refresh token goes all that the grant gave.
    grant = presented.grant
    if await uow.grants.end(grant.id, GrantEnd.REVOKED, uow.now):
        uow.record(GrantRevoked(grant.account_id, grant.client_id, grant.id))
