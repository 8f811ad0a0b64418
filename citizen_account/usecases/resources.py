"""Let the operator register resource servers, and find those that a request names."""

from collections.abc import Mapping, Sequence

from citizen_account.domain.events import ResourceDisabled, ResourceImported
from citizen_account.domain.resources import ResourceServer
from citizen_account.openid.metadata_members import Members, RegistrationError
from citizen_account.openid.resource_registration import read_resource_id, read_resource_server
from citizen_account.openid.resources import refused_target
from citizen_account.openid.responses import Refused
from citizen_account.storage.unit_of_work import UnitOfWork


async def import_resource(
    uow: UnitOfWork, metadata: Mapping[str, object], issuer: str
) -> ResourceServer:
    """Register the resource server, or register it again. Raises: RegistrationError."""
    previous = await uow.resources.find(read_resource_id(Members(metadata)))
    server = read_resource_server(metadata, issuer, uow.now, previous)
    if server.client_id is not None and await uow.clients.find(server.client_id) is None:
        raise RegistrationError("client_id", f"there is no client {server.client_id}")
    if previous is None:
        await uow.resources.add(server)
    else:
        await uow.resources.replace(server)
    uow.record(ResourceImported(server.id))
    return server


async def list_resources(uow: UnitOfWork) -> Sequence[ResourceServer]:
    return await uow.resources.all()


async def disable_resource(uow: UnitOfWork, resource: str) -> bool:
    """Give no more tokens for it, and tell it nothing of those it has. False: there is none."""
    if not await uow.resources.disable(resource):
        return False
    uow.record(ResourceDisabled(resource))
    return True


async def find_target(uow: UnitOfWork, resource: str | None) -> ResourceServer | Refused | None:
    """Return whom a token is for; None for ourselves."""
    if resource is None:
        return None
    # RFC 8707 section 2: unknown is an invalid_target, and so is what the operator shut.
    return (await uow.resources.find_some([resource])).get(resource) or refused_target()
