"""Run the follow-ups of a sign-out and of a withdrawn consent: services are told, one by one."""

from uuid import UUID

from citizen_account.bootstrap import Runtime
from citizen_account.domain.accounts import AccountId, SessionId
from citizen_account.domain.clients import ClientId
from citizen_account.domain.errands import Errand
from citizen_account.domain.logout_deliveries import DeliveryState
from citizen_account.jobs.errands import Park, Retry
from citizen_account.openid.provider import Provider
from citizen_account.usecases.backchannel_logout import (
    announce_sign_out,
    announce_withdrawal,
    complete_delivery,
    perform_delivery,
    prepare_delivery,
)


async def follow_sign_out(runtime: Runtime, errand: Errand) -> None:
    session_id = SessionId(UUID(errand.facts["session_id"]))
    async with runtime.database.begin() as uow:
        await announce_sign_out(uow, errand.id, session_id)


async def follow_withdrawal(runtime: Runtime, errand: Errand) -> None:
    account_id = AccountId(UUID(errand.facts["account_id"]))
    client_id = ClientId(errand.facts["client_id"])
    async with runtime.database.begin() as uow:
        await announce_withdrawal(uow, errand.id, account_id, client_id)


async def deliver_logout(runtime: Runtime, errand: Errand) -> None:
    """Tell one service. Raises: Retry, Park."""
    derived = runtime.derived_keys
    provider = Provider(runtime.issuer, derived.pairwise, await runtime.keys.load(), derived.nonce)
    async with runtime.database.read() as uow:
        plan = await prepare_delivery(uow, UUID(errand.facts["delivery"]), provider)
    if plan is None:
        return
    told = await perform_delivery(plan, runtime.outbound)
    async with runtime.database.begin() as uow:
        await complete_delivery(uow, plan, told)
    match told.state:
        case DeliveryState.DELIVERED:
            return
        case DeliveryState.PENDING:
            raise Retry(told.answer)
        case DeliveryState.UNDELIVERABLE:
            raise Park(told.answer)
