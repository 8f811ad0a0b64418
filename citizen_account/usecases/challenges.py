"""Send codes by e-mail and check them, alike for addresses that we know and that we do not."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from citizen_account.domain.accounts import Account, AccountId
from citizen_account.domain.challenges import (
    CODE_LIFETIME,
    STEP_LIFETIME,
    Challenge,
    ChallengeId,
    ChallengePurpose,
    CodeOutcome,
    Onward,
    read_code,
)
from citizen_account.domain.emails import EmailAddress
from citizen_account.domain.errands import Mail
from citizen_account.domain.throttling import Subjects, Throttled, code_counters, send_counters
from citizen_account.security.tokens import new_code, new_id
from citizen_account.storage.challenges import NewChallenge
from citizen_account.storage.unit_of_work import UnitOfWork

NOWHERE = Onward()


@dataclass(frozen=True, slots=True)
class Asked:
    """Somebody wants a code for an address."""

    purpose: ChallengePurpose
    email: EmailAddress
    browser_digest: bytes
    """Of the secret that the asking browser holds: the code fits there and nowhere else."""
    language: str
    client_address: str
    onward: Onward = NOWHERE
    account_id: AccountId | None = None
    """Of the resident who asks for herself."""


@dataclass(frozen=True, slots=True)
class Letters:
    """Which message goes out: with a code, or instead of one."""

    code: str
    instead: str


LETTERS: Mapping[ChallengePurpose, Letters] = MappingProxyType(
    {
        ChallengePurpose.REGISTER: Letters("register_code", "address_taken"),
        ChallengePurpose.CHANGE_EMAIL: Letters("email_change_code", "address_taken"),
        ChallengePurpose.RECOVER: Letters("recover_code", "recover_unknown"),
    }
)


async def begin_challenge(uow: UnitOfWork, asked: Asked) -> ChallengeId | Throttled:
    """Send a code, or tell the owner of the address why not; the asker sees no difference.

    The same statements run in both cases, so that they take as long.
    """
    counters = send_counters(Subjects(asked.email.canonical, asked.client_address))
    throttled = await uow.throttles.hit_all(counters)
    if throttled is not None:
        return throttled
    account = await uow.accounts.find_by_email(asked.email)
    challenge = NewChallenge(
        id=ChallengeId(new_id()),
        purpose=asked.purpose,
        browser_digest=asked.browser_digest,
        account_id=_account_of(asked, account),
        email=asked.email,
        onward=asked.onward,
        is_decoy=not _may_have_code(asked, account),
    )
    code = new_code()
    await uow.challenges.add(challenge, code, uow.now, uow.now + CODE_LIFETIME)
    await _send(uow, challenge, code, asked.language if account is None else account.language)
    return challenge.id


async def find_challenge(
    uow: UnitOfWork, challenge_id: ChallengeId, browser_digest: bytes, purpose: ChallengePurpose
) -> Challenge | None:
    """Return the challenge to the browser that began it; for another it does not exist."""
    challenge = await uow.challenges.find(challenge_id)
    if challenge is None or not challenge.is_of(browser_digest, purpose):
        return None
    return challenge


async def send_again(
    uow: UnitOfWork, challenge: Challenge, *, language: str, client_address: str
) -> bool | Throttled:
    """Send one more code; the earlier ones still fit. False when there were enough."""
    throttled = await uow.throttles.hit_all(
        send_counters(Subjects(challenge.email.canonical, client_address))
    )
    if throttled is not None:
        return throttled
    code = new_code()
    if not challenge.may_resend(uow.now) or not await uow.challenges.add_code(
        challenge.id, code, uow.now + CODE_LIFETIME
    ):
        return False
    account = await uow.accounts.find_by_email(challenge.email)
    await _send(uow, challenge, code, language if account is None else account.language)
    return True


async def enter_code(
    uow: UnitOfWork, challenge: Challenge, given: str, client_address: str
) -> CodeOutcome | Throttled:
    """Check a code. The try is counted first, so that many at once gain nothing."""
    throttled = await uow.throttles.hit_all(
        code_counters(Subjects(challenge.email.canonical, client_address))
    )
    if throttled is not None:
        return throttled
    if not await uow.challenges.use_try(challenge.id, uow.now):
        return CodeOutcome.SPENT
    is_right = await uow.challenges.fits(challenge.id, read_code(given), uow.now)
    if is_right and not challenge.is_decoy:
        is_first = await uow.challenges.verify(challenge.id, uow.now, uow.now + STEP_LIFETIME)
        return CodeOutcome.RIGHT if is_first else CodeOutcome.SPENT
    after = await uow.challenges.find(challenge.id)
    is_spent = after is None or not after.is_open(uow.now)
    return CodeOutcome.SPENT if is_spent else CodeOutcome.WRONG


def _may_have_code(asked: Asked, account: Account | None) -> bool:
    """To recover needs an account with the address; all else one that is free, or one's own."""
    if asked.purpose is ChallengePurpose.RECOVER:
        return account is not None
    return account is None or account.id == asked.account_id


def _account_of(asked: Asked, account: Account | None) -> AccountId | None:
    if asked.purpose is ChallengePurpose.RECOVER:
        return None if account is None else account.id
    return asked.account_id


async def _send(
    uow: UnitOfWork, challenge: NewChallenge | Challenge, code: str, language: str
) -> None:
    letters = LETTERS[challenge.purpose]
    name = letters.instead if challenge.is_decoy else letters.code
    facts = {} if challenge.is_decoy else {"code": code}
    await uow.send_mail(Mail(challenge.email.text, language, name, facts))
