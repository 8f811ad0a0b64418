"""Say which of a resident's claims a token opens, and what /userinfo answers (OIDC Core 5.3)."""

from collections.abc import Mapping

from citizen_account.domain.accounts import Account
from citizen_account.domain.claims import Value, claim_values, claims_of_scopes
from citizen_account.domain.clients import Client
from citizen_account.domain.grants import Grant, PresentedToken, TokenKind
from citizen_account.openid.grants import OPENID
from citizen_account.openid.provider import Provider
from citizen_account.openid.subjects import subject_of


def released_claims(grant: Grant, scope: str) -> frozenset[str]:
    """Return the grant's claims, less those of the scopes that the token gave up."""
    if scope == grant.scope:
        return grant.claims
    given_up = frozenset(grant.scope.split()) - frozenset(scope.split())
    kept = claims_of_scopes(frozenset(scope.split()))
    return grant.claims - (claims_of_scopes(given_up) - kept)


def values_of(account: Account, names: frozenset[str]) -> dict[str, Value]:
    """Return the values that the account has for these claims, and no other."""
    return {name: value for name, value in claim_values(account).items() if name in names}


def opens_userinfo(presented: PresentedToken) -> bool:
    """Say whether it is an access token of a sign-in, not of a client's own business."""
    return (
        presented.token.kind is TokenKind.ACCESS
        and presented.grant.account_id is not None
        and OPENID in presented.token.scope.split()
    )


def make_userinfo(
    provider: Provider, client: Client, account: Account, presented: PresentedToken
) -> Mapping[str, Value]:
    # OIDC Core section 5.3.2: `sub` is always there, and the one of the ID token.
    subject = subject_of(account.id, client, provider.pairwise_key)
    released = released_claims(presented.grant, presented.token.scope)
    return {"sub": subject, **values_of(account, released)}
