"""Name what a restored backup must not bring back."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from citizen_account.domain.events import (
    AccountClosed,
    AgreementNarrowed,
    ClientDecided,
    ClientDisabled,
    ClientLeft,
    ClosingAsked,
    ClosingUndone,
    ConsentNarrowed,
    ConsentWithdrawn,
    PasswordChanged,
    ResourceDisabled,
    RoleRevoked,
    ServiceUnlinked,
    UpstreamUnlinked,
)
from citizen_account.domain.operations import KeyRevoked

REVOCATIONS = frozenset(
    {
        AccountClosed.code,
        AgreementNarrowed.code,
        ClientDecided.code,
        ClientDisabled.code,
        ClientLeft.code,
        ClosingAsked.code,
        ClosingUndone.code,
        ConsentNarrowed.code,
        ConsentWithdrawn.code,
        KeyRevoked.code,
        PasswordChanged.code,
        ResourceDisabled.code,
        RoleRevoked.code,
        ServiceUnlinked.code,
        UpstreamUnlinked.code,
    }
)
"""Codes of events that end something, or replace what may have been stolen."""


@dataclass(frozen=True, slots=True)
class Revocation:
    """When which of these events happened, with its ids."""

    at: datetime
    kind: str
    facts: Mapping[str, str]
