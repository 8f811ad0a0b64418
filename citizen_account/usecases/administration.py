"""Say who may administrate."""

from citizen_account.domain.accounts import Account, Role
from citizen_account.domain.emails import read_email
from citizen_account.domain.events import RoleGranted, RoleRevoked
from citizen_account.storage.unit_of_work import UnitOfWork


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


async def _find(uow: UnitOfWork, email: str) -> Account | None:
    address = read_email(email)
    return None if address is None else await uow.accounts.find_by_email(address)
