"""Give the tests of the provider a resident and a service that she has allowed to know her."""

import httpx2
import pytest

from citizen_account.bootstrap import Runtime
from citizen_account.domain.accounts import AccountId
from tests.relying_party import Party
from tests.resource_servers import GRANT_TYPES, SCOPE, register_api
from tests.services import GRANT, SECRET, open_account, register


@pytest.fixture
async def reader(runtime: Runtime) -> AccountId:
    """Return a resident with an account, the one that `authorize` speaks of."""
    assert GRANT.account_id is not None
    await open_account(runtime, GRANT.account_id)
    return GRANT.account_id


@pytest.fixture
async def library(runtime: Runtime, http: httpx2.AsyncClient, reader: AccountId) -> Party:
    """Return a service of the city, registered with a secret."""
    client = await register(runtime)
    assert reader
    return Party(http, client.id, SECRET)


@pytest.fixture
async def parking(runtime: Runtime, library: Party, http: httpx2.AsyncClient) -> Party:
    """Return the API's own client; the library may use the API, which takes JWTs."""
    await register(runtime, grant_types=GRANT_TYPES, scope=SCOPE)
    await register_api(runtime, access_token_format="jwt")
    assert library
    return Party(http, "parking", SECRET)


@pytest.fixture
async def museum(runtime: Runtime, http: httpx2.AsyncClient) -> Party:
    """Return another service, which has nothing to do with the library."""
    redirect_uris = ["https://museum.example/callback"]
    client = await register(runtime, client_id="museum", redirect_uris=redirect_uris)
    return Party(http, client.id, SECRET)
