"""Register clients over the network, as a service's own program does, sharing no code with ours."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import httpx2

from citizen_account.bootstrap import Runtime
from citizen_account.domain.registrations import RegistrationMode, RegistrationPolicy
from citizen_account.usecases.registration import make_initial_token
from tests.factories import REDIRECT_URI
from tests.relying_party import bearer

Metadata = Mapping[str, Any]  # Any: what a member may be
MINIMAL: Metadata = {"redirect_uris": [REDIRECT_URI]}


def opened(runtime: Runtime, mode: RegistrationMode, *, requires_pkce: bool = True) -> Runtime:
    """Return the city with another policy."""
    return replace(runtime, registration=RegistrationPolicy(mode, requires_pkce))


async def initial_token(runtime: Runtime, uses: int = 1, days: int = 7) -> str:
    async with runtime.database.begin() as uow:
        return await make_initial_token(uow, uses=uses, lifetime=timedelta(days=days))


async def send(
    http: httpx2.AsyncClient, metadata: Metadata = MINIMAL, token: str | None = None
) -> httpx2.Response:
    """Post the metadata; members that are None are sent as null."""
    headers = {} if token is None else bearer(token)
    return await http.post("/register", json=dict(metadata), headers=headers)


@dataclass(frozen=True)
class Registered:
    """A client that registered itself, with what it was told."""

    http: httpx2.AsyncClient
    body: Mapping[str, Any]

    @classmethod
    async def new(
        cls, http: httpx2.AsyncClient, metadata: Metadata = MINIMAL, token: str | None = None
    ) -> "Registered":
        answer = await send(http, metadata, token)
        assert answer.status_code == 201, answer.text
        return cls(http, answer.json())

    @property
    def client_id(self) -> str:
        return str(self.body["client_id"])

    async def ask(
        self, method: str, body: Metadata | None = None, token: str | None = None
    ) -> httpx2.Response:
        """Send a request of RFC 7592 to the client's own address."""
        headers = bearer(token or self.body["registration_access_token"])
        address = self.body["registration_client_uri"]
        return await self.http.request(method, address, json=body, headers=headers)
