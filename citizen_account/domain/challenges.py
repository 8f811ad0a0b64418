"""Decide about codes sent by e-mail: how long they live and how often one may guess."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import NewType
from uuid import UUID

from citizen_account.domain.accounts import AccountId
from citizen_account.domain.emails import EmailAddress

ChallengeId = NewType("ChallengeId", UUID)

# NIST SP 800-63B-4 section 3.1.3.1 and OWASP ASVS 5.0 6.5.5: at most ten minutes, few tries.
CODE_LIFETIME = timedelta(minutes=10)
MAX_TRIES = 5
MAX_CODES = 4
"""The first code and three more: each one sent again makes guessing easier."""
STEP_LIFETIME = timedelta(minutes=30)
"""How long the page behind a right code waits to be filled in."""


class ChallengePurpose(StrEnum):
    REGISTER = "register"
    RECOVER = "recover"
    CHANGE_EMAIL = "change_email"


@dataclass(frozen=True, slots=True)
class Onward:
    """Where the resident was going when asked to prove herself; both empty: nowhere yet."""

    interaction: str = ""
    place: str = ""


@dataclass(frozen=True, slots=True)
class Challenge:
    """A code on its way to an address, for one browser and one purpose."""

    id: ChallengeId
    purpose: ChallengePurpose
    browser_digest: bytes
    account_id: AccountId | None
    """None where no account answers to the address (register), or must not (recover)."""
    email: EmailAddress
    onward: Onward
    is_decoy: bool
    """No code was sent that could fit; a stranger must not notice."""
    created_at: datetime
    code_expires_at: datetime
    expires_at: datetime
    tries: int
    codes: int
    verified_at: datetime | None
    used_at: datetime | None

    def is_of(self, browser_digest: bytes, purpose: ChallengePurpose) -> bool:
        return self.browser_digest == browser_digest and self.purpose is purpose

    def is_open(self, now: datetime) -> bool:
        """Say whether a code may still be entered."""
        return self.verified_at is None and self.tries < MAX_TRIES and now < self.code_expires_at

    def is_proven(self, now: datetime) -> bool:
        """Say whether the code was right and the step behind it has not been taken."""
        return self.verified_at is not None and self.used_at is None and now < self.expires_at

    def may_resend(self, now: datetime) -> bool:
        """Say whether another code would help: also when the last one has just expired."""
        is_in_time = now < self.created_at + STEP_LIFETIME
        is_waiting = self.verified_at is None and self.tries < MAX_TRIES
        return is_waiting and is_in_time and self.codes < MAX_CODES


class CodeOutcome(StrEnum):
    RIGHT = "right"
    WRONG = "wrong"
    SPENT = "spent"
    """Expired, guessed too often, or used: only a new code helps."""


def read_code(given: str) -> str:
    """Return the digits: people write a code with spaces, mail programs add dashes."""
    return "".join(character for character in given if not character.isspace() and character != "-")
