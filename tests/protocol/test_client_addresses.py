"""What stands behind a client's own addresses: its keys, and the redirect URIs of its sector."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from ipaddress import ip_network
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx2
import pytest
from joserfc.jwk import ECKey

from citizen_account.bootstrap import Runtime
from citizen_account.domain.clients import ClientId
from citizen_account.domain.registrations import RegistrationMode
from citizen_account.openid.key_sets import MAXIMUM_AGE
from citizen_account.outbound import Outbound
from citizen_account.usecases.client_keys import READING_RULE, ClientKeys
from tests.authorizing import Fields, request_fields
from tests.factories import ISSUER, REDIRECT_URI, Clock
from tests.listening import Peer, answering, listening, new_authority
from tests.proofs import code_fields, encode
from tests.registering import MINIMAL, Registered, opened, send
from tests.services import GRANT, SECRET, authorize, open_account, register
from tests.verifying import verified

SERVED_NAME = "library.example"
TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
SECTOR_LIST = "sector_identifier_uri"
Body = Mapping[str, Any]  # Any: what JSON may be


def as_json(body: object) -> bytes:
    return answering("200 OK", json.dumps(body).encode())


@pytest.fixture
async def peer(tmp_path: Path) -> AsyncIterator[Peer]:
    """Yield the client's own server, by TLS; what it answers is the test's to say."""
    authority = new_authority(tmp_path)
    async with listening(as_json({}), tls=authority.serving(SERVED_NAME)) as peer:
        yield peer


@pytest.fixture
async def runtime(runtime: Runtime, peer: Peer, tmp_path: Path) -> AsyncIterator[Runtime]:
    """Yield a city whose resolver finds the client's server, on an allowed network."""

    async def resolve(host: str, port: int) -> list[str]:
        assert (host, port) == (SERVED_NAME, peer.port)
        return ["127.0.0.1"]

    allowed = [ip_network("127.0.0.0/8")]
    outbound = Outbound(allowed, tmp_path / "authority.pem", resolve=resolve)
    keys = ClientKeys(runtime.database, outbound)
    city = replace(opened(runtime, RegistrationMode.OPEN), outbound=outbound, client_keys=keys)
    yield city
    await outbound.close()


def address_of(peer: Peer, path: str = "/file.json") -> str:
    return f"https://{SERVED_NAME}:{peer.port}{path}"


@dataclass
class Signer:
    """A client with its keys at `jwks_uri`."""

    http: httpx2.AsyncClient
    peer: Peer
    clock: Clock
    client_id: str = ""
    kid: str = ""
    key: ECKey = field(default_factory=lambda: ECKey.generate_key("P-256"))

    def rotate(self, kid: str | None = None) -> None:
        """Publish another key instead of the present one."""
        self.key = ECKey.generate_key("P-256")
        self.kid = kid or uuid4().hex
        self.peer.answer = as_json({"keys": [{**self.key.as_dict(private=False), "kid": self.kid}]})

    def assertion(self, kid: str | None = None) -> dict[str, str]:
        now = int(self.clock.now.timestamp())
        claims = {"iss": self.client_id, "sub": self.client_id, "aud": ISSUER, "iat": now}
        claims |= {"exp": now + 60, "jti": uuid4().hex}
        signed = encode({"alg": "ES256", "kid": kid or self.kid}, claims, self.key)
        return {"client_assertion": signed, "client_assertion_type": TYPE}

    async def prove(self, kid: str | None = None) -> tuple[int, str]:
        """Introspect with an assertion; return the status and the error."""
        answer = await self.post("/introspect", {"token": "any"}, kid)
        return answer.status_code, answer.json().get("error", "")

    async def post(self, path: str, fields: Fields, kid: str | None = None) -> httpx2.Response:
        return await self.http.post(path, data={**fields, **self.assertion(kid)})


