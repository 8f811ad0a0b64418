"""Tell a client that a resident is signed out (OpenID Connect Back-Channel Logout 1.0)."""

from datetime import datetime, timedelta

from citizen_account.domain.accounts import AccountId, SessionId
from citizen_account.domain.clients import Client
from citizen_account.domain.keys import KeyUse
from citizen_account.openid.provider import Provider
from citizen_account.openid.subjects import session_name, subject_of
from citizen_account.security.tokens import new_secret

# Section 2.4: short, so that a captured one is soon worthless. Each delivery gets a new one.
LOGOUT_TOKEN_LIFETIME = timedelta(minutes=2)
LOGOUT_TOKEN_TYPE = "logout+jwt"  # noqa: S105  # a header value, no secret
EVENT = "http://schemas.openid.net/event/backchannel-logout"


def make_logout_token(
    provider: Provider,
    client: Client,
    account_id: AccountId,
    session_id: SessionId | None,
    *,
    now: datetime,
) -> str:
    """Return the token of section 2.4: for one session, or for all that the resident has there."""
    claims: dict[str, object] = {
        "iss": provider.issuer,
        "aud": client.id,
        "iat": int(now.timestamp()),
        "exp": int((now + LOGOUT_TOKEN_LIFETIME).timestamp()),
        "jti": new_secret(),
        "sub": subject_of(account_id, client, provider.pairwise_key),
        "events": {EVENT: {}},
    }
    if session_id is not None:
        claims["sid"] = session_name(session_id, client, provider.pairwise_key)
    signer = provider.keys.signer(KeyUse.IDENTITY, client.id_token_algorithm)
    return signer.sign(claims, LOGOUT_TOKEN_TYPE)
