"""Give the modules of the conformance suite what they start from."""

import httpx2
import pytest

from citizen_account.bootstrap import Runtime
from citizen_account.domain.accounts import AccountId, Address, Profile
from tests.authorizing import sign_in
from tests.factories import Clock
from tests.fapi_party import HighParty
from tests.proofs import Prover
from tests.relying_party import Party
from tests.services import FURTHER, GRANT, SECRET, open_account, register

FULL = Profile(
    given_name="Jana",
    family_name="Nováková",
    birthdate="1988-04-12",
    phone_number="+421905111222",
    address=Address(
        street_address="Lipová 4",
        postal_code="811 02",
        locality="Dunajské Mesto",
        country="SK",
    ),
    further=FURTHER,
)
PURPOSE = {
    "id": "conformance",
    "text": "Show that the account keeps to its standards.",
    "legal_basis": "consent",
    "claims": [
        {"name": name, "required": True, "reason": "a module asks for it"}
        for name in ("name", "birthdate", "locale", "email", "phone_number", "address", *FURTHER)
    ],
}
SCOPE = "openid profile email phone address offline_access"


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """Return one kind of database: what the suite looks at does not depend on it."""
    return sqlite_url


@pytest.fixture
async def reader(runtime: Runtime) -> AccountId:
    assert GRANT.account_id is not None
    await open_account(runtime, GRANT.account_id, profile=FULL)
    return GRANT.account_id


@pytest.fixture
async def library(runtime: Runtime, http: httpx2.AsyncClient, reader: AccountId) -> Party:
    """Return the suite's first client: a certified plain one sends no PKCE."""
    assert reader
    client = await register(runtime, scope=SCOPE, require_pkce=False, purposes=[PURPOSE])
    return Party(http, client.id, SECRET)


@pytest.fixture
async def resident(runtime: Runtime, library: Party, reader: AccountId) -> AccountId:
    """Return a resident whose browser is signed in."""
    await sign_in(runtime, library.http, reader)
    return reader


@pytest.fixture
async def high(runtime: Runtime, library: Party, reader: AccountId, clock: Clock) -> HighParty:
    """Return a client of the profile `high`; its browser is signed in."""
    party = HighParty(library.http, clock, Prover(clock))
    await register_high(runtime, party)
    await sign_in(runtime, library.http, reader)
    return party


@pytest.fixture
async def other_high(runtime: Runtime, high: HighParty, clock: Clock) -> HighParty:
    """Return the suite's second client."""
    party = HighParty(high.http, clock, Prover(clock), client_id="museum")
    await register_high(runtime, party)
    return party


async def register_high(runtime: Runtime, party: HighParty, **changes: object) -> None:
    whole: dict[str, object] = {
        "client_id": party.client_id,
        "profile": "high",
        "client_secret": None,
        "token_endpoint_auth_method": "private_key_jwt",
        "jwks": {"keys": [party.key.as_dict(private=False)]},
        "scope": SCOPE,
        "purposes": [PURPOSE],
        # As in docs/conformance.md: the FAPI clients take no part in logout.
        "post_logout_redirect_uris": None,
    }
    await register(runtime, **{**whole, **changes})
