"""Invent what every provider under test serves: residents, services, a password."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from citizen_account.domain.accounts import AccountId, Profile
from tests.factories import PASSWORD, REDIRECT_URI
from tests.services import SECRET

SCOPE = "openid profile email"
CASES_URL = "https://cases.city.example/"
RESIDENTS = 16
# OWASP's floor for Argon2id.
ARGON2 = {"argon2_memory_kib": "19456", "argon2_time_cost": "2", "argon2_parallelism": "1"}
LIBRARY: dict[str, Any] = {
    "client_id": "library",
    "client_secret": SECRET,
    "redirect_uris": [REDIRECT_URI],
    "grant_types": ["authorization_code", "refresh_token"],
    "response_types": ["code"],
    "scope": SCOPE,
}
MACHINE: dict[str, Any] = {
    "client_id": "machine",
    "client_secret": SECRET,
    "redirect_uris": [],
    "grant_types": ["client_credentials"],
    "response_types": [],
    "scope": "cases.read",
}


def resource_of(algorithm: str) -> str:
    """Return the name of the API whose tokens are signed so."""
    return f"{CASES_URL}{algorithm}"


APIS: list[dict[str, Any]] = [
    {
        "resource": resource_of(algorithm),
        "resource_name": "Cases",
        "access_token_format": "jwt",
        "access_token_signing_alg": algorithm,
        "scopes_supported": ["cases.read"],
    }
    for algorithm in ("ES256", "RS256")
]
PROFILE = Profile(given_name="Jana", family_name="Nováková")


@dataclass(frozen=True, slots=True)
class Resident:
    id: AccountId
    email: str
    password: str = PASSWORD


def residents() -> list[Resident]:
    return [
        Resident(AccountId(UUID(int=number)), f"r{number}@example.sk")
        for number in range(1, RESIDENTS + 1)
    ]
