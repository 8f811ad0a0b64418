"""Send valid requests to many processes without a pause, and read what they sign as services do."""

from collections import defaultdict, deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import count
from time import monotonic
from typing import Any

import httpx2
from joserfc import jwt
from joserfc.errors import InvalidKeyIdError
from joserfc.jwk import KeySet

from citizen_account.bootstrap import Runtime
from citizen_account.domain.keys import KeyUse
from tests.faults.hurried_keys import LONGEST_TOKEN, hurried
from tests.relying_party import Party, basic_header
from tests.services import SECRET, authorize

Answer = httpx2.Response
SIGNED_INTROSPECTION = "application/token-introspection+jwt"
# What node's jose waits before it asks for a key set again.
COOLDOWN = timedelta(seconds=30)
Kind = tuple[KeyUse, str]
"""What a key is for: its use and algorithm."""


@dataclass(frozen=True, slots=True)
class Api:
    """An API of the city that takes JWTs, and how they are signed."""

    resource: str
    scope: str
    algorithm: str


@dataclass
class Verifier:
    """A service that keeps the key set for as long as it is told: RFC 9111 section 5.2.2.1."""

    fetch: Callable[[], Awaitable[Answer]]
    asks_again: bool
    """OIDC Core section 10.1.1: for a key id that it does not know. Not every service does."""
    _keys: KeySet = field(default_factory=lambda: KeySet([]))
    _fetched_at: float = float("-inf")
    _lasts: float = 0.0

    async def read(self, token: str, algorithm: str) -> jwt.Token:
        if monotonic() >= self._fetched_at + self._lasts:
            await self._renew()
        try:
            return jwt.decode(token, self._keys, algorithms=[algorithm])
        except InvalidKeyIdError:
            if not self.asks_again or monotonic() < self._fetched_at + hurried(COOLDOWN):
                raise
        await self._renew()
        return jwt.decode(token, self._keys, algorithms=[algorithm])

    async def _renew(self) -> None:
        answer = good(await self.fetch())
        self._keys = KeySet.import_key_set(answer.json())
        self._fetched_at = monotonic()
        self._lasts = int(answer.headers["cache-control"].partition("max-age=")[2])


@dataclass
class Load:
    """Who asks, of which processes, and which keys have signed at which process."""

    city: Runtime
    clients: Sequence[httpx2.AsyncClient]
    signed: defaultdict[tuple[int, Kind], set[str]] = field(
        default_factory=lambda: defaultdict(set)
    )
    """Key ids, by the number of the process and what they are for."""
    is_over: bool = False

    def verifier(self, *, asks_again: bool) -> Verifier:
        """Return a service that fetches the key set from each process in turn."""
        turns = count()
        return Verifier(lambda: self._at(next(turns)).get("/jwks"), asks_again)

    async def of_machine(self, api: Api, verifier: Verifier) -> None:
        """Get JWTs for an API (RFC 9068); the API reads them as long as they live, and asks."""
        alive: deque[tuple[float, str]] = deque()
        asked = {"scope": api.scope, "resource": api.resource}
        turn = 0
        while not self.is_over:
            until = monotonic() + hurried(LONGEST_TOKEN)
            issued = good(await self._library(turn).ask_for_itself(asked)).json()
            alive.append((until, issued["access_token"]))
            await self._read(verifier, turn, issued["access_token"], (KeyUse.ACCESS, api.algorithm))
            while alive[0][0] < monotonic() and len(alive) > 1:
                alive.popleft()
            oldest = alive[0][1]
            await verifier.read(oldest, api.algorithm)
            described = good(await self._introspect(turn + 1, oldest)).text
            claims = await self._read(verifier, turn + 1, described, (KeyUse.ANSWER, "PS256"))
            assert claims["token_introspection"]["active"] is True
            turn += 1

    async def of_resident(self, verifier: Verifier) -> None:
        """Sign a resident in, ask who she is (OIDC Core section 5.3.2) and refresh."""
        turn = 0
        while not self.is_over:
            code = await authorize(self.city)
            issued = good(await self._library(turn).redeem(code)).json()
            await self._read(verifier, turn, issued["id_token"], (KeyUse.IDENTITY, "RS256"))
            known = good(await self._library(turn + 1).userinfo(issued["access_token"]))
            assert known.headers["content-type"] == "application/jwt"
            await self._read(verifier, turn + 1, known.text, (KeyUse.ANSWER, "ES256"))
            renewed = good(await self._library(turn + 2).refresh(issued["refresh_token"])).json()
            await self._read(verifier, turn + 2, renewed["id_token"], (KeyUse.IDENTITY, "RS256"))
            turn += 1

    async def _read(
        self, verifier: Verifier, turn: int, token: str, kind: Kind
    ) -> Mapping[str, Any]:  # Any: claims of each type
        opened = await verifier.read(token, kind[1])
        self.signed[turn % len(self.clients), kind].add(opened.header["kid"])
        return opened.claims

    async def _introspect(self, turn: int, token: str) -> Answer:
        """RFC 9701 section 4."""
        headers = {
            "Accept": SIGNED_INTROSPECTION,
            "Authorization": basic_header("parking", SECRET),
        }
        return await self._at(turn).post("/introspect", data={"token": token}, headers=headers)

    def _library(self, turn: int) -> Party:
        return Party(self._at(turn), "library", SECRET)

    def _at(self, turn: int) -> httpx2.AsyncClient:
        return self.clients[turn % len(self.clients)]


def good(answer: Answer) -> Answer:
    """Return the answer to a valid request, which no change of keys may make fail."""
    assert answer.is_success, (answer.status_code, answer.text)
    return answer
