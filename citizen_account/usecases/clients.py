"""Let the operator register services, look at them, and shut one out."""

from collections.abc import Mapping, Sequence

from citizen_account.domain.clients import Client, ClientId
from citizen_account.domain.events import ClientDisabled, ClientImported
from citizen_account.domain.grants import GrantEnd
from citizen_account.openid.metadata_members import Members
from citizen_account.openid.registration import (
    Registration,
    Surroundings,
    read_client_id,
    read_registration,
)
from citizen_account.security.certificates import MutualTls
from citizen_account.security.tokens import new_id, new_secret
from citizen_account.storage.unit_of_work import UnitOfWork

PAGE_SIZE = 200


async def import_client(
    uow: UnitOfWork,
    metadata: Mapping[str, object],
    *,
    is_development: bool,
    mutual_tls: MutualTls | None = None,
) -> Registration:
    """Register the client, or register it again under its id. Raises: RegistrationError."""
    client_id = read_client_id(Members(metadata))
    previous = None if client_id is None else await uow.clients.find(client_id)
    surroundings = Surroundings(is_development, str(new_id()), new_secret(), uow.now, mutual_tls)
    registration = read_registration(metadata, surroundings, previous)
    if previous is None:
        await uow.clients.add(registration.client)
    else:
        await uow.clients.replace(registration.client)
    uow.record(ClientImported(registration.client.id))
    return registration


async def list_clients(uow: UnitOfWork) -> Sequence[Client]:
    """Return every client, in the order of ids."""
    found: list[Client] = []
    after = ""
    while page := await uow.clients.page(after=after, size=PAGE_SIZE):
        found += page
        after = page[-1].id
    return found


async def find_client(uow: UnitOfWork, client_id: str) -> Client | None:
    return await uow.clients.find(ClientId(client_id))


async def disable_client(uow: UnitOfWork, client_id: str) -> bool:
    """Shut the client out and end what it was granted. Say whether there is such a client."""
    found = ClientId(client_id)
    if not await uow.clients.set_disabled(found, is_disabled=True):
        return False
    await uow.grants.end_of_client(found, GrantEnd.CLIENT_DISABLED, uow.now)
    uow.record(ClientDisabled(found))
    return True
