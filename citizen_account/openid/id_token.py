"""Say to a client who signed in, and read such a token when it comes back as a hint."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from authlib.oidc.core.util import create_half_hash

from citizen_account.domain.assurance import ACR_OF_LEVEL
from citizen_account.domain.claims import Value
from citizen_account.domain.clients import Client
from citizen_account.domain.grants import Grant
from citizen_account.domain.keys import KeyUse
from citizen_account.openid.provider import Provider
from citizen_account.openid.subjects import session_name, subject_of
from citizen_account.security.signing import BadTokenError, KeyRing, read_header, verify

ID_TOKEN_LIFETIME = timedelta(minutes=10)
ID_TOKEN_TYPE = "JWT"  # noqa: S105  # a header value, no secret


@dataclass(frozen=True, slots=True)
class Hint:
    """What an ID token of ours says of a sign-in, however long ago."""

    subject: str
    client_id: str
    session: str | None
    """`sid`, as `session_name` gives it."""
    authenticated_at: int | None
    """`auth_time`, seconds since the epoch."""


@dataclass(frozen=True, slots=True)
class SignInFacts:
    """What an ID token is made of."""

    client: Client
    grant: Grant
    access_token: str
    asked: Mapping[str, Value]
    """The values of `grant.id_token_claims`; no other claim of the resident goes in."""
    nonce: str | None


def make_id_token(provider: Provider, facts: SignInFacts, *, now: datetime) -> str:
    """Return the signed token of OIDC Core section 2."""
    client = facts.client
    claims: dict[str, object] = {
        **facts.asked,
        "iss": provider.issuer,
        "aud": client.id,
        "iat": int(now.timestamp()),
        "exp": int((now + ID_TOKEN_LIFETIME).timestamp()),
        "at_hash": _half_hash(facts.access_token, client.id_token_algorithm),
        **_session_claims(provider, client, facts.grant),
    }
    if facts.nonce is not None:
        claims["nonce"] = facts.nonce
    signer = provider.keys.signer(KeyUse.IDENTITY, client.id_token_algorithm)
    return signer.sign(claims, ID_TOKEN_TYPE)


def read_hint(token: str, keys: KeyRing, issuer: str) -> Hint | None:
    """Return what the hint says if we have signed it, also by a retired key.

    Its expiry is ignored: OIDC Core section 3.1.2.1 and RP-Initiated Logout section 2.
    """
    try:
        # A logout token is signed by the same key: its type keeps it from passing as a hint.
        if read_header(token).get("typ") != ID_TOKEN_TYPE:
            return None
        claims = verify(token, keys.remembered[KeyUse.IDENTITY])
    except BadTokenError:
        return None
    # A signed answer of /userinfo names us, the client and the resident too, but never ends. Keys
    # from before uses were told apart have signed both.
    if claims.get("iss") != issuer or "exp" not in claims:
        return None
    return _hint_of(claims)


def _hint_of(claims: Mapping[str, object]) -> Hint | None:
    match claims:
        case {"sub": str(subject), "aud": str(client_id)}:
            session, at = claims.get("sid"), claims.get("auth_time")
            return Hint(
                subject,
                client_id,
                session if isinstance(session, str) else None,
                at if isinstance(at, int) else None,
            )
        case _:
            return None


def _session_claims(provider: Provider, client: Client, grant: Grant) -> dict[str, object]:
    claims: dict[str, object] = {}
    if grant.account_id is not None:
        claims["sub"] = subject_of(grant.account_id, client, provider.pairwise_key)
    if grant.session_id is not None and _takes_part_in_logout(client):
        claims["sid"] = session_name(grant.session_id, client, provider.pairwise_key)
    return claims | sign_in_claims(grant)


def _takes_part_in_logout(client: Client) -> bool:
    # The logout specifications alone give `sid` a meaning; to others it would be one more name
    # of the resident's browser, which a strict client takes for a claim it never asked for.
    return bool(
        client.post_logout_redirect_uris
        or client.backchannel_logout_uri
        or client.metadata.get("frontchannel_logout_uri")
    )


def sign_in_claims(grant: Grant) -> dict[str, object]:
    """Return when, how and how surely the resident signed in, as far as the grant knows."""
    claims: dict[str, object] = {}
    if grant.authenticated_at is not None:
        claims["auth_time"] = int(grant.authenticated_at.timestamp())
    if grant.level is not None:
        claims["acr"] = ACR_OF_LEVEL[grant.level]
    if grant.methods:
        claims["amr"] = list(grant.methods)
    return claims


def _half_hash(access_token: str, algorithm: str) -> str:
    # OIDC Core section 3.1.3.6. Authlib knows no hash for EdDSA: Ed25519's own is SHA-512.
    named = "ES512" if algorithm == "EdDSA" else algorithm
    hashed: bytes = create_half_hash(access_token, named) or b""
    return hashed.decode()
