"""Tell services by their back channel that a resident is signed out, each apart from the others."""

from dataclasses import dataclass
from uuid import UUID

from citizen_account.domain.accounts import AccountId, SessionId
from citizen_account.domain.clients import Client, ClientId
from citizen_account.domain.errors import DomainError, ErrorCode
from citizen_account.domain.events import ErrandReleased
from citizen_account.domain.logout_deliveries import DeliveryState, LogoutDelivery, delivery_id
from citizen_account.openid.logout_token import make_logout_token
from citizen_account.openid.provider import Provider
from citizen_account.outbound import Outbound, OutboundError, OutboundFault
from citizen_account.storage.unit_of_work import UnitOfWork

DELIVER_JOB = "backchannel_logout"
_SUCCESSES = range(200, 300)
_HOPELESS = frozenset({OutboundFault.URL_MALFORMED, OutboundFault.ADDRESS_FORBIDDEN})


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be posted where. The token is made at the last moment, as it lives briefly."""

    delivery_id: UUID
    address: str
    logout_token: str


@dataclass(frozen=True, slots=True)
class Told:
    answer: str
    state: DeliveryState


async def announce_sign_out(uow: UnitOfWork, cause: UUID, session_id: SessionId) -> None:
    """Ask for one errand for each service of the session. Idempotent for a cause."""
    sessions = await uow.client_sessions.of_session(session_id)
    clients = await uow.clients.find_some([each.client_id for each in sessions])
    for each in sessions:
        await _announce(uow, cause, clients.get(each.client_id), each.account_id, session_id)


async def announce_withdrawal(
    uow: UnitOfWork, cause: UUID, account_id: AccountId, client_id: ClientId
) -> None:
    """Ask for the errand that ends every session of the resident at the service. Idempotent."""
    client = await uow.clients.find(client_id)
    if client is None or not client.metadata.get("backchannel_logout_session_required"):
        await _announce(uow, cause, client, account_id, None)
        return
    # Such a client ends sessions by their `sid` alone.
    for each in await uow.client_sessions.of_client(account_id, client_id):
        await _announce(uow, cause, client, account_id, each.session_id)


async def prepare_delivery(uow: UnitOfWork, delivery: UUID, provider: Provider) -> Plan | None:
    """Return what to send; None when it was delivered, or nobody wants it any more."""
    found = await uow.logout_deliveries.find(delivery)
    if found is None or found.state is DeliveryState.DELIVERED:
        return None
    client = await uow.clients.find(found.client_id)
    if client is None or client.backchannel_logout_uri is None:
        return None
    token = make_logout_token(provider, client, found.account_id, found.session_id, now=uow.now)
    return Plan(found.id, client.backchannel_logout_uri, token)


async def perform_delivery(plan: Plan, outbound: Outbound) -> Told:
    """Post the token (Back-Channel Logout 1.0 section 2.5)."""
    try:
        status = await outbound.post_form(plan.address, {"logout_token": plan.logout_token})
    except OutboundError as error:
        is_hopeless = error.fault in _HOPELESS
        state = DeliveryState.UNDELIVERABLE if is_hopeless else DeliveryState.PENDING
        return Told(str(error), state)
    # Section 2.8: 200; 204 is met in the wild. A redirect is not followed and is no success.
    is_done = status in _SUCCESSES
    return Told(str(status), DeliveryState.DELIVERED if is_done else DeliveryState.PENDING)


async def complete_delivery(uow: UnitOfWork, plan: Plan, told: Told) -> None:
    await uow.logout_deliveries.note(plan.delivery_id, told.state, told.answer, uow.now)


async def try_again(
    uow: UnitOfWork, staff_id: AccountId, client_id: ClientId, delivery: UUID
) -> None:
    """Tell the service once more, now, where it was not told yet. Raises: not_found."""
    found = await uow.logout_deliveries.find(delivery)
    if found is None or found.client_id != client_id:
        raise DomainError(ErrorCode.NOT_FOUND)
    if found.state is DeliveryState.DELIVERED:
        return
    errand_id = await uow.outbox.hurry(DELIVER_JOB, delivery, uow.now)
    if errand_id is None:
        errand_id = await uow.outbox.add(DELIVER_JOB, {"delivery": str(delivery)}, uow.now)
    uow.record(ErrandReleased(staff_id, errand_id))


async def _announce(
    uow: UnitOfWork,
    cause: UUID,
    client: Client | None,
    account_id: AccountId,
    session_id: SessionId | None,
) -> None:
    if client is None or client.backchannel_logout_uri is None or client.is_disabled:
        return
    delivery = LogoutDelivery(
        id=delivery_id(cause, client.id, session_id),
        client_id=client.id,
        account_id=account_id,
        session_id=session_id,
        state=DeliveryState.PENDING,
        attempts=0,
        last_answer="",
        created_at=uow.now,
        last_tried_at=None,
    )
    if await uow.logout_deliveries.add(delivery):
        await uow.outbox.add(DELIVER_JOB, {"delivery": str(delivery.id)}, uow.now)
