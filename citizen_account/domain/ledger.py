"""Describe who saw which of a resident's data, and why: the access log that she reads."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from citizen_account.domain.accounts import AccountId


class ActorKind(StrEnum):
    RESIDENT = "resident"
    SERVICE = "service"
    CONNECTOR = "connector"
    STAFF = "staff"


@dataclass(frozen=True, slots=True)
class LedgerEntry:
    """One release or one look. Names of claims and purposes only, never a value."""

    id: UUID
    account_id: AccountId
    at: datetime
    actor_kind: ActorKind
    actor: str
    """The client's, the connector's or the role's id."""
    what: tuple[str, ...]
    """Claim names or data categories."""
    purpose: str
    """The purpose's id at the actor; for staff the action's code: `staff.withdrawal`."""
    reference: str = ""
    """A case number or a grant id, when there is one."""
