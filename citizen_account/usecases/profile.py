"""Let a resident say who she is and which language she reads."""

from dataclasses import replace

from citizen_account.domain.accounts import Account, AccountId, Profile
from citizen_account.domain.claims import FURTHER
from citizen_account.domain.events import ProfileChanged
from citizen_account.storage.unit_of_work import UnitOfWork


async def save_profile(
    uow: UnitOfWork, account: Account, profile: Profile, language: str
) -> Account:
    """Store what changed, with its time; saving the same again changes nothing."""
    if profile == account.profile and language == account.language:
        return account
    await uow.accounts.save_profile(account, profile, language, uow.now)
    uow.record(ProfileChanged(account.id))
    return replace(account, profile=profile, language=language, updated_at=uow.now)


async def remove_further(uow: UnitOfWork, account_id: AccountId, name: str) -> None:
    """Forget a claim that came with the account; nobody receives it any more. Idempotent."""
    # Read again: the page that asked may be older than another removal.
    account = await uow.accounts.find(account_id)
    if account is None or name not in FURTHER:
        return
    kept = {one: value for one, value in account.profile.further.items() if one != name}
    await save_profile(uow, account, replace(account.profile, further=kept), account.language)
