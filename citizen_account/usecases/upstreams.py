"""Sign in through another provider, and link what it proves to an account.

The network lies between the steps: `begin_login`, then the other provider, then `take_login`
(prepare), `Provider.finish` (perform, no transaction) and one of the `complete_` functions.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from uuid import UUID

from citizen_account.domain.accounts import (
    Account,
    AccountId,
    Level,
    NewSession,
    Session,
    SessionLimits,
    SignInMethod,
)
from citizen_account.domain.challenges import Onward
from citizen_account.domain.errors import DomainError, ErrorCode
from citizen_account.domain.events import UpstreamLinked, UpstreamUnlinked
from citizen_account.domain.throttling import Subjects, Throttled, upstream_counters
from citizen_account.domain.upstreams import (
    ARRIVAL_LIFETIME,
    LOGIN_LIFETIME,
    Arrival,
    Identity,
    Login,
    Proof,
    UpstreamId,
    is_fresh,
    may_unlink,
)
from citizen_account.security.tokens import digest, is_secret_of, new_id, new_secret
from citizen_account.storage.accounts import NewAccount
from citizen_account.storage.unit_of_work import UnitOfWork
from citizen_account.upstream.providers import Beginning
from citizen_account.usecases.accounts import open_account
from citizen_account.usecases.sign_in import Browser, open_session, tell

LEVELS = tuple(Level)


@dataclass(frozen=True, slots=True)
class Departure:
    """Who leaves for another provider, and where she wants to be afterwards."""

    upstream_id: UpstreamId
    browser_secret: str
    language: str
    client_address: str
    onward: Onward
    account_id: AccountId | None = None
    """To link the identity to this account, instead of signing in."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """Proven, but unknown here: she chooses between a new account and her own."""

    arrival_secret: str


class LinkOutcome(StrEnum):
    LINKED = "linked"
    TAKEN = "taken"
    """It opens another account already."""
    STALE = "stale"
    """The sign-in here is too old to add another way in."""
    EXPIRED = "expired"


class UnlinkOutcome(StrEnum):
    UNLINKED = "unlinked"
    LAST = "last"
    """Without it nothing would open the account."""
    STALE = "stale"


async def begin_login(
    uow: UnitOfWork, departure: Departure, beginning: Beginning
) -> Throttled | None:
    """Remember what binds the answer to this browser, until it comes or ten minutes are over."""
    subjects = Subjects("", departure.client_address)
    throttled = await uow.throttles.hit_all(upstream_counters(subjects))
    if throttled is not None:
        return throttled
    login = Login(
        upstream_id=departure.upstream_id,
        browser_digest=digest(departure.browser_secret),
        account_id=departure.account_id,
        nonce=beginning.nonce,
        code_verifier=beginning.code_verifier,
        language=departure.language,
        onward=departure.onward,
        expires_at=uow.now + LOGIN_LIFETIME,
    )
    await uow.upstream_logins.add(login, digest(beginning.state))
    return None


async def take_login(
    uow: UnitOfWork, upstream_id: str, state: str, browser_secret: str
) -> Login | None:
    """Return what the state stands for, once, to the browser and for the provider it was made for.

    A stranger's try uses it up as well: the state was seen by somebody it was not meant for.
    """
    login = await uow.upstream_logins.use(digest(state), uow.now)
    # RFC 6749 section 10.12 and RFC 9700 section 4.4: bound to the browser and to the issuer.
    if login is None or login.upstream_id != upstream_id:
        return None
    return login if is_secret_of(browser_secret, login.browser_digest) else None


async def complete_sign_in(
    uow: UnitOfWork, proof: Proof, login: Login, browser: Browser, limits: SessionLimits
) -> NewSession | Waiting:
    """Sign in whom we know by issuer and subject; let anybody else choose."""
    identity = await uow.upstream_identities.find(proof.issuer, proof.subject)
    if identity is not None:
        await uow.upstream_identities.see(identity.id, uow.now)
        return await _open(uow, identity.account_id, proof.sign_in_method, browser, limits)
    secret = new_secret()
    arrival = Arrival(
        proof=proof,
        browser_digest=login.browser_digest,
        language=login.language,
        onward=login.onward,
        expires_at=uow.now + ARRIVAL_LIFETIME,
    )
    await uow.upstream_logins.add_arrival(arrival, digest(secret))
    return Waiting(secret)


async def find_arrival(uow: UnitOfWork, secret: str, browser_secret: str) -> Arrival | None:
    """Return the arrival to the browser that it happened in."""
    arrival = await uow.upstream_logins.find_arrival(digest(secret), uow.now)
    if arrival is None or not is_secret_of(browser_secret, arrival.browser_digest):
        return None
    return arrival


async def is_address_taken(uow: UnitOfWork, arrival: Arrival) -> bool:
    """Say whether the address that the provider verified belongs to an account here."""
    email = arrival.proof.email
    return email is not None and await uow.accounts.find_by_email(email) is not None


async def create_account(
    uow: UnitOfWork, secret: str, arrival: Arrival, browser: Browser, limits: SessionLimits
) -> NewSession | None:
    """Open an account with what the provider verified. None when its address is taken.

    Raises: link_expired.
    """
    proof = arrival.proof
    if await is_address_taken(uow, arrival):
        return None
    await _use(uow, secret)
    account = NewAccount(
        id=AccountId(new_id()),
        email=proof.email,
        profile=proof.profile,
        language=arrival.language,
        level=proof.level,
    )
    # Two at once: whoever comes second has used a link that is no longer good.
    if not await open_account(uow, account, None) or not await _add(uow, account.id, proof):
        raise DomainError(ErrorCode.LINK_EXPIRED)
    uow.record(UpstreamLinked(account.id, proof.upstream_id))
    return await _open(uow, account.id, proof.sign_in_method, browser, limits)


async def link_arrival(  # noqa: PLR0913  # both proofs, and the browser that holds them
    uow: UnitOfWork,
    account: Account,
    session: Session,
    *,
    secret: str,
    arrival: Arrival,
    browser: Browser,
    limits: SessionLimits,
) -> NewSession | LinkOutcome:
    """Link whom the provider proved to the account that is signed in.

    Raises: link_expired.
    """
    if not is_fresh(session.authenticated_at, uow.now):
        return LinkOutcome.STALE
    await _use(uow, secret)
    outcome = await _link(uow, account, arrival.proof)
    if outcome is not LinkOutcome.LINKED:
        return outcome
    return await _open(uow, account.id, _both(session, arrival.proof), browser, limits)


async def complete_link(
    uow: UnitOfWork, account: Account, session: Session, proof: Proof
) -> LinkOutcome:
    """Link what came back to the account that asked for it, while its sign-in is fresh."""
    if not is_fresh(session.authenticated_at, uow.now):
        return LinkOutcome.STALE
    return await _link(uow, account, proof)


async def list_identities(uow: UnitOfWork, account_id: AccountId) -> Sequence[Identity]:
    """List the other providers that open the account."""
    return await uow.upstream_identities.of(account_id)


async def unlink_identity(
    uow: UnitOfWork, account: Account, session: Session, identity_id: UUID
) -> UnlinkOutcome:
    """Take a way in away; the last one stays. Idempotent."""
    if not is_fresh(session.authenticated_at, uow.now):
        return UnlinkOutcome.STALE
    identities = await uow.upstream_identities.of(account.id)
    password = await uow.credentials.find_password(account.id)
    if not may_unlink(identities, has_password=password is not None):
        return UnlinkOutcome.LAST
    for identity in identities:
        if identity.id == identity_id and await uow.upstream_identities.remove(
            account.id, identity_id
        ):
            uow.record(UpstreamUnlinked(account.id, identity.upstream_id))
            await tell(uow, account, "upstream_unlinked")
    return UnlinkOutcome.UNLINKED


async def _use(uow: UnitOfWork, secret: str) -> None:
    if not await uow.upstream_logins.use_arrival(digest(secret), uow.now):
        raise DomainError(ErrorCode.LINK_EXPIRED)


async def _link(uow: UnitOfWork, account: Account, proof: Proof) -> LinkOutcome:
    known = await uow.upstream_identities.find(proof.issuer, proof.subject)
    if known is not None:
        is_own = known.account_id == account.id
        return LinkOutcome.LINKED if is_own else LinkOutcome.TAKEN
    if not await _add(uow, account.id, proof):
        return LinkOutcome.TAKEN
    await _learn(uow, account, proof)
    uow.record(UpstreamLinked(account.id, proof.upstream_id))
    await tell(uow, account, "upstream_linked")
    return LinkOutcome.LINKED


async def _add(uow: UnitOfWork, account_id: AccountId, proof: Proof) -> bool:
    identity = Identity(new_id(), proof.upstream_id, account_id, uow.now, uow.now)
    return await uow.upstream_identities.add(identity, proof.issuer, proof.subject)


async def _learn(uow: UnitOfWork, account: Account, proof: Proof) -> None:
    """Take over what only such a provider can know. What she wrote herself stays as it is."""
    if proof.profile.birthdate and not account.profile.birthdate:
        profile = replace(account.profile, birthdate=proof.profile.birthdate)
        await uow.accounts.save_profile(account, profile, account.language, uow.now)
    if LEVELS.index(proof.level) > LEVELS.index(account.level):
        await uow.accounts.save_level(account.id, proof.level, uow.now)


def _both(session: Session, proof: Proof) -> SignInMethod:
    methods = tuple(dict.fromkeys((*session.methods, *proof.methods)))
    return SignInMethod(methods, max(session.level, proof.level, key=LEVELS.index))


async def _open(
    uow: UnitOfWork,
    account_id: AccountId,
    method: SignInMethod,
    browser: Browser,
    limits: SessionLimits,
) -> NewSession:
    return await open_session(
        uow,
        account_id,
        method,
        user_agent=browser.user_agent,
        old_session_secret=browser.old_session_secret,
        limits=limits,
    )
