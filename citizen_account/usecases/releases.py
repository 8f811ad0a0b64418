"""Word what a token lets a service see, for the resident's access log."""

from collections.abc import Sequence
from datetime import datetime

from citizen_account.domain.accounts import AccountId
from citizen_account.domain.claims import COMPANIONS
from citizen_account.domain.clients import Client
from citizen_account.domain.grants import Grant
from citizen_account.domain.ledger import ActorKind, LedgerEntry
from citizen_account.openid.userinfo import released_claims
from citizen_account.security.tokens import new_id


def releases(client: Client, grant: Grant, scope: str, now: datetime) -> Sequence[LedgerEntry]:
    """Return one entry for each purpose under which claims are released; none without claims."""
    if grant.account_id is None:
        return ()
    released = released_claims(grant, scope)
    by_purpose = {
        purpose.id: released & {use.name for use in purpose.claims} for purpose in client.purposes
    }
    # What no purpose names was released too, and is not kept quiet; companions go without saying.
    unnamed = released.difference(COMPANIONS, *by_purpose.values())
    found = {**by_purpose, "": unnamed}
    return [
        _entry(grant.account_id, grant, purpose, claims, now)
        for purpose, claims in found.items()
        if claims
    ]


def _entry(
    account_id: AccountId, grant: Grant, purpose: str, claims: frozenset[str], now: datetime
) -> LedgerEntry:
    return LedgerEntry(
        id=new_id(),
        account_id=account_id,
        at=now,
        actor_kind=ActorKind.SERVICE,
        actor=grant.client_id,
        what=tuple(sorted(claims)),
        purpose=purpose,
        reference=str(grant.id),
    )
