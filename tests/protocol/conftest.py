"""Give the tests of the provider a resident and a service that she has allowed to know her."""

import httpx2
import pytest

from citizen_account.bootstrap import Runtime
from citizen_account.domain.accounts import AccountId
from tests.relying_party import Party
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
async def museum(runtime: Runtime, http: httpx2.AsyncClient) -> Party:
    """Return another service, which has nothing to do with the library."""
    redirect_uris = ["https://museum.example/callback"]
    client = await register(runtime, client_id="museum", redirect_uris=redirect_uris)
    return Party(http, client.id, SECRET)
