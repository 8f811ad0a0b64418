"""Talk to the provider as a service does, sharing no code with `openid/`."""

from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import quote

import httpx2

from tests.factories import REDIRECT_URI, VERIFIER

Fields = Mapping[str, str | None]
UNCHANGED: Fields = {}


@dataclass(frozen=True)
class Party:
    """A service, its name and its secret; one without a secret is public."""

    http: httpx2.AsyncClient
    client_id: str = "library"
    secret: str | None = None

    async def redeem(self, code: str, changes: Fields = UNCHANGED) -> httpx2.Response:
        """Send the token request of RFC 6749 section 4.1.3."""
        request = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": REDIRECT_URI,
            "code_verifier": VERIFIER,
        }
        return await self.send("/token", {**request, **changes})

    async def refresh(self, token: str, changes: Fields = UNCHANGED) -> httpx2.Response:
        request = {"grant_type": "refresh_token", "refresh_token": token}
        return await self.send("/token", {**request, **changes})

    async def ask_for_itself(self, changes: Fields = UNCHANGED) -> httpx2.Response:
        return await self.send("/token", {"grant_type": "client_credentials", **changes})

    async def introspect(self, token: str, changes: Fields = UNCHANGED) -> httpx2.Response:
        return await self.send("/introspect", {"token": token, **changes})

    async def revoke(self, token: str, changes: Fields = UNCHANGED) -> httpx2.Response:
        return await self.send("/revoke", {"token": token, **changes})

    async def send(self, path: str, fields: Fields) -> httpx2.Response:
        """Post a form; a field that is None is left out."""
        sent = {name: value for name, value in fields.items() if value is not None}
        if self.secret is None:
            return await self.http.post(path, data={"client_id": self.client_id, **sent})
        headers = {"Authorization": basic_header(self.client_id, self.secret)}
        return await self.http.post(path, data=sent, headers=headers)

    async def userinfo(self, access_token: str) -> httpx2.Response:
        return await self.http.get("/userinfo", headers=bearer(access_token))


def basic_header(client_id: str, secret: str) -> str:
    # RFC 6749 section 2.3.1: both halves are form-encoded before they are joined.
    pair = f"{quote(client_id, safe='')}:{quote(secret, safe='')}"
    return f"Basic {b64encode(pair.encode()).decode()}"


def bearer(access_token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {access_token}"}
