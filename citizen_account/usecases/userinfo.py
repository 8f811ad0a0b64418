"""Answer the holder of an access token with what the resident released to it."""

from collections.abc import Mapping
from enum import StrEnum

from citizen_account.domain.claims import Value
from citizen_account.openid.provider import Provider
from citizen_account.openid.userinfo import make_userinfo, opens_userinfo
from citizen_account.security.tokens import digest
from citizen_account.storage.unit_of_work import UnitOfWork


class TokenFault(StrEnum):
    """The error codes of RFC 6750 section 3.1 that a well-formed request can meet."""

    INVALID_TOKEN = "invalid_token"  # noqa: S105  # the code of the RFC
    INSUFFICIENT_SCOPE = "insufficient_scope"


async def read_userinfo(
    uow: UnitOfWork, access_token: str, provider: Provider
) -> Mapping[str, Value] | TokenFault:
    """Return the claims that this token opens, with the account's values of now."""
    presented = await uow.grants.find_token(digest(access_token))
    if presented is None or not presented.is_alive(uow.now):
        return TokenFault.INVALID_TOKEN
    if not opens_userinfo(presented):
        return TokenFault.INSUFFICIENT_SCOPE
    client = await uow.clients.find(presented.grant.client_id)
    account_id = presented.grant.account_id
    account = None if account_id is None else await uow.accounts.find(account_id)
    if client is None or account is None:
        return TokenFault.INVALID_TOKEN
    return make_userinfo(provider, client, account, presented)
