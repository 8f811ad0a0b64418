"""Check the logout tokens that the account sends (OIDC Back-Channel Logout 1.0 section 2.6)."""

import time
from collections.abc import Mapping
from dataclasses import dataclass

from joserfc import jwt
from joserfc.errors import InvalidKeyIdError, JoseError
from joserfc.jwk import KeySet
from joserfc.jws import JWSRegistry

from citizen_account.demo.library.account import CityAccount

EVENT = "http://schemas.openid.net/event/backchannel-logout"
ALGORITHMS = ("RS256", "ES256")
LEEWAY_SECONDS = 60
MAX_AGE_SECONDS = 300
MAX_REMEMBERED = 10_000
KEYS_AGAIN_AFTER_SECONDS = 10


@dataclass(frozen=True, slots=True)
class LogoutOrder:
    """Whose visits end: those of one session of the account, or all of one reader's."""

    subject: str | None
    account_session: str | None


class LogoutTokenInvalidError(Exception):
    """The token does not say what it must; the reason is for the log."""


class LogoutTokens:
    def __init__(self, account: CityAccount) -> None:
        self._account = account
        self._seen: dict[str, float] = {}
        self._keys_read_at = float("-inf")

    async def check(self, token: str) -> LogoutOrder:
        """Return the order, once. Raises: LogoutTokenInvalidError."""
        claims = await self._verified(token)
        self._check_claims(claims)
        self._use(str(claims["jti"]))
        subject, session = claims.get("sub"), claims.get("sid")
        return LogoutOrder(
            subject if isinstance(subject, str) else None,
            session if isinstance(session, str) else None,
        )

    async def _verified(self, token: str) -> Mapping[str, object]:
        try:
            decoded = await self._decode(token)
        except (JoseError, ValueError) as error:
            raise LogoutTokenInvalidError("signature") from error
        # Section 2.4: typed explicitly, so that no ID token passes for a logout token.
        if str(decoded.header.get("typ", "logout+jwt")).lower() != "logout+jwt":
            raise LogoutTokenInvalidError("typ")
        return decoded.claims

    async def _decode(self, token: str) -> jwt.Token:
        registry = JWSRegistry(algorithms=list(ALGORITHMS), strict_check_header=False)
        keys = KeySet.import_key_set(dict(await self._account.keys()))  # type: ignore[arg-type]  # JSON of a key set
        try:
            return jwt.decode(token, keys, registry=registry)
        except InvalidKeyIdError:
            keys = KeySet.import_key_set(dict(await self._newer_keys()))  # type: ignore[arg-type]  # as above
            return jwt.decode(token, keys, registry=registry)

    async def _newer_keys(self) -> Mapping[str, object]:
        # A stranger with made-up key ids must not make us ask the account over and over.
        due = time.monotonic() - self._keys_read_at > KEYS_AGAIN_AFTER_SECONDS
        if due:
            self._keys_read_at = time.monotonic()
        return await self._account.keys(again=due)

    def _check_claims(self, claims: Mapping[str, object]) -> None:
        now = time.time()
        settings = self._account.settings
        audience = claims.get("aud")
        events = claims.get("events")
        issued, expires = claims.get("iat"), claims.get("exp")
        rules = {
            "iss": claims.get("iss") == settings.issuer,
            "aud": settings.client_id in (audience if isinstance(audience, list) else [audience]),
            "iat": isinstance(issued, int | float)
            and -LEEWAY_SECONDS <= now - issued <= MAX_AGE_SECONDS,
            "exp": isinstance(expires, int | float) and expires > now - LEEWAY_SECONDS,
            "jti": bool(claims.get("jti")) and isinstance(claims.get("jti"), str),
            "events": isinstance(events, dict) and isinstance(events.get(EVENT), dict),
            # A nonce is prohibited: it would make an ID token of it.
            "nonce": "nonce" not in claims,
            "sub or sid": bool(claims.get("sub") or claims.get("sid")),
        }
        broken = [name for name, holds in rules.items() if not holds]
        if broken:
            raise LogoutTokenInvalidError(", ".join(broken))

    def _use(self, identifier: str) -> None:
        now = time.monotonic()
        self._seen = {jti: until for jti, until in self._seen.items() if until > now}
        if identifier in self._seen or len(self._seen) >= MAX_REMEMBERED:
            raise LogoutTokenInvalidError("replayed")
        self._seen[identifier] = now + MAX_AGE_SECONDS + 2 * LEEWAY_SECONDS
