"""OpenID Connect Back-Channel Logout 1.0: every service of a session is told of its end."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from urllib.parse import parse_qs
from uuid import UUID

import pytest
from joserfc import jwt
from joserfc.jwk import KeySet

from citizen_account.bootstrap import Runtime
from citizen_account.domain.accounts import AccountId, SessionId
from citizen_account.domain.clients import ClientId
from citizen_account.domain.consents import ConsentEnd, ConsentId
from citizen_account.domain.events import ConsentWithdrawn, SignedOut
from citizen_account.domain.logout_deliveries import DeliveryState, LogoutDelivery
from tests.factories import ISSUER, Clock, work_off
from tests.relying_party import Party
from tests.services import authorize, register

SESSION = SessionId(UUID(int=2))
EVENT = "http://schemas.openid.net/event/backchannel-logout"
LIBRARY, MUSEUM = ClientId("library"), ClientId("museum")


@dataclass
class Receiver:
    """A service's back-channel address: remembers what came, answers as it is told."""

    port: int = 0
    status: int = 200
    bodies: list[str] = field(default_factory=list)

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}/backchannel-logout"

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
        length = int(head.partition("content-length: ")[2].partition("\r\n")[0])
        assert head.startswith("post /backchannel-logout ")
        assert "content-type: application/x-www-form-urlencoded" in head
        self.bodies.append((await reader.readexactly(length)).decode())
        location = "Location: /elsewhere\r\n" if self.status == 302 else ""
        writer.write(f"HTTP/1.1 {self.status} x\r\n{location}Content-Length: 0\r\n\r\n".encode())
        await writer.drain()
        writer.close()


@asynccontextmanager
async def listening() -> AsyncIterator[Receiver]:
    receiver = Receiver()
    server = await asyncio.start_server(receiver.answer, "127.0.0.1", 0)
    receiver.port = server.sockets[0].getsockname()[1]
    async with server:
        yield receiver


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with listening() as receiver:
        yield receiver


@pytest.fixture
async def signed_in(runtime: Runtime, library: Party, receiver: Receiver) -> Party:
    """Return the library, listening, with a reader signed in to it through the account."""
    await register(runtime, backchannel_logout_uri=receiver.address)
    await use(runtime, LIBRARY)
    return library


async def use(runtime: Runtime, client_id: ClientId) -> None:
    async with runtime.database.begin() as uow:
        await uow.client_sessions.record(SESSION, client_id, AccountId(UUID(int=1)), uow.now)


async def sign_out(runtime: Runtime) -> None:
    """Leave what signing out leaves: the event, and its follow-up for the worker."""
    async with runtime.database.begin() as uow:
        await uow.client_sessions.end_of_session(SESSION, uow.now)
        uow.record(SignedOut(AccountId(UUID(int=1)), SESSION))


async def withdraw(runtime: Runtime) -> None:
    async with runtime.database.begin() as uow:
        consent_id = ConsentId(UUID(int=3))
        account_id = AccountId(UUID(int=1))
        uow.record(ConsentWithdrawn(account_id, LIBRARY, consent_id, ConsentEnd.WITHDRAWN))


async def log_of(runtime: Runtime) -> Mapping[str, LogoutDelivery]:
    async with runtime.database.read() as uow:
        lines = await uow.logout_deliveries.of_account(AccountId(UUID(int=1)), size=10)
    return {line.client_id: line for line in lines}


async def logout_token(party: Party, body: str) -> jwt.Token:
    [token] = parse_qs(body, strict_parsing=True)["logout_token"]
    published = KeySet.import_key_set((await party.http.get("/jwks")).json())
    return jwt.decode(token, published, algorithms=["RS256"])


