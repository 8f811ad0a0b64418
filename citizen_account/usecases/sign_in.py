"""Sign residents in and out, and say whose session a browser holds."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from citizen_account.domain.accounts import (
    PASSWORD,
    SEEN_GRAIN,
    Account,
    AccountId,
    Device,
    NewSession,
    Session,
    SessionId,
    SessionLimits,
    SignInMethod,
    is_alive,
)
from citizen_account.domain.devices import summarise_device
from citizen_account.domain.emails import EmailAddress
from citizen_account.domain.errands import Mail
from citizen_account.domain.events import SignedIn, SignInFailed
from citizen_account.domain.throttling import (
    MAX_FAILURES_IN_A_ROW,
    Counter,
    Subjects,
    Throttled,
    sign_in_counters,
)
from citizen_account.openid.provider import Provider
from citizen_account.security.passwords import Place
from citizen_account.security.tokens import digest, new_id, new_secret
from citizen_account.storage.credentials import StoredPassword
from citizen_account.storage.residents import Visitor
from citizen_account.storage.unit_of_work import UnitOfWork
from citizen_account.usecases.logout import end_session, leave_session

# A request that asks for a new sign-in is never as young as the sign-in that answers it.
INSTANT = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Browser:
    """What a browser brings when somebody signs in with it."""

    user_agent: str
    old_session_secret: str | None


@dataclass(frozen=True, slots=True)
class Attempt:
    """A password to be checked, outside of any transaction: a hash takes its time."""

    account: Account | None
    stored_hash: str | None
    """None makes every password wrong, and takes as long."""
    counters: Sequence[Counter]
    is_new_device: bool | None = None
    """None where no device was asked about."""


@dataclass(frozen=True, slots=True)
class Checked:
    """What the hash said."""

    attempt: Attempt
    is_right: bool
    new_hash: str | None = None
    """The same password by today's parameters, when the stored hash is weaker."""


async def prepare_sign_in(
    uow: UnitOfWork, email: EmailAddress, client_address: str, user_agent: str
) -> Attempt | Throttled:
    """Count the try and fetch what the password is compared with."""
    counters = sign_in_counters(Subjects(email.canonical, client_address))
    throttled = await uow.throttles.hit_all(counters)
    if throttled is not None:
        return throttled
    found = await uow.residents.by_email(email, summarise_device(user_agent))
    if found is None:
        return Attempt(None, None, counters)
    stored_hash = _hash_of(found.password)
    return Attempt(found.account, stored_hash, counters, found.is_new_device)


async def prepare_proof(
    uow: UnitOfWork, account: Account, client_address: str
) -> Attempt | Throttled:
    """Let a resident who is signed in prove that it is still she: like a sign-in."""
    counters = sign_in_counters(Subjects(str(account.id), client_address))
    throttled = await uow.throttles.hit_all(counters)
    if throttled is not None:
        return throttled
    password = await uow.credentials.find_password(account.id)
    return Attempt(account, _hash_of(password), counters)


async def check_password(place: Place, attempt: Attempt, password: str) -> Checked:
    """Compare, outside of any transaction."""
    verdict = await place.verify(password, attempt.stored_hash)
    new_hash = await place.hash(password) if verdict.is_outdated else None
    return Checked(attempt, verdict.is_right, new_hash)


async def complete_proof(uow: UnitOfWork, checked: Checked) -> AccountId | None:
    """Return whose password it was, or None; either leaves its trace.

    The same statements run for an account and for none, so that they take as long.
    """
    account = checked.attempt.account
    account_id = AccountId(new_id()) if account is None else account.id
    if account is None or not checked.is_right:
        failures = await uow.credentials.count_failure(account_id)
        uow.record(SignInFailed(None if account is None else account.id))
        if account is not None and failures == MAX_FAILURES_IN_A_ROW:
            await tell(uow, account, "password_locked")
        return None
    await uow.throttles.give_back(checked.attempt.counters)
    await uow.credentials.clear_failures(account_id)
    if checked.new_hash is not None and checked.attempt.stored_hash is not None:
        await uow.credentials.rehash(account_id, checked.attempt.stored_hash, checked.new_hash)
    return account_id


async def complete_sign_in(
    uow: UnitOfWork,
    checked: Checked,
    browser: Browser,
    limits: SessionLimits,
    method: SignInMethod = PASSWORD,
) -> NewSession | None:
    """Open a session for the right password; None for a wrong one, which is remembered."""
    account_id = await complete_proof(uow, checked)
    if account_id is None:
        return None
    return await open_session(
        uow,
        account_id,
        method,
        user_agent=browser.user_agent,
        old_session_secret=browser.old_session_secret,
        limits=limits,
        is_new_device=checked.attempt.is_new_device,
    )


