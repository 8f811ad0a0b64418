"""Ask the city's account, with Authlib's stock client: sign-in, refresh, userinfo, sign-out."""

import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import httpx2
from authlib.integrations.starlette_client import OAuth, OAuthError
from joserfc.errors import JoseError
from starlette.requests import Request

from citizen_account.demo.library.visits import Reader, Tokens

NAME = "city"
SCOPE = "openid profile email phone"
TIMEOUT_SECONDS = 5


@dataclass(frozen=True, slots=True)
class LibrarySettings:
    """How the account knows the Library, and where both are."""

    issuer: str
    client_id: str
    client_secret: str
    own_address: str

    @property
    def callback(self) -> str:
        return f"{self.own_address}/callback"

    @property
    def after_logout(self) -> str:
        return f"{self.own_address}/signed-out"


class SignInRefusedError(Exception):
    """The account's answer is an error, or none that may be believed."""

    def __init__(self, error: str) -> None:
        super().__init__(error)
        self.error = error


class UnreachableError(Exception):
    """The account did not answer in time, or not sensibly."""


@dataclass(frozen=True, slots=True)
class Renewed:
    reader: Reader


@dataclass(frozen=True, slots=True)
class Refused:
    """What the account answered to the refresh, and to the access token held so far."""

    refresh: str
    userinfo: str


class CityAccount:
    def __init__(
        self, settings: LibrarySettings, transport: httpx2.AsyncBaseTransport | None = None
    ) -> None:
        self._settings = settings
        options: dict[str, Any] = {"verify": ssl.create_default_context()}  # Any: Authlib's options
        if transport is not None:
            options["transport"] = transport
        self._client = OAuth().register(
            NAME,
            client_id=settings.client_id,
            client_secret=settings.client_secret,
            server_metadata_url=f"{settings.issuer}/.well-known/openid-configuration",
            client_kwargs={
                "scope": SCOPE,
                # Authlib adds PKCE only when told so, and then with this method.
                "code_challenge_method": "S256",
                "timeout": TIMEOUT_SECONDS,
                "trust_env": False,
                **options,
            },
        )

    @property
    def settings(self) -> LibrarySettings:
        return self._settings

    async def begin(self, request: Request, language: str) -> str:
        """Return where to send the browser. Raises: UnreachableError."""
        try:
            begun = await self._client.create_authorization_url(
                self._settings.callback, ui_locales=language
            )
        except (httpx2.HTTPError, ValueError) as error:
            raise UnreachableError from error
        await self._client.save_authorize_data(
            request, redirect_uri=self._settings.callback, **begun
        )
        return str(begun["url"])

    async def finish(self, request: Request) -> Reader:
        """Return who signed in. Raises: SignInRefusedError, UnreachableError."""
        await self._check_origin(request)
        try:
            token = await self._client.authorize_access_token(request)
            userinfo = await self._userinfo(token, str(token["userinfo"]["sub"]))
        except OAuthError as error:
            raise SignInRefusedError(error.error) from error
        except (JoseError, KeyError) as error:
            raise SignInRefusedError("id_token_invalid") from error
        except (httpx2.HTTPError, ValueError) as error:
            raise UnreachableError from error
        tokens = Tokens(token["access_token"], token.get("refresh_token"), token["id_token"])
        return Reader(tokens, dict(token["userinfo"]), userinfo)

    async def renew(self, reader: Reader) -> Renewed | Refused:
        """Refresh, then ask for userinfo again. Raises: UnreachableError."""
        try:
            token = await self._client.fetch_access_token(
                grant_type="refresh_token", refresh_token=reader.tokens.refresh or ""
            )
            userinfo = await self._userinfo(token, reader.subject)
        except OAuthError as error:
            return Refused(error.error, await self._try_userinfo(reader))
        except (httpx2.HTTPError, ValueError) as error:
            raise UnreachableError from error
        # RFC 6749 section 6: without a new refresh token the old one stays.
        refresh = token.get("refresh_token", reader.tokens.refresh)
        tokens = Tokens(token["access_token"], refresh, reader.tokens.id_token)
        return Renewed(Reader(tokens, reader.claims, userinfo))

    async def sign_out_address(self, reader: Reader, language: str) -> str:
        """Return where RP-initiated logout begins. Raises: UnreachableError."""
        try:
            begun = await self._client.create_logout_url(
                post_logout_redirect_uri=self._settings.after_logout,
                id_token_hint=reader.tokens.id_token,
                client_id=self._settings.client_id,
                ui_locales=language,
            )
        except (httpx2.HTTPError, ValueError, RuntimeError) as error:
            raise UnreachableError from error
        return str(begun["url"])

    async def metadata(self) -> Mapping[str, Any]:  # Any: JSON as the account publishes it
        return dict(await self._client.load_server_metadata())

    async def keys(self, *, again: bool = False) -> Mapping[str, Any]:  # Any: a JWK set
        return dict(await self._client.fetch_jwk_set(force=again))

    async def _check_origin(self, request: Request) -> None:
        state = request.query_params.get("state", "")
        # RFC 6749 section 10.12: before anything in the answer is believed, errors included.
        if await self._client.framework.get_state_data(request.session, state) is None:
            raise SignInRefusedError("mismatching_state")
        try:
            metadata = await self.metadata()
        except (httpx2.HTTPError, ValueError) as error:
            raise UnreachableError from error
        # RFC 9207 section 2.4: the answer comes from the one who was asked. Authlib does not look.
        promised = bool(metadata.get("authorization_response_iss_parameter_supported"))
        named = request.query_params.get("iss", "" if promised else self._settings.issuer)
        if {named, metadata.get("issuer")} != {self._settings.issuer}:
            raise SignInRefusedError("mismatching_issuer")
        if "error" in request.query_params:
            await self._client.framework.clear_state_data(request.session, state)

    async def _userinfo(
        self, token: Mapping[str, Any], subject: str
    ) -> dict[str, Any]:  # Any: JSON as the account sent it
        userinfo = await self._client.userinfo(token=dict(token))
        # OIDC Core section 5.3.2: another subject's answer must not be used.
        if userinfo.get("sub") != subject:
            raise OAuthError("mismatching_subject")
        return dict(userinfo)

    async def _try_userinfo(self, reader: Reader) -> str:
        token = {"access_token": reader.tokens.access, "token_type": "Bearer"}
        try:
            await self._userinfo(token, reader.subject)
        except httpx2.HTTPStatusError as error:
            return f"HTTP {error.response.status_code}"
        except (OAuthError, httpx2.HTTPError, ValueError):
            return "no answer"
        return "HTTP 200"
