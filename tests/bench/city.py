"""Invent what every provider under test serves: residents, services, a password."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from citizen_account.domain.accounts import AccountId, Profile
from tests.factories import PASSWORD, REDIRECT_URI
from tests.services import SECRET

SCOPE = "openid profile email"
RESOURCE = "https://cases.city.example/"
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
CASES: dict[str, Any] = {
    "resource": RESOURCE,
    "resource_name": "Cases",
    "access_token_format": "jwt",
    "scopes_supported": ["cases.read"],
}
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
