"""Derive the names by which clients know a resident and her session (OIDC Core section 8)."""

from citizen_account.domain.accounts import AccountId, SessionId
from citizen_account.domain.clients import Client, SubjectType
from citizen_account.security.tokens import keyed_digest

_HEX_DIGITS = 32


def subject_of(account_id: AccountId, client: Client, pairwise_key: bytes) -> str:
    """Return `sub`: 32 hex digits, the same for all clients of a sector, linkable to no other."""
    # OIDC Core section 8.1: the sector decides; all public clients share one.
    sector = client.sector if client.subject_type is SubjectType.PAIRWISE else ""
    return _short(pairwise_key, "sub", client.subject_type, sector, str(account_id))


def session_name(session_id: SessionId, client: Client, pairwise_key: bytes) -> str:
    """Return `sid`: two services cannot tell by it that they serve the same browser."""
    return _short(pairwise_key, "sid", client.id, str(session_id))


def _short(key: bytes, *parts: str) -> str:
    return keyed_digest(key, *parts).hex()[:_HEX_DIGITS]
