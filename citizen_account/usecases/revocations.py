"""Carry out again what was revoked after a backup was taken."""

from collections.abc import Awaitable, Callable, Mapping
from types import MappingProxyType
from uuid import UUID

from citizen_account.domain.accounts import AccountId, Role
from citizen_account.domain.clients import Approval, ClientId
from citizen_account.domain.connections import ConnectionId
from citizen_account.domain.consents import ConsentEnd, ConsentId
from citizen_account.domain.events import (
    AccountClosed,
    AgreementNarrowed,
    ClientDecided,
    ClientDisabled,
    ClientLeft,
    ClosingAsked,
    ClosingUndone,
    ConsentNarrowed,
    ConsentWithdrawn,
    PasswordChanged,
    ResourceDisabled,
    RoleRevoked,
    ServiceUnlinked,
    UpstreamUnlinked,
)
from citizen_account.domain.operations import KeyRevoked
from citizen_account.domain.revocations import Revocation
from citizen_account.storage.unit_of_work import UnitOfWork
from citizen_account.usecases.clients import disable_client
from citizen_account.usecases.closing import TIME_TO_UNDO, end_account
from citizen_account.usecases.connections import unlink
from citizen_account.usecases.consents import withdraw_consent
from citizen_account.usecases.keys import revoke_key
from citizen_account.usecases.resources import disable_resource

Repeat = Callable[[UnitOfWork, Revocation], Awaitable[bool]]


async def repeat(uow: UnitOfWork, revocation: Revocation) -> bool:
    """Do it again. False when nothing was left to do; what is unknown here never was restored."""
    again = REPEATS.get(revocation.kind)
    return again is not None and await again(uow, revocation)


def _account(revocation: Revocation) -> AccountId:
    return AccountId(UUID(revocation.facts["account_id"]))


async def _end_consent(uow: UnitOfWork, revocation: Revocation) -> bool:
    consent = await uow.consents.find(ConsentId(UUID(revocation.facts["consent_id"])))
    if consent is None or consent.ended_at is not None:
        return False
    how = ConsentEnd(revocation.facts.get("how", ConsentEnd.REPLACED))
    await withdraw_consent(uow, consent.account_id, consent.id, how)
    return True


async def _close_account(uow: UnitOfWork, revocation: Revocation) -> bool:
    account = await uow.accounts.find(_account(revocation))
    if account is None:
        return False
    await end_account(uow, account)
    return True


async def _ask_to_close(uow: UnitOfWork, revocation: Revocation) -> bool:
    return await _set_closing(uow, revocation, is_asked=True)


async def _keep_open(uow: UnitOfWork, revocation: Revocation) -> bool:
    return await _set_closing(uow, revocation, is_asked=False)


async def _set_closing(uow: UnitOfWork, revocation: Revocation, *, is_asked: bool) -> bool:
    account = await uow.accounts.find(_account(revocation))
    if account is None or (account.closing_at is not None) is is_asked:
        return False
    closing_at = revocation.at + TIME_TO_UNDO if is_asked else None
    await uow.accounts.save_closing(account.id, closing_at)
    return True


async def _narrow_agreement(uow: UnitOfWork, revocation: Revocation) -> bool:
    connection = await uow.connections.find(_connection(revocation))
    withdrawn = frozenset(revocation.facts["purposes"].split())
    if connection is None or not connection.agreed & withdrawn:
        return False
    await uow.connections.set_agreed(connection.id, connection.agreed - withdrawn)
    return True


async def _unlink_service(uow: UnitOfWork, revocation: Revocation) -> bool:
    connection = await uow.connections.find(_connection(revocation))
    if connection is None:
        return False
    await unlink(uow, connection.account_id, connection.connector_id)
    return True


def _connection(revocation: Revocation) -> ConnectionId:
    return ConnectionId(UUID(revocation.facts["connection_id"]))


async def _unlink_upstream(uow: UnitOfWork, revocation: Revocation) -> bool:
    account_id, upstream_id = _account(revocation), revocation.facts["upstream_id"]
    found = [
        identity
        for identity in await uow.upstream_identities.of(account_id)
        if identity.upstream_id == upstream_id
    ]
    for identity in found:
        await uow.upstream_identities.remove(account_id, identity.id)
    return bool(found)


async def _forget_password(uow: UnitOfWork, revocation: Revocation) -> bool:
    """Let no password open the account that was replaced since: it may have been a stolen one."""
    stored = await uow.credentials.find_password(_account(revocation))
    if stored is None or stored.changed_at >= revocation.at:
        return False
    await uow.credentials.remove_password(_account(revocation))
    return True


async def _revoke_role(uow: UnitOfWork, revocation: Revocation) -> bool:
    role = Role(revocation.facts["role"])
    if role not in await uow.roles.of(_account(revocation)):
        return False
    await uow.roles.revoke(_account(revocation), role)
    return True


async def _disable_client(uow: UnitOfWork, revocation: Revocation) -> bool:
    client = await uow.clients.find(ClientId(revocation.facts["client_id"]))
    if client is None or client.is_disabled:
        return False
    return await disable_client(uow, client.id)


async def _refuse_client(uow: UnitOfWork, revocation: Revocation) -> bool:
    if revocation.facts["approval"] != Approval.REFUSED:
        return False
    return await _disable_client(uow, revocation)


async def _disable_resource(uow: UnitOfWork, revocation: Revocation) -> bool:
    return await disable_resource(uow, revocation.facts["resource"])


async def _revoke_key(uow: UnitOfWork, revocation: Revocation) -> bool:
    return await revoke_key(uow, revocation.facts["kid"])


REPEATS: Mapping[str, Repeat] = MappingProxyType(
    {
        AccountClosed.code: _close_account,
        AgreementNarrowed.code: _narrow_agreement,
        ClientDecided.code: _refuse_client,
        ClientDisabled.code: _disable_client,
        ClientLeft.code: _disable_client,
        ClosingAsked.code: _ask_to_close,
        ClosingUndone.code: _keep_open,
        ConsentNarrowed.code: _end_consent,
        ConsentWithdrawn.code: _end_consent,
        KeyRevoked.code: _revoke_key,
        PasswordChanged.code: _forget_password,
        ResourceDisabled.code: _disable_resource,
        RoleRevoked.code: _revoke_role,
        ServiceUnlinked.code: _unlink_service,
        UpstreamUnlinked.code: _unlink_upstream,
    }
)
