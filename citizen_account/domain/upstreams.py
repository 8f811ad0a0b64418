"""Decide about sign-ins through other OpenID providers: whose word counts, and for what."""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import NewType
from uuid import UUID

from citizen_account.domain.accounts import AccountId, Level, Profile, SignInMethod
from citizen_account.domain.challenges import Onward
from citizen_account.domain.emails import EmailAddress
from citizen_account.domain.texts import LocalText

UpstreamId = NewType("UpstreamId", str)

LOGIN_LIFETIME = timedelta(minutes=10)
"""How long a resident may take at the other provider."""
ARRIVAL_LIFETIME = timedelta(minutes=30)
"""How long she may take to choose between a new account and her own."""
LINK_FRESHNESS = timedelta(minutes=10)
"""How young a sign-in must be before another way in is added or removed."""

FEDERATED = "fed"
"""Our own `amr` value where the provider gave none: it signed in somewhere else."""
MAX_METHODS = 3
_METHOD = re.compile(r"[a-z0-9_-]{1,16}")


@dataclass(frozen=True, slots=True)
class Upstream:
    """Another provider that the operator trusts to say who somebody is."""

    id: UpstreamId
    issuer: str
    title: LocalText
    levels: Mapping[str, Level]
    """From an `acr` value to our level."""

    def level_of(self, acr: object) -> Level:
        # OWASP ASVS 5.0 section 6.8.4: a missing or unknown acr stands for the lowest level.
        return self.levels.get(acr, Level.LOW) if isinstance(acr, str) else Level.LOW


@dataclass(frozen=True, slots=True)
class Login:
    """A sign-in that is on its way: bound to one browser, good for one answer."""

    upstream_id: UpstreamId
    browser_digest: bytes
    """Of the secret that the starting browser holds."""
    account_id: AccountId | None
    """Whose account the answer is to be linked to; None where it is to sign somebody in."""
    nonce: str = field(repr=False)
    code_verifier: str = field(repr=False)
    language: str
    onward: Onward
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Proof:
    """What another provider said, once its signature and all its claims were checked."""

    upstream_id: UpstreamId
    issuer: str
    subject: str
    level: Level
    methods: tuple[str, ...]
    email: EmailAddress | None
    """Only when the provider says that it is verified."""
    profile: Profile

    @property
    def sign_in_method(self) -> SignInMethod:
        return SignInMethod(self.methods, self.level)


@dataclass(frozen=True, slots=True)
class Arrival:
    """Somebody proven whom we do not know yet: she opens an account, or links her own."""

    proof: Proof
    browser_digest: bytes
    language: str
    onward: Onward
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Identity:
    """A way into an account: the person that a provider knows by a subject of its own."""

    id: UUID
    upstream_id: UpstreamId
    account_id: AccountId
    linked_at: datetime
    last_used_at: datetime


def read_methods(amr: object) -> tuple[str, ...]:
    """Return the `amr` values (RFC 8176) that may stand in a session."""
    named = [value for value in amr if isinstance(value, str)] if isinstance(amr, list) else []
    good = [value for value in named if _METHOD.fullmatch(value)]
    return tuple(dict.fromkeys(good))[:MAX_METHODS] or (FEDERATED,)


def may_unlink(identities: Collection[Identity], *, has_password: bool) -> bool:
    """Say whether a way in stays when one identity goes."""
    return has_password or len(identities) > 1


def is_fresh(authenticated_at: datetime, now: datetime) -> bool:
    return now - authenticated_at <= LINK_FRESHNESS
