"""One sign-in opens two services, and one sign-out reaches both (Back-Channel Logout 1.0)."""

from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlencode

import pytest
from joserfc import jwt

from citizen_account.bootstrap import Runtime
from tests.authorizing import Fields, address, answer_in
from tests.factories import ISSUER, PASSWORD, Clock, work_off
from tests.journeys.steps import JANA
from tests.journeys.steps import register as open_account
from tests.listening import Peer, answering, listening
from tests.pages import Visitor
from tests.relying_party import Party
from tests.services import AFTER_LOGOUT, SECRET, register
from tests.verifying import verified

EVENT = "http://schemas.openid.net/event/backchannel-logout"
ALGORITHMS = {"library": "RS256", "museum": "ES256"}


@dataclass(frozen=True)
class Service:
    """A service, with its listener for sign-outs."""

    party: Party
    peer: Peer

    @property
    def name(self) -> str:
        return self.party.client_id

    @property
    def redirect_uri(self) -> str:
        return f"https://{self.name}.example/callback"

    def ask(self, changes: Fields) -> str:
        return address({"client_id": self.name, "redirect_uri": self.redirect_uri, **changes})

    async def id_token(self, location: str | None) -> str:
        """Redeem the code that the browser brought."""
        code = answer_in(location, self.redirect_uri)["code"]
        issued = await self.party.redeem(code, {"redirect_uri": self.redirect_uri})
        return str(issued.json()["id_token"])

    async def read(self, token: str) -> dict[str, Any]:  # Any: claims
        return dict((await verified(self.party.http, token, ALGORITHMS[self.name])).claims)

    async def logout_token(self) -> jwt.Token:
        """Return the only one that came, and nothing came beside it (section 2.5)."""
        [request] = self.peer.requests
        head, _, body = request.partition(b"\r\n\r\n")
        assert head.startswith(b"POST /backchannel-logout ")
        fields = parse_qs(body.decode(), strict_parsing=True)
        [token] = fields.pop("logout_token")
        assert not fields
        return await verified(self.party.http, token, ALGORITHMS[self.name])


@pytest.fixture
async def services(runtime: Runtime, visitor: Visitor) -> AsyncIterator[Sequence[Service]]:
    """Yield the library and the museum, which sign differently and listen."""
    made = []
    async with AsyncExitStack() as stack:
        for name, algorithm in ALGORITHMS.items():
            peer = await stack.enter_async_context(listening(answering("200 OK")))
            service = Service(Party(visitor.http, name, SECRET), peer)
            await register(
                runtime,
                client_id=name,
                redirect_uris=[service.redirect_uri],
                id_token_signed_response_alg=algorithm,
                backchannel_logout_uri=f"http://127.0.0.1:{peer.port}/backchannel-logout",
                backchannel_logout_session_required=True,
            )
            made.append(service)
        yield made


async def sign_in_through(service: Service, visitor: Visitor) -> str:
    """Sign in on the page to which the service's request leads, allow it; return its ID token."""
    await visitor.open(service.ask({}))
    assert visitor.path.endswith("/sign-in")
    visitor.fill({"#email": JANA, "#password": PASSWORD})
    await visitor.press("#sign-in")
    await visitor.press("#allow")
    return await service.id_token(visitor.left_for)


async def error_in_silence(service: Service, visitor: Visitor) -> str | None:
    await visitor.open(service.ask({"prompt": "none"}))
    return answer_in(visitor.left_for, service.redirect_uri).get("error")


async def test_one_sign_in_opens_both_and_one_sign_out_reaches_both(
    runtime: Runtime,
    visitor: Visitor,
    other_visitor: Visitor,
    services: Sequence[Service],
    clock: Clock,
) -> None:
    library, museum = services
    # In another browser she has an account, and has allowed the museum long ago.
    await open_account(other_visitor, runtime)
    await other_visitor.open(museum.ask({}))
    await other_visitor.press("#allow")
    elsewhere = await museum.read(await museum.id_token(other_visitor.left_for))
    hint = await sign_in_through(library, visitor)
    # The second service asks nothing: neither who she is nor whether she allows it.
    assert await error_in_silence(museum, visitor) is None
    told = {
        "library": await library.read(hint),
        "museum": await museum.read(await museum.id_token(visitor.left_for)),
    }
    assert told["museum"]["auth_time"] == told["library"]["auth_time"]
    assert told["museum"]["sub"] == elsewhere["sub"] != told["library"]["sub"]
    assert told["museum"]["sid"] != elsewhere["sid"]
    leaving = {"id_token_hint": hint, "post_logout_redirect_uri": AFTER_LOGOUT, "state": "s"}
    await visitor.open(f"/logout?{urlencode(leaving)}")
    assert visitor.left_for == f"{AFTER_LOGOUT}?state=s"
    await work_off(runtime)
    now = int(clock.now.timestamp())
    for service in services:
        token = await service.logout_token()
        assert token.header["typ"] == "logout+jwt"
        # Section 2.4: whose session ended, and no `nonce`, so that it is no ID token.
        assert token.claims == {
            "iss": ISSUER,
            "aud": service.name,
            "iat": now,
            "exp": now + 120,
            "jti": token.claims["jti"],
            "sub": told[service.name]["sub"],
            "sid": told[service.name]["sid"],
            "events": {EVENT: {}},
        }
        assert await error_in_silence(service, visitor) == "login_required"
    # The other browser's session is another one.
    assert await error_in_silence(museum, other_visitor) is None
