"""RFC 9068: a client's own JWT leaves no row, and can be asked about and revoked all the same."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import KeySet
from sqlalchemy import delete, func, select

from citizen_account.bootstrap import Runtime
from citizen_account.domain.keys import KeyUse
from citizen_account.storage.grants import GrantRow, TokenRow
from citizen_account.usecases.clients import disable_client
from citizen_account.usecases.keys import revoke_key
from citizen_account.usecases.tokens import forget_expired
from tests.factories import Clock
from tests.proofs import Prover, send_proven
from tests.relying_party import Party
from tests.resource_servers import GRANT_TYPES, PARKING, SCOPE, register_api
from tests.services import authorize, register

INACTIVE = {"active": False}
ASKED = {"scope": "parking.read", "resource": PARKING}
MANY = 8


@pytest.fixture
async def token(library: Party, parking: Party) -> str:
    """Return a token that the library got for itself."""
    assert parking
    issued: str = (await library.ask_for_itself(ASKED)).json()["access_token"]
    return issued


async def counts(runtime: Runtime) -> tuple[int, int]:
    """Return how many grants and tokens there are."""
    async with runtime.database.engines.reader.connect() as connection:
        grants, tokens = [
            (await connection.execute(select(func.count()).select_from(table))).scalar_one()
            for table in (GrantRow, TokenRow)
        ]
    return grants, tokens


async def claims_of(party: Party, token: str) -> dict[str, Any]:  # Any: claims of each type
    published = KeySet.import_key_set((await party.http.get("/jwks")).json())
    return jwt.decode(token, published, algorithms=["ES256"]).claims


async def test_only_the_trail_is_written_and_leads_to_the_token(
    runtime: Runtime, library: Party, token: str
) -> None:
    assert await counts(runtime) == (0, 0)
    async with runtime.database.read() as uow:
        [entry] = await uow.audit.page(before=None, size=9, event="tokens_issued")
    assert entry.facts["grant_id"] == (await claims_of(library, token))["jti"]


@pytest.mark.parametrize("is_bound", [False, True], ids=["bearer", "dpop"])
async def test_rfc7662_2_2_answer_is_that_of_a_token_with_a_row(
    runtime: Runtime, library: Party, parking: Party, clock: Clock, *, is_bound: bool
) -> None:
    prover = Prover(clock)
    fields = {"grant_type": "client_credentials", **ASKED}
    answers = []
    for token_format in ("opaque", "jwt"):
        await register_api(runtime, access_token_format=token_format)
        proofs = [prover.proof("/token")] if is_bound else []
        issued = (await send_proven(library, fields, *proofs)).json()
        answers += [
            (await party.introspect(issued["access_token"])).json() for party in (library, parking)
        ]
    assert await counts(runtime) == (1, 1)
    assert answers == [answers[0]] * 4
    assert answers[0]["active"] is True
    assert answers[0].get("cnf") == ({"jkt": prover.thumbprint} if is_bound else None)


async def test_rfc7662_4_token_of_another_client_looks_unknown(museum: Party, token: str) -> None:
    assert (await museum.introspect(token)).json() == INACTIVE


async def test_rfc7009_2_1_revoked_token_is_dead_and_forgotten_in_time(
    runtime: Runtime, library: Party, parking: Party, token: str, clock: Clock
) -> None:
    other = (await library.ask_for_itself(ASKED)).json()["access_token"]
    # RFC 7009 section 2.2: once more is no error.
    for _ in range(2):
        assert (await library.revoke(token)).status_code == 200
        for party in (library, parking):
            assert (await party.introspect(token)).json() == INACTIVE
            assert (await party.introspect(other)).json()["active"] is True
    assert await counts(runtime) == (1, 1)
    clock.now += timedelta(days=2)
    async with runtime.database.begin() as uow:
        await forget_expired(uow)
    assert await counts(runtime) == (0, 0)
    assert (await library.introspect(token)).json() == INACTIVE


async def test_rfc7009_2_1_of_many_who_revoke_at_once_none_fails(
    runtime: Runtime, library: Party, token: str
) -> None:
    answers = await asyncio.gather(*(library.revoke(token) for _ in range(MANY)))
    assert {answer.status_code for answer in answers} == {200}
    assert (await library.introspect(token)).json() == INACTIVE
    assert await counts(runtime) == (1, 1)


async def test_rfc7009_2_1_token_of_another_client_is_unharmed(
    runtime: Runtime, library: Party, parking: Party, museum: Party, token: str
) -> None:
    for stranger in (museum, parking):
        answer, unknown = await stranger.revoke(token), await stranger.revoke("unknown")
        assert (answer.status_code, answer.content) == (unknown.status_code, unknown.content)
    assert (await library.introspect(token)).json()["active"] is True
    assert await counts(runtime) == (0, 0)


async def test_expired_token_is_dead_and_its_revocation_leaves_nothing(
    runtime: Runtime, library: Party, token: str, clock: Clock
) -> None:
    clock.now += timedelta(minutes=10)
    assert (await library.introspect(token)).json() == INACTIVE
    assert (await library.revoke(token)).status_code == 200
    assert await counts(runtime) == (0, 0)


async def test_client_that_was_shut_out_and_let_in_again_has_none_of_its_tokens(
    runtime: Runtime, library: Party, parking: Party, token: str, clock: Clock
) -> None:
    async with runtime.database.begin() as uow:
        assert await disable_client(uow, "library")
    assert (await parking.introspect(token)).json() == INACTIVE
    clock.now += timedelta(seconds=1)
    await register(runtime, grant_types=GRANT_TYPES, scope=SCOPE)
    later = (await library.ask_for_itself(ASKED)).json()["access_token"]
    for party in (library, parking):
        assert (await party.introspect(token)).json() == INACTIVE
        assert (await party.introspect(later)).json()["active"] is True


async def test_token_of_a_revoked_key_is_dead(
    runtime: Runtime, library: Party, token: str, clock: Clock
) -> None:
    """OIDC Core section 10.1.1: whoever stole the key could have made it."""
    lost = (await runtime.keys.load()).signer(KeyUse.ACCESS, "ES256").kid
    async with runtime.database.begin() as uow:
        assert await revoke_key(uow, lost)
    clock.now += timedelta(minutes=1)
    assert (await library.introspect(token)).json() == INACTIVE


@pytest.mark.usefixtures("parking")
async def test_resident_s_token_does_not_outlive_its_row(runtime: Runtime, library: Party) -> None:
    """RFC 9068 section 5: hers has another `sub`, and ends with what she allowed."""
    code = await authorize(runtime, scope="openid parking.read", resources=(PARKING,))
    hers = (await library.redeem(code)).json()["access_token"]
    assert (await library.introspect(hers)).json()["active"] is True
    async with runtime.database.engines.writer.begin() as connection:
        await connection.execute(delete(GrantRow))
    assert await counts(runtime) == (0, 0)
    assert (await library.introspect(hers)).json() == INACTIVE
    assert (await library.revoke(hers)).status_code == 200
    assert await counts(runtime) == (0, 0)


async def test_4_token_for_an_api_opens_nothing_of_ours(library: Party, token: str) -> None:
    assert (await library.userinfo(token)).status_code == 401
    me = await library.http.get("/api/v1/consents", headers={"Authorization": f"Bearer {token}"})
    assert me.status_code == 401
