"""Find out what a browser's authorization request asks for, pushed before or not."""

from dataclasses import dataclass
from datetime import datetime

from citizen_account.domain.clients import Client
from citizen_account.domain.errors import DomainError, ErrorCode
from citizen_account.domain.interactions import INTERACTION_LIFETIME, Interaction
from citizen_account.openid.authorization import (
    AuthorizationRequest,
    Parameters,
    RefusedToClient,
    find_client_id,
    read_authorization_request,
)
from citizen_account.openid.pushed_requests import find_reference
from citizen_account.openid.resources import refuse_target
from citizen_account.security.tokens import digest
from citizen_account.storage.unit_of_work import UnitOfWork


@dataclass(frozen=True, slots=True)
class Requested:
    """An authorization request as the client made it."""

    parameters: Parameters
    pushed: bytes | None
    """The digest of the request URI by which it came."""

    @classmethod
    def of(cls, interaction: Interaction) -> "Requested":
        return cls(interaction.parameters, interaction.pushed)


async def find_requested(uow: UnitOfWork, parameters: Parameters) -> Requested:
    """Return the pushed request that the parameters name, or the parameters themselves.

    A visit uses nothing up: a page is loaded again, a link is looked at before it is opened.
    Raises: request_malformed, client_unknown, request_uri_invalid.
    """
    reference = find_reference(parameters)
    if reference is None:
        return Requested(parameters, None)
    client_id = find_client_id(parameters)
    found = await uow.pushed_requests.find(digest(reference))
    if found is None or not found.is_open_to(client_id, uow.now):
        raise DomainError(ErrorCode.REQUEST_URI_INVALID)
    # RFC 9101 section 6.3: nothing of what stands beside the request URI counts.
    return Requested(found.parameters, found.digest)


async def read_requested(
    uow: UnitOfWork, requested: Requested
) -> tuple[Client, AuthorizationRequest | RefusedToClient]:
    """Return the client, and what it asks for.

    Raises: request_malformed, client_unknown, redirect_uri_unregistered.
    """
    client = await uow.clients.find(find_client_id(requested.parameters))
    is_pushed = requested.pushed is not None
    request = read_authorization_request(requested.parameters, client, is_pushed=is_pushed)
    assert client is not None  # noqa: S101  # the line before has refused
    if isinstance(request, RefusedToClient) or not request.resources:
        return client, request
    # RFC 8707 section 2: a resource that we do not know is an invalid_target. We know none.
    return client, RefusedToClient(request.target, refuse_target())


async def use_up_pushed(uow: UnitOfWork, requested: Requested) -> bool:
    """Use up the request URI, as the client is answered now. Of all callers at once one gets True.

    Always True for a request that was not pushed.
    """
    return requested.pushed is None or await uow.pushed_requests.use(requested.pushed, uow.now)


async def decide_interaction(uow: UnitOfWork, interaction: Interaction) -> bool:
    """Use up the interaction and the request URI by which it came. Of all callers one gets True."""
    if not await uow.interactions.decide(interaction.id, uow.now):
        return False
    # Two visits by one request URI begin two interactions: the first to be decided wins.
    return await use_up_pushed(uow, Requested.of(interaction))


async def forget_old_requests(uow: UnitOfWork) -> None:
    """Drop pushed requests that no interaction can finish any more."""
    await uow.pushed_requests.forget_before(_limit(uow.now))


def _limit(now: datetime) -> datetime:
    return now - INTERACTION_LIFETIME
