"""Let a resident say who she is and which language she reads."""

from dataclasses import replace

from citizen_account.domain.accounts import Account, Profile
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
