"""Server-side request forgery by every address that a client can register (ASVS 5.0 1.3.6)."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from uuid import uuid4

import httpx2
import pytest
from joserfc.jwk import ECKey

from citizen_account.bootstrap import Runtime
from citizen_account.domain.logout_deliveries import DeliveryState
from citizen_account.domain.registrations import RegistrationMode
from citizen_account.outbound import Outbound
from citizen_account.usecases.backchannel_logout import Plan, perform_delivery
from citizen_account.usecases.client_keys import ClientKeys
from tests.factories import ISSUER, REDIRECT_URI, Clock
from tests.inside_addresses import LEAST_FORMS, Canary, forms, resolve_inside, singing
from tests.proofs import encode
from tests.registering import initial_token, opened, send

KEY = ECKey.generate_key("P-256")
TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
# What is only shown, or followed by a browser: it is never fetched.

SHOWN = ("client_uri", "logo_uri", "policy_uri", "tos_uri", "initiate_login_uri")
AT_ONCE = 8
STEP = 5

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture
async def canary() -> AsyncIterator[Canary]:
    async with singing() as canary:
        yield canary


@pytest.fixture
async def runtime(runtime: Runtime) -> AsyncIterator[Runtime]:
    """Yield a city that sees to it as in production: all names lead to the canary."""
    outbound = Outbound(resolve=resolve_inside, total_seconds=2)
    keys = ClientKeys(runtime.database, outbound)
    city = replace(opened(runtime, RegistrationMode.OPEN), outbound=outbound, client_keys=keys)
    yield city
    await outbound.close()


async def test_canary_hears_nothing(
    runtime: Runtime, http: httpx2.AsyncClient, canary: Canary, clock: Clock
) -> None:
    # Each is tried as eight members: `tests/unit/test_outbound_forms.py` tries the client with all.
    tried = list(dict.fromkeys(forms(canary.port)))[::STEP]
    assert len(tried) * (len(SHOWN) + 3) >= LEAST_FORMS
    token = await initial_token(runtime, uses=10 * len(tried))
    # Some at once find what one disturbs in another.
    for start in range(0, len(tried), AT_ONCE):
        some = tried[start : start + AT_ONCE]
        await asyncio.gather(*(_try(runtime, http, clock, token, url) for url in some))
    assert canary.heard == 0


async def _try(
    runtime: Runtime, http: httpx2.AsyncClient, clock: Clock, token: str, url: str
) -> None:
    base = {"redirect_uris": [REDIRECT_URI]}
    # The list of the sector is fetched at once: by none of these addresses it can be had.
    refused = await send(http, {**base, "sector_identifier_uri": url}, token)
    assert refused.status_code == 400
    by_key = {"token_endpoint_auth_method": "private_key_jwt"}
    answer = await send(http, {**base, **by_key, "jwks_uri": url}, token)
    if answer.status_code == 201:
        await _prove(http, answer.json()["client_id"], clock)
    shown = dict.fromkeys((*SHOWN, "backchannel_logout_uri"), url)
    assert (await send(http, {**base, **shown}, token)).status_code in {201, 400}
    # Whatever the registration thought of it: an old row may hold it.
    told = await perform_delivery(Plan(uuid4(), url, "a.b.c"), runtime.outbound)
    assert told.state is not DeliveryState.DELIVERED


async def _prove(http: httpx2.AsyncClient, client_id: str, clock: Clock) -> None:
    now = int(clock.now.timestamp())
    claims = {"iss": client_id, "sub": client_id, "aud": ISSUER, "iat": now, "exp": now + 60}
    signed = encode({"alg": "ES256", "kid": "1"}, {**claims, "jti": uuid4().hex}, KEY)
    fields = {"token": "any", "client_assertion": signed, "client_assertion_type": TYPE}
    answer = await http.post("/introspect", data=fields)
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_client")


async def test_answer_does_not_tell_what_lies_inside(
    http: httpx2.AsyncClient, canary: Canary
) -> None:
    """A closed port, an open one and an unknown name look alike to who asks."""
    told = set()
    for url in (
        f"https://127.0.0.1:{canary.port}/",
        "https://127.0.0.1:9/",
        "https://10.0.0.1/",
        "https://nowhere.example/",
        "https://[::1]/",
    ):
        metadata = {"redirect_uris": [REDIRECT_URI], "sector_identifier_uri": url}
        told.add((await send(http, metadata)).text)
    assert len(told) == 1
