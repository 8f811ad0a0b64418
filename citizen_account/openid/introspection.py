"""Say to a client what a token of its own is worth (RFC 7662 section 2.2)."""

from collections.abc import Mapping
from datetime import datetime

from citizen_account.domain.assurance import ACR_OF_LEVEL
from citizen_account.domain.clients import Client
from citizen_account.domain.grants import PresentedToken, TokenKind
from citizen_account.openid.provider import Provider
from citizen_account.openid.sender import token_type
from citizen_account.openid.subjects import subject_of

# RFC 7662 section 2.2: nothing more is said of a token that is dead, unknown or somebody else's.
INACTIVE: Mapping[str, object] = {"active": False}


def describe_token(
    provider: Provider, client: Client, presented: PresentedToken | None, *, now: datetime
) -> Mapping[str, object]:
    # RFC 7662 section 4: to whom a token was not issued learns nothing of it.
    if presented is None or presented.grant.client_id != client.id or not presented.is_alive(now):
        return INACTIVE
    token, grant = presented.token, presented.grant
    answer: dict[str, object] = {
        "active": True,
        "iss": provider.issuer,
        "client_id": client.id,
        "scope": token.scope,
        "iat": int(token.issued_at.timestamp()),
        "exp": int(token.expires_at.timestamp()),
    }
    if token.kind is TokenKind.ACCESS:
        answer["token_type"] = token_type(token.confirmation)
        if token.confirmation is not None:
            # RFC 9449 section 6.2, RFC 8705 section 3.2.
            answer["cnf"] = dict(token.confirmation)
    # RFC 9470 section 6.2: by these a resource server finds that it needs a better sign-in.
    if grant.level is not None:
        answer["acr"] = ACR_OF_LEVEL[grant.level]
    if grant.authenticated_at is not None:
        answer["auth_time"] = int(grant.authenticated_at.timestamp())
    if grant.account_id is not None:
        answer["sub"] = subject_of(grant.account_id, client, provider.pairwise_key)
    return answer
