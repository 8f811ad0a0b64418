"""Make access tokens: handles, and JWTs that a resource server reads by itself (RFC 9068)."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from citizen_account.domain.clients import Client
from citizen_account.domain.grants import Grant
from citizen_account.domain.keys import KeyUse
from citizen_account.domain.resources import ResourceServer, TokenFormat
from citizen_account.openid.grants import ACCESS_TOKEN_LIFETIME
from citizen_account.openid.id_token import sign_in_claims
from citizen_account.openid.provider import Provider
from citizen_account.openid.sender import Confirmation
from citizen_account.openid.subjects import subject_of
from citizen_account.security.tokens import new_secret

ACCESS_TOKEN_TYPE = "at+jwt"  # noqa: S105  # a header value, no secret


@dataclass(frozen=True, slots=True)
class AccessFacts:
    """What an access token is made of."""

    client: Client
    grant: Grant
    scope: str
    server: ResourceServer | None
    """Whom it is for; None: ourselves."""
    sender: Confirmation

    @property
    def is_jwt(self) -> bool:
        return self.server is not None and self.server.token_format is TokenFormat.JWT

    @property
    def is_self_contained(self) -> bool:
        """Say whether the token tells all that a row of it would: then none is written.

        A client's own JWT. What rests on a resident's decision has a row, to end with it.
        """
        return self.is_jwt and self.grant.account_id is None


def lifetime_of(server: ResourceServer | None) -> timedelta:
    return ACCESS_TOKEN_LIFETIME if server is None else server.token_lifetime


def make_access_token(provider: Provider, facts: AccessFacts, *, now: datetime) -> str:
    """Return the token in clear, no two alike."""
    server = facts.server
    if server is None or not facts.is_jwt:
        return new_secret()
    claims: dict[str, object] = {
        # RFC 9068 section 2.2: those that are always there.
        "iss": provider.issuer,
        "aud": server.id,
        "sub": access_subject(provider, facts.client, facts.grant),
        "client_id": facts.client.id,
        "iat": int(now.timestamp()),
        "exp": int((now + server.token_lifetime).timestamp()),
        # The audit trail names a grant: of one without a row, this leads from there to the token.
        "jti": str(facts.grant.id) if facts.is_self_contained else new_secret(),
        "scope": facts.scope,
        # Section 2.2.1: of the sign-in that the grant rests on, however often refreshed.
        **sign_in_claims(facts.grant),
    }
    if facts.sender:
        # RFC 9449 section 6.1, RFC 8705 section 3.1.
        claims["cnf"] = dict(facts.sender)
    signer = provider.keys.signer(KeyUse.ACCESS, server.signing_algorithm)
    return signer.sign(claims, ACCESS_TOKEN_TYPE)


def access_subject(provider: Provider, client: Client, grant: Grant) -> str:
    """Return `sub` as the client may read it: the resident's at that very client, or its own id.

    RFC 9068 section 6: the client can read the token as well. Another name of the resident in it
    would let two clients find out that they serve the same one. Section 5: no client's id looks
    like a resident's `sub`, so neither passes for the other.
    """
    if grant.account_id is None:
        return client.id
    return subject_of(grant.account_id, client, provider.pairwise_key)
