"""Answer the holder of an access token with what the resident released to it."""

from collections.abc import Mapping

from citizen_account.domain.claims import Value
from citizen_account.openid.provider import Provider
from citizen_account.openid.userinfo import make_userinfo, opens_userinfo
from citizen_account.storage.unit_of_work import UnitOfWork
from citizen_account.usecases.senders import AccessRequest, TokenFault, open_token


async def read_userinfo(
    uow: UnitOfWork, request: AccessRequest, provider: Provider
) -> Mapping[str, Value] | TokenFault:
    """Return the claims that this token opens, with the account's values of now."""
    presented = await open_token(uow, provider, request)
    if isinstance(presented, TokenFault):
        return presented
    if not opens_userinfo(presented):
        return TokenFault.INSUFFICIENT_SCOPE
    client = await uow.clients.find(presented.grant.client_id)
    account_id = presented.grant.account_id
    account = None if account_id is None else await uow.accounts.find(account_id)
    if client is None or account is None:
        return TokenFault.INVALID_TOKEN
    return make_userinfo(provider, client, account, presented)
