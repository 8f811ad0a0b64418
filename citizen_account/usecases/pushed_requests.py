"""Take an authorization request by the back door, where the client proves who it is (RFC 9126)."""

from dataclasses import dataclass

from citizen_account.domain.errors import DomainError
from citizen_account.domain.pushed_requests import PUSHED_LIFETIME, PushedRequest
from citizen_account.openid.authorization import RefusedToClient
from citizen_account.openid.provider import Provider
from citizen_account.openid.pushed_requests import (
    PREFIX,
    PushRequest,
    open_request_object,
    refuse_push,
)
from citizen_account.openid.responses import Refused
from citizen_account.openid.sender import Presentation
from citizen_account.security.tokens import digest, new_secret
from citizen_account.storage.unit_of_work import UnitOfWork
from citizen_account.usecases.client_authentication import authenticate_client
from citizen_account.usecases.requested import Requested, read_requested
from citizen_account.usecases.senders import bind_to_sender


@dataclass(frozen=True, slots=True)
class Pushed:
    """Where the request waits, in clear, on its only way out."""

    request_uri: str
    lifetime_seconds: int


async def push_request(
    uow: UnitOfWork, request: PushRequest, provider: Provider, presentation: Presentation
) -> Pushed | Refused:
    """Keep the request if /authorize would take it. A refusal is a value: the proof is used up."""
    client = await authenticate_client(uow, request.credentials, provider, presentation.certificate)
    if isinstance(client, Refused):
        return client
    parameters = open_request_object(request.parameters, client, provider.issuer, now=uow.now)
    if isinstance(parameters, Refused):
        return parameters
    # RFC 9449 section 10.1: the code is for the key that pushed the request.
    bound = await bind_to_sender(uow, provider, client, presentation, parameters)
    if isinstance(bound, Refused):
        return bound
    name = new_secret()
    kept = PushedRequest(
        digest=digest(PREFIX + name),
        client_id=client.id,
        parameters=tuple(bound),
        expires_at=uow.now + PUSHED_LIFETIME,
        used_at=None,
    )
    try:
        _, read = await read_requested(uow, Requested(bound, kept.digest))
    except DomainError as error:
        return refuse_push(error)
    if isinstance(read, RefusedToClient):
        return Refused(read.error)
    await uow.pushed_requests.add(kept)
    return Pushed(PREFIX + name, int(PUSHED_LIFETIME.total_seconds()))
