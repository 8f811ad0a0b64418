"""RFC 9470: a resource that needs a better sign-in gets one, and the resident reads why."""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx2
import pytest

from citizen_account.bootstrap import Runtime
from citizen_account.domain.accounts import AccountId
from tests.authorizing import BY_EID, address, allow, answer_in, sign_in
from tests.factories import Clock
from tests.pages import Visitor
from tests.relying_party import Party, bearer
from tests.resource_servers import GRANT_TYPES, PARKING, SCOPE, register_api
from tests.services import SECRET, register

DOCUMENT = Path(__file__).parents[2] / "docs" / "services.md"
API = re.compile(r"^```python api\n(.*?)^```", re.DOTALL | re.MULTILINE)
PARAMETER = re.compile(r'(\w+)="([^"]*)"')
LOW = "http://eidas.europa.eu/LoA/low"
HIGH = "http://eidas.europa.eu/LoA/high"


@pytest.fixture
async def resident(runtime: Runtime, library: Party, reader: AccountId) -> AccountId:
    """Return a resident whose browser is signed in by a password."""
    await sign_in(runtime, library.http, reader)
    return reader


async def acr_of(library: Party, code: str) -> str:
    """Return what a resource server learns of the sign-in (section 6.2)."""
    token = (await library.redeem(code)).json()["access_token"]
    described = (await library.introspect(token)).json()
    assert isinstance(described["auth_time"], int)
    return str(described["acr"])


async def test_5_acr_values_lead_to_a_stronger_sign_in(
    runtime: Runtime, resident: AccountId, visitor: Visitor, library: Party, clock: Clock
) -> None:
    assert await acr_of(library, (await allow(visitor))["code"]) == LOW
    await visitor.open(address({"acr_values": HIGH}))
    assert visitor.path.endswith("/sign-in")
    assert "stronger way" in visitor.text("#why-again") or "silnejším" in visitor.text("#why-again")
    waiting = f"/authorize/continue?{visitor.last.url.query.decode()}"
    clock.now += timedelta(seconds=1)
    await sign_in(runtime, library.http, resident, BY_EID)
    await visitor.open(waiting)
    assert await acr_of(library, answer_in(visitor.left_for)["code"]) == HIGH


async def test_5_sign_in_that_is_no_stronger_is_told_as_it_is(
    runtime: Runtime, resident: AccountId, visitor: Visitor, library: Party, clock: Clock
) -> None:
    await allow(visitor)
    await visitor.open(address({"acr_values": HIGH}))
    waiting = f"/authorize/continue?{visitor.last.url.query.decode()}"
    clock.now += timedelta(seconds=1)
    await sign_in(runtime, library.http, resident)
    await visitor.open(waiting)
    assert await acr_of(library, answer_in(visitor.left_for)["code"]) == LOW


@pytest.mark.usefixtures("resident")
@pytest.mark.parametrize(
    ("changes", "why"),
    [({"max_age": "60"}, "priveľa času"), ({"prompt": "login"}, "žiada")],
    ids=["max_age", "prompt"],
)
async def test_page_says_why_it_asks_again(
    visitor: Visitor, clock: Clock, changes: dict[str, str], why: str
) -> None:
    clock.now += timedelta(minutes=5)
    await visitor.open(address({**changes, "ui_locales": "sk"}))
    assert why in visitor.text("#why-again")


async def test_page_says_nothing_to_who_was_not_signed_in(library: Party, visitor: Visitor) -> None:
    assert library
    await visitor.open(address({"acr_values": HIGH}))
    assert visitor.path.endswith("/sign-in")
    with pytest.raises(LookupError):
        visitor.text("#why-again")


@dataclass(frozen=True)
class Permits:
    """The API of the documents, which asks this account about its tokens."""

    http: httpx2.AsyncClient
    library: Party
    clock: Clock

    async def token(self, code: str) -> str:
        issued = await self.library.redeem(code, {"resource": PARKING})
        return str(issued.json()["access_token"])

    async def open(self, token: str) -> httpx2.Response:
        return await self.http.get("/api/permits", headers=bearer(token))


@pytest.fixture
async def permits(
    runtime: Runtime, library: Party, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> Permits:
    await register(runtime, grant_types=GRANT_TYPES, scope=SCOPE)
    await register_api(runtime)
    [source] = API.findall(DOCUMENT.read_text(encoding="utf-8"))
    monkeypatch.setenv("CITY_ISSUER", runtime.issuer)
    monkeypatch.setenv("PARKING_SECRET", SECRET)
    here: dict[str, Any] = {}  # Any: a module's names
    exec(compile(source, str(DOCUMENT), "exec"), here)  # noqa: S102  # of our own documents
    here["time"] = SimpleNamespace(time=lambda: datetime.timestamp(clock.now))
    # What its own client would send over the network.
    here["account"]._transport = library.http._transport  # noqa: SLF001  # no public way to it
    transport = httpx2.ASGITransport(here["app"])
    http = httpx2.AsyncClient(transport=transport, base_url="https://parking.example")
    return Permits(http, library, clock)


async def test_3_challenge_of_an_api_leads_to_what_it_asks_for(
    runtime: Runtime, resident: AccountId, visitor: Visitor, permits: Permits
) -> None:
    """The whole way: challenge, new request, the page that says why, a token that opens."""
    assert 'error="invalid_token"' in (await permits.open("unknown")).headers["www-authenticate"]
    asked = {"scope": "openid parking.read", "resource": PARKING, "ui_locales": "en"}
    token = await permits.token((await allow(visitor, asked))["code"])
    refused = await permits.open(token)
    assert refused.status_code == 401
    challenge = dict(PARAMETER.findall(refused.headers["www-authenticate"]))
    assert challenge.pop("error") == "insufficient_user_authentication"
    # Section 4: the service passes on what it was told.
    await visitor.open(address({**asked, **challenge}))
    assert "stronger way" in visitor.text("#why-again")
    waiting = f"/authorize/continue?{visitor.last.url.query.decode()}"
    permits.clock.now += timedelta(seconds=1)
    await sign_in(runtime, visitor.http, resident, BY_EID)
    await visitor.open(waiting)
    token = await permits.token(answer_in(visitor.left_for)["code"])
    assert (await permits.open(token)).status_code == 200
    permits.clock.now += timedelta(minutes=6)
    too_old = await permits.open(token)
    assert 'max_age="300"' in too_old.headers["www-authenticate"]
    await visitor.open(address({**asked, **challenge}))
    assert "too long ago" in visitor.text("#why-again")
