"""Speak to the other providers: discovery, the way there, and what comes back."""

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from ssl import SSLContext
from typing import Any
from zoneinfo import available_timezones

import httpx2
from authlib.integrations.httpx_client import AsyncOAuth2Client, OAuthError
from authlib.oauth2.rfc7523 import PrivateKeyJWT

from citizen_account.domain.accounts import Profile
from citizen_account.domain.claims import FURTHER
from citizen_account.domain.emails import read_email
from citizen_account.domain.profiles import read_further
from citizen_account.domain.upstreams import Login, Proof, Upstream, read_methods
from citizen_account.security.signing import read_header
from citizen_account.security.tokens import new_secret
from citizen_account.upstream.errors import (
    UpstreamCancelledError,
    UpstreamRefusedError,
    UpstreamUnavailableError,
)
from citizen_account.upstream.file import ListedUpstream, read_upstreams
from citizen_account.upstream.id_tokens import (
    Expected,
    KeyUnknownError,
    check_access_token,
    check_claims,
    check_signature,
)
from citizen_account.upstream.metadata import Metadata, read_metadata, well_known
from citizen_account.upstream.transport import TIMES, BoundedTransport

METADATA_SECONDS = 3600
KEYS_AGAIN_AFTER_SECONDS = 60
"""Made-up key ids must not make us ask another provider over and over."""
MAX_NAME = 100

Json = dict[str, Any]  # Any: JSON of another provider, judged where it is read


@dataclass(frozen=True, slots=True)
class Beginning:
    """Where the browser goes, and what we must remember until it is back."""

    address: str
    state: str = field(repr=False)
    nonce: str = field(repr=False)
    code_verifier: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class CallbackAnswer:
    """What the browser brought back, as it stands in the address."""

    state: str = field(repr=False)
    code: str = field(repr=False)
    issuer: str | None
    error: str | None


class Provider:
    """One other provider. Its metadata and keys are kept for a while."""

    def __init__(self, listed: ListedUpstream, callback: str, transport: BoundedTransport) -> None:
        self.upstream: Upstream = listed.upstream
        self._listed = listed
        self._callback = callback
        self._transport = transport
        self._metadata: Metadata | None = None
        self._metadata_until = 0.0
        self._jwks: Json | None = None
        self._jwks_read_at = float("-inf")

    async def begin(self, language: str, *, again: bool = False) -> Beginning:
        """Return the way there; `again` asks for a fresh sign-in.

        Raises: UpstreamUnavailableError, UpstreamRefusedError.
        """
        metadata = await self._read_metadata()
        nonce, verifier = new_secret(), new_secret()
        wishes = {"ui_locales": language} | ({"prompt": "login"} if again else {})
        async with self._client(metadata) as client:
            address, state = client.create_authorization_url(
                metadata.authorization_endpoint,
                state=new_secret(),
                nonce=nonce,
                code_verifier=verifier,
                **wishes,
            )
        return Beginning(address, state, nonce, verifier)

    async def finish(self, login: Login, answer: CallbackAnswer, now: float) -> Proof:
        """Redeem the code and check all that comes for it.

        Raises: UpstreamCancelledError, UpstreamRefusedError, UpstreamUnavailableError.
        """
        metadata = await self._read_metadata()
        self._check_issuer(answer, metadata)
        if answer.error is not None:
            cancelled = answer.error == "access_denied"
            raise UpstreamCancelledError if cancelled else UpstreamRefusedError("error answer")
        token = await self._redeem(metadata, answer.code, login.code_verifier)
        expected = Expected(
            issuer=self.upstream.issuer,
            client_id=self._listed.credentials.client_id,
            nonce=login.nonce,
            algorithms=metadata.algorithms,
            access_token=token["access_token"],
        )
        claims = await self._checked_claims(token["id_token"], expected, metadata)
        subject = check_claims(claims, expected, now)
        said = await self._userinfo(metadata, expected.access_token, subject)
        return self._proof(subject, claims, {**claims, **said})

    def _check_issuer(self, answer: CallbackAnswer, metadata: Metadata) -> None:
        # RFC 9207 section 2.4: errors too come from the one who was asked.
        absent = None if metadata.names_itself else self.upstream.issuer
        named = absent if answer.issuer is None else answer.issuer
        if named != self.upstream.issuer:
            raise UpstreamRefusedError("answer of another issuer")

    async def _redeem(self, metadata: Metadata, code: str, verifier: str) -> Json:
        async with self._client(metadata) as client:
            try:
                token = await client.fetch_token(
                    metadata.token_endpoint,
                    grant_type="authorization_code",
                    code=code,
                    code_verifier=verifier,
                )
            except OAuthError as error:
                raise UpstreamRefusedError(f"token endpoint: {error.error}"[:100]) from error
            except (httpx2.HTTPError, ValueError, TypeError, RecursionError) as error:
                raise UpstreamUnavailableError("token endpoint") from error
        if not all(isinstance(token.get(name), str) for name in ("access_token", "id_token")):
            raise UpstreamRefusedError("token endpoint: no id_token")
        return dict(token)

    async def _checked_claims(
        self, id_token: str, expected: Expected, metadata: Metadata
    ) -> Mapping[str, object]:
        jwks = await self._read_keys(metadata)
        try:
            claims = check_signature(id_token, jwks, expected)
        except KeyUnknownError:
            claims = check_signature(
                id_token, await self._read_keys(metadata, again=True), expected
            )
        check_access_token(claims, str(read_header(id_token)["alg"]), expected.access_token)
        return claims

    async def _userinfo(self, metadata: Metadata, access_token: str, subject: str) -> Json:
        if metadata.userinfo_endpoint is None:
            return {}
        said = await self._get(
            metadata.userinfo_endpoint, {"Authorization": f"Bearer {access_token}"}
        )
        # OIDC Core section 5.3.2: userinfo of another subject must not be used.
        if said.get("sub") != subject:
            raise UpstreamRefusedError("userinfo sub")
        return said

    def _proof(self, subject: str, claims: Mapping[str, object], said: Json) -> Proof:
        names = self._listed.claims
        email = said.get(names["email"])
        is_verified = said.get(names["email_verified"]) is True
        return Proof(
            upstream_id=self.upstream.id,
            issuer=self.upstream.issuer,
            subject=subject,
            level=self.upstream.level_of(claims.get("acr")),
            methods=read_methods(claims.get("amr")),
            email=read_email(email) if isinstance(email, str) and is_verified else None,
            profile=Profile(
                given_name=_name(said.get(names["given_name"])),
                family_name=_name(said.get(names["family_name"])),
                birthdate=_birthdate(said.get(names["birthdate"])),
                further=_further({one: said.get(names[one]) for one in FURTHER if one in names}),
            ),
        )

    async def _read_metadata(self) -> Metadata:
        if self._metadata is None or time.monotonic() > self._metadata_until:
            try:
                document = await self._get(well_known(self.upstream.issuer))
                self._metadata = read_metadata(document, self.upstream.issuer)
            except UpstreamUnavailableError:
                # What it said of itself an hour ago is still the best guess.
                if self._metadata is None:
                    raise
            self._metadata_until = time.monotonic() + METADATA_SECONDS
        return self._metadata

    async def _read_keys(self, metadata: Metadata, *, again: bool = False) -> Json:
        age = time.monotonic() - self._jwks_read_at
        is_due = age > METADATA_SECONDS or (again and age > KEYS_AGAIN_AFTER_SECONDS)
        if self._jwks is None or is_due:
            # Noted before the call: a provider that fails is not asked more often.
            self._jwks_read_at = time.monotonic()
            self._jwks = await self._get(metadata.jwks_uri)
        return self._jwks

    async def _get(self, url: str, headers: Mapping[str, str] | None = None) -> Json:
        request = httpx2.Request("GET", url, headers={"Accept": "application/json"})
        request.headers.update(headers or {})
        request.extensions["timeout"] = TIMES.as_dict()
        try:
            response = await self._transport.handle_async_request(request)
            response.raise_for_status()
            document = response.json()
        except (httpx2.HTTPError, ValueError, RecursionError) as error:
            raise UpstreamUnavailableError(type(error).__name__) from error
        if not isinstance(document, dict):
            raise UpstreamUnavailableError("no JSON object")
        return document

    def _client(self, metadata: Metadata) -> AsyncOAuth2Client:
        credentials = self._listed.credentials
        algorithm = credentials.algorithm
        method = (
            "client_secret_basic"
            if algorithm is None
            # FAPI 2.0 section 5.3.2.1: the audience of an assertion is the issuer, as a string.
            else PrivateKeyJWT(self.upstream.issuer, alg=algorithm)
        )
        return AsyncOAuth2Client(
            client_id=credentials.client_id,
            client_secret=credentials.secret,
            token_endpoint_auth_method=method,
            scope=self._listed.scope,
            redirect_uri=self._callback,
            code_challenge_method="S256",
            token_endpoint=metadata.token_endpoint,
            transport=self._transport,
            timeout=TIMES,
            trust_env=False,
        )


