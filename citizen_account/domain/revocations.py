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
    event.code
    for event in (
        AccountClosed,
        AgreementNarrowed,
        ClientDecided,
        ClientDisabled,
        ClientLeft,
        ClosingAsked,
        ClosingUndone,
        ConsentNarrowed,
        ConsentWithdrawn,
        KeyRevoked,
        PasswordChanged,
        ResourceDisabled,
        RoleRevoked,
        ServiceUnlinked,
        UpstreamUnlinked,
    )
)
"""Codes of events that end something, or replace what may have been stolen."""


@dataclass(frozen=True, slots=True)
class Revocation:
    """When which of these events happened, with its ids."""

    at: datetime
    kind: str
    facts: Mapping[str, str]