async def open_session(  # noqa: PLR0913  # what a sign-in consists of, each by its name
    uow: UnitOfWork,
    account_id: AccountId,
    method: SignInMethod,
    *,
    user_agent: str,
    old_session_secret: str | None,
    limits: SessionLimits,
    is_new_device: bool | None = None,
) -> NewSession:
    """Sign the browser in, with a secret that nobody has seen before.

    Whether the account has seen the device is asked, unless the caller knows.

    Who was signed in with it already and proves herself again keeps her session: the services
    that it opened stay with it. Another resident's session ends.
    """
    # OWASP ASVS 5.0 7.2.4: a new secret at each sign-in; the old one opens nothing any more.
    secret = new_secret()
    old = await find_session(uow, old_session_secret or "", limits.idle)
    if old is not None and old.account_id == account_id:
        return await _renew(uow, old, method, secret, limits)
    if old is not None:
        await end_session(uow, old)
    session = Session(
        id=SessionId(new_id()),
        account_id=account_id,
        authenticated_at=uow.now,
        methods=method.methods,
        level=method.level,
        created_at=uow.now,
        last_seen_at=uow.now,
        expires_at=uow.now + limits.maximum,
    )
    device = summarise_device(user_agent)
    if is_new_device is None:
        is_new_device = await uow.sessions.is_new_device(account_id, device)
    if is_new_device:
        await _tell_of_new_device(uow, account_id, device)
    await uow.sessions.add(session, digest(secret), device)
    uow.record(SignedIn(account_id, session.id))
    return NewSession(secret, session)


async def find_session(uow: UnitOfWork, secret: str, idle: timedelta) -> Session | None:
    """Return the living session of a browser."""
    session = await uow.sessions.find(digest(secret)) if secret else None
    if session is None or not is_alive(session, idle, uow.now):
        return None
    return session


async def find_visitor(uow: UnitOfWork, secret: str, idle: timedelta) -> Visitor | None:
    """Return who is signed in, as each page needs to know her."""
    found = await uow.residents.by_session(digest(secret)) if secret else None
    if found is None or not is_alive(found.session, idle, uow.now):
        return None
    return found


async def touch_session(uow: UnitOfWork, session_id: SessionId) -> None:
    """Note that the session is in use, at most once a minute."""
    await uow.sessions.see(session_id, uow.now, SEEN_GRAIN)


async def list_devices(
    uow: UnitOfWork, account_id: AccountId, limits: SessionLimits
) -> Sequence[Device]:
    """List where the account is signed in, the last used first."""
    return await uow.sessions.devices(account_id, now=uow.now, idle=limits.idle)


async def sign_out_device(uow: UnitOfWork, account_id: AccountId, session_id: SessionId) -> None:
    """End one session of the account. Idempotent; another account's is out of reach."""
    session = await uow.sessions.find_by_id(session_id)
    if session is not None and session.account_id == account_id:
        await end_session(uow, session)


async def sign_out_others(uow: UnitOfWork, account_id: AccountId, kept: SessionId | None) -> None:
    """End every session of the account but the kept one."""
    for session in await uow.sessions.living(account_id):
        if session.id != kept:
            await end_session(uow, session)


async def sign_out_everywhere(
    uow: UnitOfWork, provider: Provider, session: Session
) -> Sequence[str]:
    """End every session of the account; return what this browser loads to tell its services."""
    await sign_out_others(uow, session.account_id, session.id)
    return await leave_session(uow, provider, session)


async def renew_secret(uow: UnitOfWork, session: Session) -> NewSession:
    """Give a living session another secret, because what it may do has changed."""
    secret = new_secret()
    await uow.sessions.renew(session, digest(secret))
    return NewSession(secret, session)


async def forget_old_sign_ins(uow: UnitOfWork) -> None:
    """Delete what has served its time: sessions, codes, counters, forms that nobody came for."""
    await uow.sessions.forget_old(uow.now)
    await uow.challenges.forget_old(uow.now)
    await uow.throttles.forget_old(uow.now)
    await uow.saved_forms.forget_old(uow.now)
    await uow.upstream_logins.forget_old(uow.now)


async def tell(uow: UnitOfWork, account: Account, name: str, **facts: str) -> None:
    """Write to the account's own address, if it has one, in its own language."""
    if account.email is not None:
        await uow.send_mail(Mail(account.email, account.language, name, facts))


def _hash_of(stored: StoredPassword | None) -> str | None:
    if stored is None or stored.failures >= MAX_FAILURES_IN_A_ROW:
        return None
    return stored.hash


async def _renew(
    uow: UnitOfWork, old: Session, method: SignInMethod, secret: str, limits: SessionLimits
) -> NewSession:
    session = replace(
        old,
        authenticated_at=uow.now + INSTANT,
        methods=method.methods,
        level=method.level,
        last_seen_at=uow.now,
        expires_at=uow.now + limits.maximum,
    )
    await uow.sessions.renew(session, digest(secret))
    uow.record(SignedIn(session.account_id, session.id))
    return NewSession(secret, session)


async def _tell_of_new_device(uow: UnitOfWork, account_id: AccountId, device: str) -> None:
    account = await uow.accounts.find(account_id)
    if account is not None:
        await tell(uow, account, "new_sign_in", device=device)