async def test_2_4_token_says_whose_session_ended(
    runtime: Runtime, signed_in: Party, receiver: Receiver, clock: Clock
) -> None:
    issued = (await signed_in.redeem(await authorize(runtime))).json()
    published = KeySet.import_key_set((await signed_in.http.get("/jwks")).json())
    id_claims = jwt.decode(issued["id_token"], published, algorithms=["RS256"]).claims
    await sign_out(runtime)
    await work_off(runtime)
    [body] = receiver.bodies
    token = await logout_token(signed_in, body)
    now = int(clock.now.timestamp())
    assert token.header["typ"] == "logout+jwt"
    assert token.claims == {
        "iss": ISSUER,
        "aud": "library",
        "iat": now,
        "exp": now + 120,
        "jti": token.claims["jti"],
        "sub": id_claims["sub"],
        "sid": id_claims["sid"],
        "events": {EVENT: {}},
    }


async def test_2_5_delivery_is_in_the_log(
    runtime: Runtime, signed_in: Party, receiver: Receiver
) -> None:
    await sign_out(runtime)
    await work_off(runtime)
    line = (await log_of(runtime))["library"]
    assert (line.state, line.attempts, line.last_answer) == (DeliveryState.DELIVERED, 1, "200")
    assert line.session_id == SESSION
    assert signed_in
    assert len(receiver.bodies) == 1


@pytest.mark.parametrize("status", [302, 400, 500, 503])
async def test_2_8_refused_token_is_sent_again_as_a_new_one(
    runtime: Runtime, signed_in: Party, receiver: Receiver, clock: Clock, status: int
) -> None:
    receiver.status = status
    await sign_out(runtime)
    await work_off(runtime)
    line = (await log_of(runtime))["library"]
    assert (line.state, line.last_answer) == (DeliveryState.PENDING, str(status))
    receiver.status = 200
    clock.now += timedelta(seconds=5)
    await work_off(runtime)
    line = (await log_of(runtime))["library"]
    assert (line.state, line.attempts) == (DeliveryState.DELIVERED, 2)
    first, second = [await logout_token(signed_in, body) for body in receiver.bodies]
    assert first.claims["jti"] != second.claims["jti"]


async def test_service_that_is_down_costs_the_others_nothing(
    runtime: Runtime, signed_in: Party, museum: Party, receiver: Receiver
) -> None:
    async with listening() as closed:
        gone = closed.address
    redirect_uris = ["https://museum.example/callback"]
    await register(
        runtime, client_id="museum", redirect_uris=redirect_uris, backchannel_logout_uri=gone
    )
    await use(runtime, MUSEUM)
    await sign_out(runtime)
    await work_off(runtime)
    log = await log_of(runtime)
    assert log["library"].state is DeliveryState.DELIVERED
    assert log["museum"].state is DeliveryState.PENDING
    assert "no_answer" in log["museum"].last_answer
    assert signed_in
    assert museum
    assert len(receiver.bodies) == 1


async def test_forbidden_address_waits_for_a_person(runtime: Runtime, signed_in: Party) -> None:
    await register(runtime, backchannel_logout_uri="https://10.0.0.1/backchannel-logout")
    await sign_out(runtime)
    await work_off(runtime)
    line = (await log_of(runtime))["library"]
    assert (line.state, line.last_answer) == (DeliveryState.UNDELIVERABLE, "address_forbidden")
    async with runtime.database.read() as uow:
        [parked] = await uow.outbox.parked(after=None, size=10)
    assert parked.kind == "backchannel_logout"
    assert signed_in


async def test_withdrawal_ends_every_session_at_the_service(
    runtime: Runtime, signed_in: Party, receiver: Receiver
) -> None:
    await withdraw(runtime)
    await work_off(runtime)
    [body] = receiver.bodies
    claims = (await logout_token(signed_in, body)).claims
    assert "sub" in claims
    assert "sid" not in claims


async def test_client_that_needs_the_session_is_told_each(
    runtime: Runtime, signed_in: Party, receiver: Receiver
) -> None:
    await register(
        runtime,
        backchannel_logout_uri=receiver.address,
        backchannel_logout_session_required=True,
    )
    await withdraw(runtime)
    await work_off(runtime)
    [body] = receiver.bodies
    assert "sid" in (await logout_token(signed_in, body)).claims


async def test_service_without_the_address_is_left_alone(runtime: Runtime, library: Party) -> None:
    await use(runtime, LIBRARY)
    await sign_out(runtime)
    await work_off(runtime)
    assert library
    assert not await log_of(runtime)
