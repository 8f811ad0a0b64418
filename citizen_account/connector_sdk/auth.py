"""Prove to a source who calls. A connector never sees what stands here: the operator wrote it."""

import base64
import hashlib
import hmac
import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol
from urllib.parse import quote_plus

from citizen_account.connector_sdk.errors import Misconfigured

PostForm = Callable[[str, Mapping[str, str], Mapping[str, str]], Awaitable[object]]
"""Post form fields with headers to a URL and return the JSON that comes back."""

# A token is renewed this long before it ends, so that it does not end on its way.
MARGIN = timedelta(seconds=30)
DEFAULT_TOKEN_SECONDS = 300


class Credentials(Protocol):
    async def headers(self, post_form: PostForm) -> Mapping[str, str]:
        """Return the headers that a request carries."""
        ...

    def forget(self) -> None:
        """Drop what was fetched earlier: the source no longer takes it."""
        ...


class _Held:
    """Credentials that are written down, not fetched."""

    def forget(self) -> None:
        return


@dataclass(frozen=True, slots=True)
class NoCredentials(_Held):
    async def headers(self, _: PostForm) -> Mapping[str, str]:
        return {}


@dataclass(frozen=True)
class ApiKey(_Held):
    key: str = field(repr=False)
    header: str = "X-Api-Key"

    async def headers(self, _: PostForm) -> Mapping[str, str]:
        return {self.header: self.key}


@dataclass(frozen=True)
class Basic(_Held):
    username: str
    password: str = field(repr=False)

    async def headers(self, _: PostForm) -> Mapping[str, str]:
        return {"Authorization": basic_header(self.username, self.password)}


@dataclass(frozen=True)
class JwtClient(_Held):
    """A short-lived JWT signed with a shared secret, as the Dutch ZGW APIs ask."""

    client_id: str
    secret: str = field(repr=False)
    clock: Callable[[], datetime] = field(repr=False)

    async def headers(self, _: PostForm) -> Mapping[str, str]:
        return {"Authorization": f"Bearer {self._token()}"}

    def _token(self) -> str:
        # RFC 7515 section 3.1; HS256 is RFC 7518 section 3.2.
        header = {"alg": "HS256", "typ": "JWT"}
        claims = {
            "iss": self.client_id,
            "iat": int(self.clock().timestamp()),
            "client_id": self.client_id,
            # The account itself calls: no resident stands in another system's log.
            "user_id": "citizen-account",
            "user_representation": "Citizen account",
        }
        signed = b".".join(_base64url(json.dumps(part).encode()) for part in (header, claims))
        signature = hmac.digest(self.secret.encode(), signed, hashlib.sha256)
        return (signed + b"." + _base64url(signature)).decode()


@dataclass(frozen=True, slots=True)
class _Token:
    header: str = field(repr=False)
    ends_at: datetime


@dataclass
class ClientCredentials:
    """RFC 6749 section 4.4; the token is kept until shortly before it ends."""

    token_url: str
    client_id: str
    secret: str = field(repr=False)
    clock: Callable[[], datetime] = field(repr=False)
    scope: str = ""
    _token: _Token | None = field(default=None, init=False, repr=False)

    async def headers(self, post_form: PostForm) -> Mapping[str, str]:
        if self._token is None or self._token.ends_at <= self.clock() + MARGIN:
            self._token = await self._fetch(post_form)
        return {"Authorization": self._token.header}

    def forget(self) -> None:
        self._token = None

    async def _fetch(self, post_form: PostForm) -> _Token:
        asked = {"grant_type": "client_credentials", "scope": self.scope}
        # RFC 6749 section 2.3.1: both parts are form-encoded before they are joined.
        proof = basic_header(quote_plus(self.client_id), quote_plus(self.secret))
        answer = await post_form(
            self.token_url, {k: v for k, v in asked.items() if v}, {"Authorization": proof}
        )
        match answer:
            case {"access_token": str(token), **rest}:
                seconds = rest.get("expires_in", DEFAULT_TOKEN_SECONDS)
                lifetime = seconds if isinstance(seconds, int) else DEFAULT_TOKEN_SECONDS
                ends_at = self.clock() + timedelta(seconds=max(0, min(lifetime, 86_400)))
                return _Token(f"Bearer {token}", ends_at)
            case _:
                raise Misconfigured("the token endpoint gave no access token")


def basic_header(username: str, password: str) -> str:
    """Return the value of an Authorization header (RFC 7617)."""
    return "Basic " + base64.b64encode(f"{username}:{password}".encode()).decode()


def _base64url(raw: bytes) -> bytes:
    return base64.urlsafe_b64encode(raw).rstrip(b"=")
