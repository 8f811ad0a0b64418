"""How long grants, codes and tokens are kept."""

from datetime import timedelta

import httpx2
import pytest
from sqlalchemy import func, select

from citizen_account.bootstrap import Runtime
from citizen_account.storage.grants import CodeRow, GrantRow, TokenRow
from citizen_account.usecases.tokens import forget_expired
from tests.factories import Clock
from tests.relying_party import Party
from tests.services import GRANT, SECRET, authorize, open_account, register


@pytest.fixture
async def library(runtime: Runtime, http: httpx2.AsyncClient) -> Party:
    assert GRANT.account_id is not None
    await open_account(runtime, GRANT.account_id)
    await register(runtime)
    return Party(http, "library", SECRET)


async def counts(runtime: Runtime) -> tuple[int, int, int]:
    """Return how many grants, codes and tokens there are."""
    async with runtime.database.engines.reader.connect() as connection:
        grants, codes, tokens = [
            (await connection.execute(select(func.count()).select_from(table))).scalar_one()
            for table in (GrantRow, CodeRow, TokenRow)
        ]
    return grants, codes, tokens


async def forget(runtime: Runtime) -> None:
    async with runtime.database.begin() as uow:
        await forget_expired(uow)


async def test_rows_go_when_they_can_no_longer_be_misused(
    runtime: Runtime, library: Party, clock: Clock
) -> None:
    assert (await library.redeem(await authorize(runtime))).status_code == 200
    await forget(runtime)
    assert await counts(runtime) == (1, 1, 2)
    clock.now += timedelta(minutes=11)
    await forget(runtime)
    # The used code and the access token have expired; the refresh token lives.
    assert await counts(runtime) == (1, 0, 1)
    clock.now += timedelta(days=30)
    await forget(runtime)
    assert await counts(runtime) == (0, 0, 0)


async def test_grant_that_waits_for_its_code_is_kept(runtime: Runtime, library: Party) -> None:
    code = await authorize(runtime)
    await forget(runtime)
    assert (await library.redeem(code)).status_code == 200
