"""Close an account: fourteen days to change one's mind, then everything ends."""

from datetime import datetime, timedelta

from citizen_account.domain.accounts import Account
from citizen_account.domain.consents import ConsentEnd
from citizen_account.domain.events import AccountClosed, ClosingAsked, ClosingUndone
from citizen_account.domain.grants import GrantEnd
from citizen_account.domain.messages import Announcement
from citizen_account.storage.unit_of_work import UnitOfWork
from citizen_account.usecases.connections import unlink
from citizen_account.usecases.consents import withdraw_consent
from citizen_account.usecases.messages import tell as announce
from citizen_account.usecases.sign_in import sign_out_others, tell

TIME_TO_UNDO = timedelta(days=14)
# The services that must hear of it are found in the account's rows; then these go too.
TIME_TO_TELL = timedelta(hours=1)


async def ask_to_close(uow: UnitOfWork, account: Account) -> datetime:
    """Set the day. Asking again changes nothing."""
    if account.closing_at is not None:
        return account.closing_at
    closing_at = uow.now + TIME_TO_UNDO
    await uow.accounts.save_closing(account.id, closing_at)
    uow.record(ClosingAsked(account.id))
    await announce(uow, account.id, Announcement.CLOSING_ASKED, place="/privacy/close")
    await tell(uow, account, "closing")
    return closing_at


async def keep_open(uow: UnitOfWork, account: Account) -> None:
    """Change one's mind. Idempotent."""
    if account.closing_at is None:
        return
    await uow.accounts.save_closing(account.id, None)
    uow.record(ClosingUndone(account.id))


async def close_due(uow: UnitOfWork) -> None:
    """End the accounts whose time is over, and erase those that have ended a while ago."""
    for account_id in await uow.accounts.ended_by(uow.now - TIME_TO_TELL):
        await uow.accounts.remove(account_id)
    for account_id in await uow.accounts.closing_by(uow.now):
        account = await uow.accounts.find(account_id)
        if account is not None:
            await end_account(uow, account)


async def end_account(uow: UnitOfWork, account: Account) -> None:
    """Withdraw all access and sign out everywhere; nobody signs in to it any more."""
    for consent in await uow.consents.list_standing(account.id):
        await withdraw_consent(uow, account.id, consent.id, ConsentEnd.ACCOUNT_CLOSED)
    for connection in await uow.connections.list(account.id):
        await unlink(uow, account.id, connection.connector_id)
    await uow.grants.end_of_account(account.id, GrantEnd.ACCOUNT_CLOSED, uow.now)
    await sign_out_others(uow, account.id, kept=None)
    await uow.credentials.remove_password(account.id)
    for identity in await uow.upstream_identities.of(account.id):
        await uow.upstream_identities.remove(account.id, identity.id)
    await tell(uow, account, "closed")
    await uow.accounts.close(account.id, uow.now)
    uow.record(AccountClosed(account.id))