class Upstreams:
    """All other providers that the operator listed, in his order."""

    def __init__(
        self, listed: Sequence[ListedUpstream], issuer: str, transport: BoundedTransport
    ) -> None:
        self._transport = transport
        # RFC 9700 section 4.4: an address of its own for each, so that answers cannot be swapped.
        self._providers = {
            each.upstream.id: Provider(
                each, f"{issuer}/upstream/{each.upstream.id}/callback", transport
            )
            for each in listed
        }

    def __iter__(self) -> Iterator[Upstream]:
        return (provider.upstream for provider in self._providers.values())

    def find(self, upstream_id: str) -> Provider | None:
        return self._providers.get(upstream_id)  # type: ignore[call-overload, no-any-return]  # a plain text finds a NewType key

    async def close(self) -> None:
        await self._transport.close()


def open_upstreams(file: Path | None, issuer: str, trust: SSLContext) -> Upstreams:
    """Read the operator's file, if there is one. Raises: UpstreamsFileError."""
    listed = () if file is None else read_upstreams(file)
    transport = httpx2.AsyncHTTPTransport(verify=trust, trust_env=False)
    return Upstreams(listed, issuer, BoundedTransport(transport))


def _name(value: object) -> str:
    text = " ".join(value.split()) if isinstance(value, str) else ""
    return text if len(text) <= MAX_NAME and text.isprintable() else ""


def _birthdate(value: object) -> str:
    try:
        return time.strftime("%Y-%m-%d", time.strptime(str(value), "%Y-%m-%d"))
    except ValueError:
        return ""


def _further(said: Mapping[str, object]) -> Mapping[str, str]:
    """Return the values that have the form of their claim; the others never came."""
    texts = {name: value for name, value in said.items() if isinstance(value, str)}
    zones = available_timezones() if "zoneinfo" in texts else frozenset[str]()
    read = {name: read_further(name, value, zones) for name, value in texts.items()}
    return {name: value for name, value in read.items() if value}