@pytest.fixture
async def signer(http: httpx2.AsyncClient, peer: Peer, clock: Clock) -> Signer:
    signer = Signer(http, peer, clock)
    signer.rotate()
    method = {"token_endpoint_auth_method": "private_key_jwt", "jwks_uri": address_of(peer)}
    grants = {"grant_types": ["authorization_code", "refresh_token"]}
    signer.client_id = (await Registered.new(http, {**MINIMAL, **method, **grants})).client_id
    return signer


# --- jwks_uri -------------------------------------------------------------------------------------


async def test_keys_are_read_once_and_again_when_the_client_rotates_them(signer: Signer) -> None:
    # OIDC Core section 10.1.1.
    assert signer.peer.requests == []
    for _ in range(3):
        assert await signer.prove() == (200, "")
    assert len(signer.peer.requests) == 1
    signer.rotate()
    assert await signer.prove() == (200, "")
    assert len(signer.peer.requests) == 2


async def test_refresh_token_is_good_with_the_client_s_next_key(
    runtime: Runtime, signer: Signer, clock: Clock
) -> None:
    assert GRANT.account_id is not None
    await open_account(runtime, GRANT.account_id)
    code = await authorize(runtime, client_id=ClientId(signer.client_id))
    redeemed = await signer.post("/token", code_fields(code))
    signer.rotate()
    clock.now += timedelta(seconds=60)
    wish = {"grant_type": "refresh_token", "refresh_token": redeemed.json()["refresh_token"]}
    refreshed = await signer.post("/token", wish)
    assert refreshed.status_code == 200
    subjects = [
        (await verified(signer.http, answer.json()["id_token"])).claims["sub"]
        for answer in (redeemed, refreshed)
    ]
    assert subjects[0] == subjects[1]
    assert len(signer.peer.requests) == 2


async def test_keys_are_forgotten_with_their_age(signer: Signer, clock: Clock) -> None:
    assert await signer.prove() == (200, "")
    kid, stolen = signer.kid, signer.key
    signer.rotate(kid)
    fresh, signer.key = signer.key, stolen
    assert await signer.prove() == (200, "")
    clock.now += MAXIMUM_AGE
    assert await signer.prove() == (400, "invalid_client")
    signer.key = fresh
    assert await signer.prove() == (200, "")


async def test_many_requests_at_once_wait_for_one_answer(signer: Signer) -> None:
    answers = await asyncio.gather(*(signer.prove() for _ in range(8)))
    assert answers == [(200, "")] * 8
    assert len(signer.peer.requests) == 1


async def test_invented_key_ids_make_us_knock_so_often_and_no_more(
    signer: Signer, clock: Clock
) -> None:
    for number in range(READING_RULE.limit + 5):
        assert await signer.prove(f"invented-{number}") == (400, "invalid_client")
    assert len(signer.peer.requests) == READING_RULE.limit
    # The client itself goes on meanwhile by the keys that are known.
    assert await signer.prove() == (200, "")
    clock.now += timedelta(minutes=1)
    assert await signer.prove("invented") == (400, "invalid_client")
    assert len(signer.peer.requests) == READING_RULE.limit + 1


@pytest.mark.parametrize(
    "answer",
    [
        answering("500 Oops"),
        answering("302 Found", b"", "Location: https://library.example/elsewhere"),
        answering("200 OK", b"<html>"),
        as_json([]),
        as_json({"keys": {}}),
        as_json({"keys": ["key"]}),
        as_json({"keys": [ECKey.generate_key("P-256").as_dict(private=True)]}),
        as_json({"keys": [{"kty": "EC", "kid": str(n)} for n in range(51)]}),
        as_json({"keys": [], "more": "x" * 70_000}),
        answering("200 OK", b'{"keys": [{"kty": "EC", "x": 1e999}]}'),
    ],
    ids=[
        "fault",
        "redirect",
        "page",
        "list",
        "no list of keys",
        "no keys",
        "private key",
        "too many keys",
        "too large",
        "no number",
    ],
)
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_address_without_a_key_set_proves_nobody(signer: Signer, answer: bytes) -> None:
    signer.peer.answer = answer
    assert await signer.prove() == (400, "invalid_client")
    # Once its server is well again, so is the client.
    signer.rotate()
    assert await signer.prove() == (200, "")


