"""Open accounts, and change the address of one."""

from dataclasses import dataclass

from citizen_account.domain.accounts import (
    PASSWORD,
    Account,
    AccountId,
    Level,
    NewSession,
    Profile,
    SessionLimits,
)
from citizen_account.domain.challenges import Challenge
from citizen_account.domain.events import AccountCreated, EmailChanged
from citizen_account.domain.messages import Announcement
from citizen_account.security.tokens import new_id
from citizen_account.storage.accounts import NewAccount
from citizen_account.storage.unit_of_work import UnitOfWork
from citizen_account.usecases.messages import tell as announce
from citizen_account.usecases.sign_in import Browser, open_session, tell


@dataclass(frozen=True, slots=True)
class Registration:
    """What the last page of registering asks for."""

    profile: Profile
    password_hash: str
    language: str


async def complete_registration(
    uow: UnitOfWork,
    challenge: Challenge,
    registration: Registration,
    browser: Browser,
    limits: SessionLimits,
) -> NewSession | None:
    """Open the account and sign in. None when the code was used or the address taken meanwhile."""
    if not await uow.challenges.use(challenge.id, uow.now):
        return None
    account = NewAccount(
        id=AccountId(new_id()),
        email=challenge.email,
        profile=registration.profile,
        language=registration.language,
        level=Level.LOW,
    )
    if not await open_account(uow, account, registration.password_hash):
        return None
    return await open_session(
        uow,
        account.id,
        PASSWORD,
        user_agent=browser.user_agent,
        old_session_secret=browser.old_session_secret,
        limits=limits,
    )


async def open_account(uow: UnitOfWork, account: NewAccount, password_hash: str | None) -> bool:
    """Add an account, with a password where it has one. False when the address is taken."""
    if not await uow.accounts.add(account, uow.now):
        return False
    if password_hash is not None:
        await uow.credentials.save_password(account.id, password_hash, uow.now)
    await announce(uow, account.id, Announcement.WELCOME, place="/services")
    uow.record(AccountCreated(account.id))
    return True


async def complete_email_change(uow: UnitOfWork, account: Account, challenge: Challenge) -> bool:
    """Give the account its new address and tell the old one.

    False when the code was used or the address taken meanwhile.
    """
    if challenge.account_id != account.id or not await uow.challenges.use(challenge.id, uow.now):
        return False
    if not await uow.accounts.save_email(account, challenge.email, uow.now):
        return False
    if account.email != challenge.email.text:
        await tell(uow, account, "email_changed")
        await announce(uow, account.id, Announcement.EMAIL_CHANGED, place="/security")
    uow.record(EmailChanged(account.id))
    return True
