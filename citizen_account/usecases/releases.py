"""Word what a token lets a service see, for the resident's access log."""

from collections.abc import Sequence
from datetime import datetime

from citizen_account.domain.accounts import AccountId
from citizen_account.domain.claims import decided_claims
from citizen_account.domain.clients import Client, purposes_of
from citizen_account.domain.grants import Grant
from citizen_account.domain.ledger import ActorKind, LedgerEntry
from citizen_account.security.tokens import new_id


def releases(
    client: Client, grant: Grant, claims: frozenset[str], now: datetime
) -> Sequence[LedgerEntry]:
    """Return one entry for each purpose under which claims are released; none without claims."""
    if grant.account_id is None:
        return ()
    # As the resident decided it: the parts of a name go as one, what goes with a claim unsaid.
    released = frozenset(decided_claims(claims))
    by_purpose = {
        purpose.id: released & {use.name for use in purpose.claims}
        for purpose in purposes_of(client)
    }
    # What no purpose names any more was released too, and is not kept quiet.
    found = {**by_purpose, "": released.difference(*by_purpose.values())}
    return [
        _entry(grant.account_id, grant, purpose, names, now)
        for purpose, names in found.items()
        if names
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
