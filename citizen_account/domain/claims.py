"""Say which claims a scope stands for, and what an account can answer (OIDC Core section 5)."""

from collections.abc import Mapping
from functools import lru_cache
from types import MappingProxyType

from citizen_account.domain.accounts import Account, Address, Profile

# An account holds these only where they came with it: where it does not, they are no matter.
FURTHER = (
    "middle_name",
    "nickname",
    "preferred_username",
    "gender",
    "zoneinfo",
    "profile",
    "picture",
    "website",
)
# OIDC Core section 5.4.
CLAIMS_OF_SCOPE: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        "profile": frozenset(
            {"name", "given_name", "family_name", "birthdate", "locale", "updated_at", *FURTHER}
        ),
        "email": frozenset({"email", "email_verified"}),
        "phone": frozenset({"phone_number", "phone_number_verified"}),
        "address": frozenset({"address"}),
    }
)
SCOPES = ("openid", *CLAIMS_OF_SCOPE, "offline_access")
# Of our own API.
CONSENTS_SCOPE = "consents:read"
PERMISSION_SCOPE = "permission:read"
API_SCOPES = (CONSENTS_SCOPE, PERMISSION_SCOPE)
# What the resident decides about, in the order the pages show it. A companion travels with its
# claim and is no decision of its own.
COMPANIONS: Mapping[str, str] = MappingProxyType(
    {"email_verified": "email", "phone_number_verified": "phone_number"}
)
CLAIMS = tuple(sorted(frozenset().union(*CLAIMS_OF_SCOPE.values())))
SHOWN = (
    "name",
    "given_name",
    "family_name",
    "middle_name",
    "nickname",
    "preferred_username",
    "birthdate",
    "gender",
    "email",
    "phone_number",
    "address",
    "locale",
    "zoneinfo",
    "profile",
    "picture",
    "website",
)
_PARTS_OF_NAME = frozenset({"given_name", "family_name"})
# A clock reading of the account, no datum of its own: it goes with whatever is released.
_ACCOMPANIES_ALL = "updated_at"

Value = str | bool | int | Mapping[str, str]


@lru_cache(maxsize=256)
def claims_of_scopes(scopes: frozenset[str]) -> frozenset[str]:
    """Return every claim that the scopes ask for."""
    return frozenset().union(*(CLAIMS_OF_SCOPE.get(scope, frozenset()) for scope in scopes))


def stands_for(claim: str, requested: frozenset[str]) -> str | None:
    """Say under which claim the resident decides about this one; None where she need not."""
    if claim == _ACCOMPANIES_ALL:
        return None
    if claim in _PARTS_OF_NAME and "name" in requested:
        return "name"
    return COMPANIONS.get(claim, claim)


@lru_cache(maxsize=256)
def decided_claims(requested: frozenset[str]) -> tuple[str, ...]:
    """Return what the resident is asked about, in the order the pages show it."""
    asked = {stands_for(claim, requested) for claim in requested}
    return tuple(claim for claim in SHOWN if claim in asked)


def claims_behind(decided: frozenset[str], requested: frozenset[str]) -> frozenset[str]:
    """Return the requested claims that follow from what the resident decided about."""
    return frozenset(
        claim
        for claim in requested
        if (under := stands_for(claim, requested)) is None or under in decided
    )


def held_further(profile: Profile) -> frozenset[str]:
    """Return which of the claims that only come with an account this one holds."""
    return frozenset(name for name in FURTHER if profile.further.get(name))


def only_held(claims: frozenset[str], held: frozenset[str]) -> frozenset[str]:
    """Leave out the further claims that the account does not hold: there is nothing to decide."""
    return claims - (frozenset(FURTHER) - held)


def claim_values(account: Account) -> dict[str, Value]:
    """Return what the account can say, by claim name; what it does not know is left out."""
    profile = account.profile
    known: dict[str, Value] = {
        "name": profile.name,
        "given_name": profile.given_name,
        "family_name": profile.family_name,
        "birthdate": profile.birthdate,
        "locale": account.language,
        "email": account.email or "",
        "phone_number": profile.phone_number,
        "address": _address(profile.address),
        **{name: profile.further.get(name, "") for name in FURTHER},
    }
    values = {name: value for name, value in known.items() if value}
    # OIDC Core section 5.1: updated_at is a JSON number, seconds since the epoch.
    values["updated_at"] = int(account.updated_at.timestamp())
    if account.email:
        values["email_verified"] = True
    if profile.phone_number:
        # Self-declared: nobody called the number.
        values["phone_number_verified"] = False
    return values


def _address(address: Address) -> dict[str, str]:
    parts = {
        "street_address": address.street_address,
        "postal_code": address.postal_code,
        "locality": address.locality,
        "country": address.country,
    }
    given = {name: part for name, part in parts.items() if part}
    if not given:
        return {}
    lines = [
        address.street_address,
        f"{address.postal_code} {address.locality}".strip(),
        address.country,
    ]
    # OIDC Core section 5.1.1: lines of a formatted address are parted by a newline.
    return {"formatted": "\n".join(line for line in lines if line), **given}
