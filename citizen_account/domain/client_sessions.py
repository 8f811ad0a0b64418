"""Describe which services a browser is signed in to through the account: single sign-on."""

from dataclasses import dataclass
from datetime import datetime

from citizen_account.domain.accounts import AccountId, SessionId
from citizen_account.domain.clients import ClientId


@dataclass(frozen=True, slots=True)
class ClientSession:
    """One service in one session. Its `sid` is derived from the two: `openid/subjects.py`."""

    session_id: SessionId
    client_id: ClientId
    account_id: AccountId
    first_used_at: datetime
    last_used_at: datetime
    ended_at: datetime | None
    """When the session or the consent ended: the service is told by back-channel logout."""
