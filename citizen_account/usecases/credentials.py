"""Change a password, by the old one or by a code."""

from citizen_account.domain.accounts import (
    PASSWORD,
    Account,
    NewSession,
    Session,
    SessionLimits,
)
from citizen_account.domain.challenges import Challenge
from citizen_account.domain.events import PasswordChanged
from citizen_account.domain.messages import Announcement
from citizen_account.storage.unit_of_work import UnitOfWork
from citizen_account.usecases.messages import tell as announce
from citizen_account.usecases.sign_in import (
    Browser,
    open_session,
    renew_secret,
    sign_out_others,
    tell,
)


async def change_password(
    uow: UnitOfWork, account: Account, session: Session, password_hash: str
) -> NewSession:
    """Replace the password; every other session ends and this one gets another secret."""
    await uow.credentials.save_password(account.id, password_hash, uow.now)
    # OWASP ASVS 5.0 7.4.3: whoever had the old password is out.
    await sign_out_others(uow, account.id, session.id)
    await tell(uow, account, "password_changed")
    await announce(uow, account.id, Announcement.PASSWORD_CHANGED, place="/security")
    uow.record(PasswordChanged(account.id, is_recovery=False))
    return await renew_secret(uow, session)


async def recover_password(
    uow: UnitOfWork,
    challenge: Challenge,
    password_hash: str,
    browser: Browser,
    limits: SessionLimits,
) -> NewSession | None:
    """Set a new password after a right code, and sign in. None when the code was used meanwhile."""
    account = (
        None if challenge.account_id is None else await uow.accounts.find(challenge.account_id)
    )
    if account is None or not await uow.challenges.use(challenge.id, uow.now):
        return None
    await uow.credentials.save_password(account.id, password_hash, uow.now)
    await sign_out_others(uow, account.id, None)
    await uow.accounts.mark_mail_arriving(challenge.email)
    await tell(uow, account, "password_changed")
    await announce(uow, account.id, Announcement.PASSWORD_CHANGED, place="/security")
    uow.record(PasswordChanged(account.id, is_recovery=True))
    return await open_session(
        uow,
        account.id,
        PASSWORD,
        user_agent=browser.user_agent,
        # The browser's own session has just ended with the others.
        old_session_secret=None,
        limits=limits,
    )
