"""Choose how what we answer is signed, and sign introspections (RFC 9701)."""

from collections.abc import Mapping
from datetime import datetime

from citizen_account.domain.clients import Client, ClientProfile
from citizen_account.domain.keys import DEFAULT_ALGORITHM, KeyUse
from citizen_account.openid.provider import Provider

HIGH_ALGORITHM = "PS256"
INTROSPECTION_TYPE = "token-introspection+jwt"
INTROSPECTION_MEDIA = f"application/{INTROSPECTION_TYPE}"


def algorithm_for(client: Client, member: str) -> str:
    """Return what the client registered under this member, or what its profile asks for."""
    registered = client.metadata.get(member)
    if isinstance(registered, str):
        return registered
    # FAPI 2.0 section 5.4.1: RS256 is not for it.
    return HIGH_ALGORITHM if client.profile is ClientProfile.HIGH else DEFAULT_ALGORITHM


def sign_userinfo(provider: Provider, client: Client, claims: Mapping[str, object]) -> str | None:
    """Return the JWT of OIDC Core section 5.3.2; None for a client that wants plain JSON."""
    algorithm = client.userinfo_signed_response_alg
    if algorithm is None:
        return None
    said = {**claims, "iss": provider.issuer, "aud": client.id}
    return provider.keys.signer(KeyUse.ANSWER, algorithm).sign(said)


def sign_introspection(
    provider: Provider, client: Client, described: Mapping[str, object], *, now: datetime
) -> str:
    """Return the JWT of RFC 9701 section 5."""
    claims: dict[str, object] = {
        "iss": provider.issuer,
        "aud": client.id,
        "iat": int(now.timestamp()),
        "token_introspection": dict(described),
    }
    algorithm = algorithm_for(client, "introspection_signed_response_alg")
    return provider.keys.signer(KeyUse.ANSWER, algorithm).sign(claims, INTROSPECTION_TYPE)
