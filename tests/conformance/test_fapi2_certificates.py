"""fapi2-security-profile-final with certificates: client_auth_type=mtls, sender_constrain=mtls."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from citizen_account.bootstrap import Runtime, build_runtime
from citizen_account.domain.accounts import AccountId
from tests.authorizing import UNCHANGED, Fields, answer_in, request_fields, sign_in
from tests.certificates import ALIAS, SUBJECT, Holder, make, settings_behind
from tests.conformance.conftest import register_high
from tests.factories import Clock
from tests.fapi_party import HighParty
from tests.pages import Visitor
from tests.proofs import Prover, code_fields

AUTHORITY = make("CN=Authority of the suite")
FIRST = make(issuer=AUTHORITY)
SECOND = make("CN=museum,O=City", AUTHORITY)
NOTHING: dict[str, str] = {}
BOUND: dict[str, Any] = {  # Any: metadata
    "tls_client_certificate_bound_access_tokens": True,
    "grant_types": ["authorization_code", "refresh_token"],
}
BY_CERTIFICATE = {"token_endpoint_auth_method": "tls_client_auth", "jwks": None}


@pytest.fixture
async def runtime(sqlite_url: str, clock: Clock, tmp_path: Path) -> AsyncIterator[Runtime]:
    """Yield a city whose proxy, the tests' own address, tells of certificates."""
    settings = settings_behind("127.0.0.1", sqlite_url, AUTHORITY, tmp_path)
    built = build_runtime(settings, clock)
    yield built
    await built.database.close()


class Client:
    """A client of the plan; what it posts comes by the certificates' address."""

    def __init__(self, party: HighParty, holder: Holder, *, signs: bool) -> None:
        self.party = party
        self.holder = holder
        self.signs = signs

    async def register(self, runtime: Runtime, **changes: object) -> None:
        subject = SUBJECT.replace("library", self.party.client_id)
        own = {} if self.signs else {**BY_CERTIFICATE, "tls_client_auth_subject_dn": subject}
        await register_high(runtime, self.party, **{**BOUND, **own, **changes})

    @property
    def unproven(self) -> tuple[int, str]:
        """What it is told that shows no certificate: it lacks a binding, or who it is."""
        return 400, "invalid_request" if self.signs else "invalid_client"

    async def post(
        self, path: str, fields: Fields, headers: dict[str, str] | None = None
    ) -> httpx2.Response:
        proof = self.party.assertion() if self.signs else {}
        form = {"client_id": self.party.client_id, **proof, **fields}
        shown = self.holder.header if headers is None else headers
        return await self.party.http.post(path, data=form, headers=shown)

    async def code(self, visitor: Visitor, changes: Fields = UNCHANGED) -> str:
        asked = request_fields({"client_id": self.party.client_id, **changes})
        pushed = await self.post("/par", asked)
        assert pushed.status_code == 201, pushed.text
        await visitor.open(self.party.address(pushed.json()["request_uri"]))
        if visitor.left_for is None:
            await visitor.press("#allow")
        return answer_in(visitor.left_for)["code"]

    async def read(self, path: str, token: str, headers: dict[str, str]) -> int:
        bearer = {"Authorization": f"Bearer {token}", **headers}
        return (await self.party.http.get(path, headers=bearer)).status_code


@pytest.fixture(params=["private_key_jwt", "mtls"])
async def clients(
    request: pytest.FixtureRequest,
    runtime: Runtime,
    http: httpx2.AsyncClient,
    reader: AccountId,
    clock: Clock,
) -> tuple[Client, Client]:
    signs = request.param == "private_key_jwt"
    made = []
    for name, holder in (("library", FIRST), ("museum", SECOND)):
        party = HighParty(http, clock, Prover(clock), client_id=name)
        made.append(Client(party, holder, signs=signs))
        await made[-1].register(runtime)
    await sign_in(runtime, http, reader)
    return made[0], made[1]


def refusal_of(answer: httpx2.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["error"]


async def test_flow_ends_in_tokens_of_the_certificate(
    clients: tuple[Client, Client], visitor: Visitor
) -> None:
    """happy-flow, refresh-token, access-token-type-header-case-sensitivity."""
    first, second = clients
    answer = await first.post("/token", code_fields(await first.code(visitor)))
    assert (answer.status_code, answer.json()["token_type"]) == (200, "Bearer")
    token = answer.json()["access_token"]
    for path in ("/userinfo", "/api/v1/me/permission"):
        assert await first.read(path, token, FIRST.header) == 200
        assert await first.read(path, token, SECOND.header) == 401
        assert await first.read(path, token, NOTHING) == 401
    refresh = {"grant_type": "refresh_token", "refresh_token": answer.json()["refresh_token"]}
    for _ in range(2):
        assert (await first.post("/token", refresh)).status_code == 200
    assert (await second.post("/token", refresh)).json()["error"] == "invalid_grant"
    # RFC 8705 section 3.4 leaves it to us: no certificate, no token, and not a token for anybody.
    assert refusal_of(await first.post("/token", refresh, NOTHING)) == first.unproven
    assert (await first.post("/token", refresh)).status_code == 200


async def test_code_without_the_certificate_gives_nothing(
    clients: tuple[Client, Client], visitor: Visitor
) -> None:
    """ensure-holder-of-key-required, ensure-authorization-code-is-bound-to-client."""
    first, second = clients
    fields = code_fields(await first.code(visitor))
    bare = await first.post("/token", fields, NOTHING)
    assert refusal_of(bare) == first.unproven
    assert (await second.post("/token", fields)).json()["error"] == "invalid_grant"


async def test_endpoints_are_known_by_their_alias(http: httpx2.AsyncClient) -> None:
    described = (await http.get("/.well-known/openid-configuration")).json()
    aliases = described["mtls_endpoint_aliases"].values()
    assert all(address.startswith(f"{ALIAS}/") for address in aliases)


async def test_plain_oauth_opens_the_api_to_the_certificate(
    runtime: Runtime, clients: tuple[Client, Client], visitor: Visitor
) -> None:
    """openid=plain_oauth: nobody signs in to the client, and no ID token is made."""
    first, _ = clients
    await first.register(runtime, scope="permission:read")
    code = await first.code(visitor, {"scope": "permission:read", "nonce": None})
    answer = await first.post("/token", code_fields(code))
    assert answer.json().keys() >= {"access_token", "refresh_token"}
    assert "id_token" not in answer.json()
    token = answer.json()["access_token"]
    assert await first.read("/api/v1/me/permission", token, FIRST.header) == 200
    for shown in (SECOND.header, NOTHING):
        assert await first.read("/api/v1/me/permission", token, shown) == 401


async def test_client_s_own_token_is_bound_to_the_certificate(
    runtime: Runtime, clients: tuple[Client, Client]
) -> None:
    """fapi_client_credentials_grant: the token opens the API with its certificate alone."""
    first, _ = clients
    own = {"grant_types": ["client_credentials"], "redirect_uris": None, "scope": "consents:read"}
    await first.register(runtime, **own)
    fields = {"grant_type": "client_credentials"}
    answer = await first.post("/token", fields)
    assert (answer.status_code, answer.json()["token_type"]) == (200, "Bearer")
    token = answer.json()["access_token"]
    assert await first.read("/api/v1/consents", token, FIRST.header) == 200
    for shown in (SECOND.header, NOTHING):
        assert await first.read("/api/v1/consents", token, shown) == 401
    assert refusal_of(await first.post("/token", fields, NOTHING)) == first.unproven
