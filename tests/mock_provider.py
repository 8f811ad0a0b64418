"""An OpenID provider that does as it is told, right or wrong. It shares no code with ours."""

import base64
import hashlib
import json
import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit

import httpx2
from joserfc import jwt
from joserfc.jwk import KeySet, RSAKey
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from citizen_account.domain.accounts import Level
from citizen_account.domain.upstreams import Upstream, UpstreamId
from citizen_account.upstream.file import CLAIMS, Credentials, ListedUpstream
from citizen_account.upstream.providers import Upstreams
from citizen_account.upstream.transport import BoundedTransport

JSON = dict[str, Any]  # Any: JSON as it goes over the wire


HIGH = "https://eid.example/acr/high"


@cache
def rsa_key(kid: str) -> RSAKey:
    """Make a key once for the whole run: it takes a while."""
    return RSAKey.generate_key(2048, {"kid": kid, "use": "sig", "alg": "RS256"})


@dataclass
class MockProvider:
    issuer: str = "https://eid.example"
    client_id: str = "city-account"
    client_secret: str = "a-secret-of-at-least-32-characters"
    claims: JSON = field(default_factory=lambda: {"sub": "subject-1"})
    """What userinfo says."""
    id_token_changes: JSON = field(default_factory=dict)
    """Claims of the ID token to set; None takes one away."""
    id_token: str | None = None
    """A whole ID token to send instead."""
    metadata_changes: JSON = field(default_factory=dict)
    published: tuple[str, ...] = ("key-1",)
    signed_with: str = "key-1"
    userinfo_subject: str | None = None
    status: int = 200
    """Anything but 200: every endpoint answers so."""
    body: bytes | None = None
    """A body for every endpoint but discovery."""
    requests: list[str] = field(default_factory=list)
    _codes: dict[str, dict[str, str]] = field(default_factory=dict)
    refreshes: set[str] = field(default_factory=set)
    clock: Callable[[], float] = time.time

    @property
    def transport(self) -> httpx2.ASGITransport:
        return httpx2.ASGITransport(app=self.app)

    @property
    def app(self) -> Starlette:
        return Starlette(
            routes=[
                Route("/.well-known/openid-configuration", self._discovery),
                Route("/jwks", self._jwks),
                Route("/token", self._token, methods=["POST"]),
                Route("/userinfo", self._userinfo),
            ]
        )

    def approve(self, authorization_url: str, **changes: str | None) -> str:
        """Return where the provider sends the browser after the resident said yes."""
        asked = dict(parse_qsl(urlsplit(authorization_url).query))
        code = secrets.token_urlsafe(16)
        self._codes[code] = asked
        answer: dict[str, str | None] = {
            "code": code,
            "state": asked["state"],
            "iss": self.issuer,
            **changes,
        }
        given = {name: value for name, value in answer.items() if value is not None}
        return f"{asked['redirect_uri']}?{urlencode(given)}"

    def sign(self, claims: JSON, *, key: str | None = None, **header: str) -> str:
        kid = key or self.signed_with
        return jwt.encode({"alg": "RS256", "kid": kid, **header}, claims, rsa_key(kid))

    def id_token_claims(self, nonce: str | None) -> JSON:
        now = int(self.clock())
        claims = {
            "iss": self.issuer,
            "sub": self.claims["sub"],
            "aud": self.client_id,
            "iat": now,
            "exp": now + 300,
            "auth_time": now,
            "nonce": nonce,
            **self.id_token_changes,
        }
        return {name: value for name, value in claims.items() if value is not None}

    async def _discovery(self, _: Request) -> Response:
        self.requests.append("discovery")
        if self.status != 200:
            return Response("down", self.status)
        return JSONResponse(
            {
                "issuer": self.issuer,
                "authorization_endpoint": f"{self.issuer}/authorize",
                "token_endpoint": f"{self.issuer}/token",
                "userinfo_endpoint": f"{self.issuer}/userinfo",
                "jwks_uri": f"{self.issuer}/jwks",
                "end_session_endpoint": f"{self.issuer}/logout",
                "response_types_supported": ["code"],
                "subject_types_supported": ["pairwise"],
                "id_token_signing_alg_values_supported": ["RS256"],
                "authorization_response_iss_parameter_supported": True,
                **self.metadata_changes,
            }
        )

    async def _jwks(self, _: Request) -> Response:
        self.requests.append("jwks")
        keys = KeySet([rsa_key(kid) for kid in self.published])
        return self._answer(dict(keys.as_dict(private=False)))

    async def _token(self, request: Request) -> Response:
        self.requests.append("token")
        form = {
            name: values[0] for name, values in parse_qs((await request.body()).decode()).items()
        }
        user = base64.b64encode(f"{self.client_id}:{self.client_secret}".encode()).decode()
        if request.headers.get("authorization") != f"Basic {user}":
            return JSONResponse({"error": "invalid_client"}, 401)
        if form.get("grant_type") == "refresh_token":
            return self._refresh(form)
        asked = self._codes.pop(form.get("code", ""), None)
        if asked is None or not _is_proved(asked, form):
            return JSONResponse({"error": "invalid_grant"}, 400)
        id_token = self.id_token or self.sign(self.id_token_claims(asked.get("nonce")))
        return self._answer({**self._tokens(), "id_token": id_token})

    def _refresh(self, form: dict[str, str]) -> Response:
        if form.get("refresh_token") not in self.refreshes:
            return JSONResponse({"error": "invalid_grant"}, 400)
        self.refreshes.remove(form["refresh_token"])
        return self._answer(self._tokens())

    def _tokens(self) -> JSON:
        refresh = secrets.token_urlsafe(16)
        self.refreshes.add(refresh)
        return {
            "access_token": secrets.token_urlsafe(16),
            "refresh_token": refresh,
            "token_type": "Bearer",
            "expires_in": 300,
        }

    async def _userinfo(self, request: Request) -> Response:
        self.requests.append("userinfo")
        if not self.refreshes or not request.headers.get("authorization", "").startswith("Bearer "):
            return JSONResponse({"error": "invalid_token"}, 401)
        return self._answer({**self.claims, "sub": self.userinfo_subject or self.claims["sub"]})

    def _answer(self, content: JSON) -> Response:
        body = json.dumps(content).encode() if self.body is None else self.body
        return Response(body, self.status, media_type="application/json")


def _is_proved(asked: dict[str, str], form: dict[str, str]) -> bool:
    challenge = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
    return (
        base64.urlsafe_b64encode(challenge).rstrip(b"=").decode() == asked.get("code_challenge")
        and asked.get("code_challenge_method") == "S256"
        and form.get("redirect_uri") == asked["redirect_uri"]
    )


class Wire(httpx2.AsyncBaseTransport):
    """Bring each request to the provider of its host, as the network would."""

    def __init__(self, providers: Mapping[str, MockProvider]) -> None:
        self._hosts = {
            urlsplit(provider.issuer).hostname: provider.transport
            for provider in providers.values()
        }

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        return await self._hosts[request.url.host].handle_async_request(request)


def upstreams_of(ours: str, **providers: MockProvider) -> Upstreams:
    """List the providers by their ids, as an operator's file would."""
    listed = [
        ListedUpstream(
            upstream=Upstream(
                UpstreamId(name), provider.issuer, {"en": f"Test {name}"}, {HIGH: Level.HIGH}
            ),
            credentials=Credentials(provider.client_id, provider.client_secret, None),
            scope="openid profile email",
            claims={claim: claim for claim in (*CLAIMS, "nickname", "picture")},
        )
        for name, provider in providers.items()
    ]
    return Upstreams(listed, ours, BoundedTransport(Wire(providers)))
