"""Answer the holder of an access token with what the resident released to it."""

from collections.abc import Mapping
from dataclasses import dataclass

from citizen_account.domain.claims import Value
from citizen_account.openid.provider import Provider
from citizen_account.openid.signed_answers import sign_userinfo
from citizen_account.openid.userinfo import make_userinfo, opens_userinfo
from citizen_account.storage.unit_of_work import UnitOfWork
from citizen_account.usecases.senders import AccessRequest, TokenFault, open_token


@dataclass(frozen=True, slots=True)
class Userinfo:
    claims: Mapping[str, Value]
    signed: str | None
    """The same as a JWT, for a client that registered so (OIDC Core section 5.3.2)."""


async def read_userinfo(
    uow: UnitOfWork, request: AccessRequest, provider: Provider
) -> Userinfo | TokenFault:
    """Return the claims that this token opens, with the account's values of now."""
    opened = await open_token(uow, provider, request)
    if isinstance(opened, TokenFault):
        return opened
    presented, client = opened.presented, opened.client
    if not opens_userinfo(presented):
        return TokenFault.INSUFFICIENT_SCOPE
    if opened.account is None:
        return TokenFault.INVALID_TOKEN
    claims = make_userinfo(provider, client, opened.account, presented)
    return Userinfo(claims, sign_userinfo(provider, client, claims))