async def test_keys_that_were_read_outlive_an_address_that_fails(
    signer: Signer, clock: Clock
) -> None:
    assert await signer.prove() == (200, "")
    signer.peer.answer = answering("503 Busy")
    clock.now += MAXIMUM_AGE
    assert await signer.prove() == (200, "")
    assert len(signer.peer.requests) == 2


async def test_request_object_is_verified_by_the_same_keys(
    runtime: Runtime, http: httpx2.AsyncClient, signer: Signer, clock: Clock
) -> None:
    await register(runtime, jwks_uri=address_of(signer.peer))
    now = int(clock.now.timestamp())
    claims = {**request_fields(), "iss": "library", "aud": ISSUER, "nbf": now, "exp": now + 60}
    signed = encode({"alg": "ES256", "kid": signer.kid}, claims, signer.key)
    fields = {"client_id": "library", "request": signed}
    answer = await http.post("/par", data=fields, auth=httpx2.BasicAuth("library", SECRET))
    assert answer.status_code == 201, answer.text


async def test_client_that_names_another_address_is_known_by_that_alone(
    runtime: Runtime, http: httpx2.AsyncClient, peer: Peer, clock: Clock
) -> None:
    signer = Signer(http, peer, clock)
    signer.rotate()
    method = {"token_endpoint_auth_method": "private_key_jwt", "jwks_uri": address_of(peer)}
    registered = await Registered.new(http, {**MINIMAL, **method})
    signer.client_id = registered.client_id
    assert await signer.prove() == (200, "")
    other = {**MINIMAL, **method, "jwks_uri": address_of(peer, "/other.json")}
    changed = await registered.ask("PUT", {"client_id": signer.client_id, **other})
    assert changed.status_code == 200
    async with runtime.database.read() as uow:
        client = await uow.clients.find(ClientId(signer.client_id))
    assert client is not None
    assert client.jwks is None


# --- sector_identifier_uri ------------------------------------------------------------------------


async def test_sector_is_the_host_of_the_list(
    runtime: Runtime, http: httpx2.AsyncClient, peer: Peer
) -> None:
    # OIDC Registration section 5, OIDC Core section 8.1.
    uris = [REDIRECT_URI, "https://branch.example/callback"]
    peer.answer = as_json([*uris, "https://more.example/"])
    metadata = {"redirect_uris": uris, SECTOR_LIST: address_of(peer)}
    registered = await Registered.new(http, metadata)
    assert registered.body[SECTOR_LIST] == address_of(peer)
    async with runtime.database.read() as uow:
        client = await uow.clients.find(ClientId(registered.client_id))
    assert client is not None
    assert client.sector == SERVED_NAME
    # A later change is held to the list as well.
    more = {"redirect_uris": [*uris, "https://thief.example/"], SECTOR_LIST: address_of(peer)}
    answer = await registered.ask("PUT", {"client_id": registered.client_id, **more})
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_client_metadata")


@pytest.mark.parametrize(
    "answer",
    [
        as_json(["https://library.example/other"]),
        as_json([]),
        as_json({"redirect_uris": [REDIRECT_URI]}),
        as_json(REDIRECT_URI),
        as_json([[REDIRECT_URI]]),
        answering("404 Not Found"),
        answering("301 Moved", b"", "Location: https://library.example/list"),
        answering("200 OK", b"not json"),
    ],
)
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_redirect_uri_outside_of_the_list_is_refused(
    runtime: Runtime, http: httpx2.AsyncClient, peer: Peer, answer: bytes
) -> None:
    peer.answer = answer
    refused = await send(http, {**MINIMAL, SECTOR_LIST: address_of(peer)})
    assert (refused.status_code, refused.json()["error"]) == (400, "invalid_client_metadata")
    assert SECTOR_LIST in refused.json()["error_description"]
    async with runtime.database.read() as uow:
        assert await uow.clients.page(after="", size=10) == []
