"""Let administrators decide which services that registered themselves come in."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from citizen_account.domain.accounts import AccountId
from citizen_account.domain.clients import Approval, Client, ClientId
from citizen_account.domain.errors import DomainError, ErrorCode
from citizen_account.domain.events import ClientDecided
from citizen_account.domain.grants import GrantEnd
from citizen_account.domain.registrations import ClientRegistration
from citizen_account.storage.unit_of_work import UnitOfWork


@dataclass(frozen=True, slots=True)
class Applicant:
    """A client that waits, or waited, for an administrator."""

    client: Client
    registration: ClientRegistration


async def list_waiting(uow: UnitOfWork, size: int) -> Sequence[tuple[datetime, Client]]:
    """Return who waits and since when, the longest first."""
    return await uow.registrations.queue(size)


async def find_applicant(uow: UnitOfWork, client_id: ClientId) -> Applicant:
    """Return a client that registered itself. Raises: not_found."""
    client = await uow.clients.find(client_id)
    registration = await uow.registrations.find(client_id)
    if client is None or registration is None:
        raise DomainError(ErrorCode.NOT_FOUND)
    return Applicant(client, registration)


async def let_in(uow: UnitOfWork, staff_id: AccountId, client_id: ClientId, reason: str) -> bool:
    """Let residents sign in there. False when somebody else has decided."""
    if not await uow.clients.decide(client_id, Approval.APPROVED, is_disabled=False):
        return False
    await _note(uow, staff_id, client_id, Approval.APPROVED, reason)
    return True


async def refuse(uow: UnitOfWork, staff_id: AccountId, client_id: ClientId, reason: str) -> bool:
    """Keep the client out and say why. False when somebody else has decided."""
    if not await uow.clients.decide(client_id, Approval.REFUSED, is_disabled=True):
        return False
    # It may have been let in before and have changed since.
    await uow.grants.end_of_client(client_id, GrantEnd.CLIENT_DISABLED, uow.now)
    await _note(uow, staff_id, client_id, Approval.REFUSED, reason)
    return True


async def _note(
    uow: UnitOfWork, staff_id: AccountId, client_id: ClientId, approval: Approval, reason: str
) -> None:
    await uow.registrations.note_decision(client_id, staff_id, reason, uow.now)
    uow.record(ClientDecided(staff_id, client_id, approval))
