"""Decide what a resident allowed a service, and what a withdrawal ends."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NewType
from uuid import UUID

from citizen_account.domain.accounts import AccountId
from citizen_account.domain.errors import DomainError, ErrorCode

ConsentId = NewType("ConsentId", UUID)
# Of the way a notice is put together from its sentences.
_NOTICE_EDITION = "1"


class LegalBasis(StrEnum):
    """GDPR article 6(1); each purpose rests on exactly one."""

    CONSENT = "consent"
    CONTRACT = "contract"
    LEGAL_OBLIGATION = "legal_obligation"
    PUBLIC_TASK = "public_task"


class ConsentEnd(StrEnum):
    """Who ended it, and how."""

    WITHDRAWN = "withdrawn"
    WITHDRAWN_ON_REQUEST = "withdrawn_on_request"
    REPLACED = "replaced"
    ACCOUNT_CLOSED = "account_closed"


@dataclass(frozen=True, slots=True)
class Consent:
    """One resident's standing decision about one service: which claims it may receive and why."""

    id: ConsentId
    account_id: AccountId
    client_id: str
    scopes: frozenset[str]
    claims: frozenset[str]
    """The claims the service may receive, required and chosen ones."""
    refused: frozenset[str]
    """The optional claims that were shown and left unticked."""
    purposes: frozenset[str]
    basis: LegalBasis
    """The strictest basis of the purposes: `consent` only where all of them rest on it."""
    text_digest: str
    """SHA-256, in hexadecimal, of the text that was shown (GDPR article 7(1))."""
    text_language: str
    given_at: datetime
    last_used_at: datetime | None
    ended_at: datetime | None
    ended_by: ConsentEnd | None


class DecisionKind(StrEnum):
    """Why an authorization went on, or did not: each has its row (OWASP ASVS 5.0 10.7.1)."""

    ALLOWED = "allowed"
    DENIED = "denied"
    STANDING = "standing"
    """Nobody was asked: all that was requested had been decided before."""


@dataclass(frozen=True, slots=True)
class Decision:
    """What was decided about one authorization. Rows are added and never changed."""

    id: UUID
    account_id: AccountId
    client_id: str
    consent_id: ConsentId | None
    """None where the resident said no."""
    kind: DecisionKind
    scopes: frozenset[str]
    claims: frozenset[str]
    refused: frozenset[str]
    text_digest: str
    """Of the text she saw, now or when she decided; empty where she said no."""
    text_language: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Notice:
    """A text as it was shown before a decision. Kept, so that its digest can be explained."""

    language: str
    text: str

    @property
    def digest(self) -> str:
        """SHA-256, in hexadecimal, of the edition, the language and every word."""
        whole = f"{_NOTICE_EDITION}\n{self.language}\n{self.text}"
        return hashlib.sha256(whole.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Request:
    """What a client asks for, reduced to what needs a decision."""

    scopes: frozenset[str]
    claims: frozenset[str]
    required: frozenset[str]
    """Of the claims: those without which the service cannot be used."""
    purposes: frozenset[str]


def is_decided(request: Request, consent: Consent | None) -> bool:
    """Say whether the standing consent answers all of the request: an old yes covers no more."""
    if consent is None or consent.ended_at is not None:
        return False
    return (
        request.scopes <= consent.scopes
        and request.claims <= consent.claims | consent.refused
        and not request.required & consent.refused
        and request.purposes <= consent.purposes
    )


def strictest(bases: Iterable[LegalBasis]) -> LegalBasis:
    """Return the basis that binds the resident most."""
    binding = (LegalBasis.LEGAL_OBLIGATION, LegalBasis.PUBLIC_TASK, LegalBasis.CONTRACT)
    present = set(bases)
    return next((basis for basis in binding if basis in present), LegalBasis.CONSENT)


@dataclass(frozen=True, slots=True)
class Withdrawn:
    consent: Consent


@dataclass(frozen=True, slots=True)
class AlreadyWithdrawn:
    consent: Consent


Withdrawal = Withdrawn | AlreadyWithdrawn


def decide_withdrawal(consent: Consent | None, *, asked_by: AccountId) -> Withdrawal:
    """Say whether anything is left to end. Asking twice is no error: a double click is one wish.

    Raises: consent_unknown.
    """
    # Another resident's consent looks like an absent one: its existence is private.
    if consent is None or consent.account_id != asked_by:
        raise DomainError(ErrorCode.CONSENT_UNKNOWN)
    if consent.ended_at is not None:
        return AlreadyWithdrawn(consent)
    return Withdrawn(consent)
