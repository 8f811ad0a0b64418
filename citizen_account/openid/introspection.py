"""Say what a token is worth to whom it was issued, or to whom it is meant for (RFC 7662)."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from citizen_account.domain.assurance import ACR_OF_LEVEL
from citizen_account.domain.clients import Client
from citizen_account.domain.grants import PresentedToken, TokenKind
from citizen_account.domain.resources import ResourceServer, TokenFormat
from citizen_account.openid.access_token import access_subject
from citizen_account.openid.provider import Provider
from citizen_account.openid.self_contained import has_ended_with
from citizen_account.openid.sender import token_type

# RFC 7662 section 2.2: nothing more is said of a token that is dead, unknown or somebody else's.
INACTIVE: Mapping[str, object] = {"active": False}


@dataclass(frozen=True, slots=True)
class Asker:
    """Who asks, and by whose name of the resident the answer speaks of her."""

    client: Client
    namer: Client


def find_asker(
    client: Client, presented: PresentedToken, server: ResourceServer | None, owner: Client | None
) -> Asker | None:
    """Return who the authenticated client is to the token; None: nobody who may know it.

    `server` is whom the token is for, `owner` the client to which it was issued.
    """
    if owner is None or has_ended_with(owner, presented):
        return None
    if presented.grant.client_id == client.id:
        return Asker(client, client)
    # RFC 7662 section 4: a resource server sees the tokens that are meant for it, and no other.
    is_reader = server is not None and not server.is_disabled and server.client_id == client.id
    if not is_reader or presented.token.kind is not TokenKind.ACCESS:
        return None
    # What the service cannot read may speak of the resident as the resource server knows her.
    is_opaque = server is not None and server.token_format is TokenFormat.OPAQUE
    return Asker(client, client if is_opaque else owner)


def describe_token(
    provider: Provider, asker: Asker | None, presented: PresentedToken, *, now: datetime
) -> Mapping[str, object]:
    if asker is None or not presented.is_alive(now):
        return INACTIVE
    token, grant = presented.token, presented.grant
    answer: dict[str, object] = {
        "active": True,
        "iss": provider.issuer,
        "client_id": grant.client_id,
        "scope": token.scope,
        "iat": int(token.issued_at.timestamp()),
        "exp": int(token.expires_at.timestamp()),
    }
    if token.resource is not None:
        answer["aud"] = token.resource
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
        answer["sub"] = access_subject(provider, asker.namer, grant)
    return answer
