"""Help residents under rules that they can see, and keep the account running."""

from dataclasses import dataclass
from uuid import UUID

from citizen_account.domain.accounts import Account, AccountId, Role
from citizen_account.domain.clients import Client, ClientId
from citizen_account.domain.consents import AlreadyWithdrawn, Consent, ConsentEnd
from citizen_account.domain.emails import read_email
from citizen_account.domain.errors import DomainError, ErrorCode
from citizen_account.domain.events import ErrandReleased, RoleGranted, RoleRevoked
from citizen_account.domain.ledger import ActorKind, LedgerEntry
from citizen_account.domain.messages import Announcement
from citizen_account.security.tokens import new_id
from citizen_account.storage.unit_of_work import UnitOfWork
from citizen_account.usecases.consents import withdraw_consent
from citizen_account.usecases.messages import tell

LOOKED_UP = "staff.lookup"
WITHDREW = "staff.withdrawal"


@dataclass(frozen=True, slots=True)
class Request:
    """What a resident asked for in writing, and who of the staff acts on it."""

    staff_id: AccountId
    role: Role
    client_id: ClientId
    email: str
    reference: str
    """The letter's number at the city, which the resident sees in her access log."""


@dataclass(frozen=True, slots=True)
class FoundConsent:
    account: Account
    consent: Consent


async def grant_role(uow: UnitOfWork, email: str, role: Role) -> bool:
    """Give the role to the account with this address. False when there is none."""
    account = await _find(uow, email)
    if account is None:
        return False
    await uow.roles.grant(account.id, role, uow.now)
    uow.record(RoleGranted(account.id, role))
    return True


async def revoke_role(uow: UnitOfWork, email: str, role: Role) -> bool:
    """Take the role away. False when there is no such account."""
    account = await _find(uow, email)
    if account is None:
        return False
    await uow.roles.revoke(account.id, role)
    uow.record(RoleRevoked(account.id, role))
    return True


async def find_client(uow: UnitOfWork, client_id: ClientId) -> Client:
    """Return a relying party. Raises: not_found."""
    client = await uow.clients.find(client_id)
    if client is None:
        raise DomainError(ErrorCode.NOT_FOUND)
    return client


async def look_up_consent(uow: UnitOfWork, request: Request) -> FoundConsent | None:
    """Find what stands between a resident and a service. She sees that she was looked up."""
    account = await _find(uow, request.email)
    if account is None:
        return None
    await _note(uow, account.id, request, LOOKED_UP)
    consent = await uow.consents.find_standing(account.id, request.client_id)
    return None if consent is None else FoundConsent(account, consent)


async def withdraw_on_request(uow: UnitOfWork, request: Request) -> bool:
    """Withdraw as the resident herself would; she finds it in her log and her inbox.

    False when nothing stands between her and the service.
    """
    found = await look_up_consent(uow, request)
    if found is None:
        return False
    withdrawal = await withdraw_consent(
        uow, found.account.id, found.consent.id, ConsentEnd.WITHDRAWN_ON_REQUEST
    )
    if isinstance(withdrawal, AlreadyWithdrawn):
        return False
    await _note(uow, found.account.id, request, WITHDREW)
    client = await find_client(uow, request.client_id)
    facts = {"service": client.name}
    await tell(
        uow,
        found.account.id,
        Announcement.CONSENT_WITHDRAWN_FOR_YOU,
        facts=facts,
        place="/privacy",
    )
    return True


async def release_errand(uow: UnitOfWork, staff_id: AccountId, errand_id: UUID) -> None:
    """Let a parked errand be tried again. Idempotent."""
    if await uow.outbox.release(errand_id, uow.now):
        uow.record(ErrandReleased(staff_id, errand_id))


async def _note(uow: UnitOfWork, account_id: AccountId, request: Request, purpose: str) -> None:
    entry = LedgerEntry(
        id=new_id(),
        account_id=account_id,
        at=uow.now,
        actor_kind=ActorKind.STAFF,
        actor=request.role,
        what=("consent",),
        purpose=purpose,
        reference=request.reference,
    )
    await uow.ledger.add(entry)


async def _find(uow: UnitOfWork, email: str) -> Account | None:
    address = read_email(email)
    return None if address is None else await uow.accounts.find_by_email(address)
