"""Let clients register themselves, and read, change and end their registration (RFC 7591, 7592)."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from uuid import UUID

from citizen_account.domain.clients import Approval, Client, ClientId
from citizen_account.domain.events import (
    ClientChanged,
    ClientLeft,
    ClientRegistered,
    InitialTokenMade,
    InitialTokensRevoked,
)
from citizen_account.domain.grants import GrantEnd
from citizen_account.domain.registrations import (
    LONGEST_QUEUE,
    PENDING_LIFETIME,
    REGISTRATION_RULE,
    ClientRegistration,
    InitialToken,
    RegistrationMode,
    RegistrationPolicy,
)
from citizen_account.domain.throttling import Counter, address_block
from citizen_account.openid.metadata_urls import check_sector
from citizen_account.openid.registration import Registration, Surroundings
from citizen_account.openid.registration_errors import (
    InvalidTokenError,
    QueueFullError,
    RegistrationClosedError,
)
from citizen_account.openid.responses import Refused
from citizen_account.openid.self_registration import (
    check_update,
    needs_another_look,
    read_self_registration,
    refuse,
)
from citizen_account.outbound import Outbound, OutboundError
from citizen_account.security.certificates import MutualTls
from citizen_account.security.tokens import digest, is_secret_of, new_id, new_secret
from citizen_account.storage.unit_of_work import UnitOfWork

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Rules:
    """What the city lets clients do by themselves."""

    policy: RegistrationPolicy
    is_development: bool
    mutual_tls: MutualTls | None


@dataclass(frozen=True, slots=True)
class Registered:
    """The client, with its secrets in clear on their only way out."""

    client: Client
    registration_token: str
    client_secret: str | None = None
    reason: str = ""
    """What an administrator wrote with her decision."""


async def open_door(
    uow: UnitOfWork, rules: Rules, initial_token: str | None, client_address: str
) -> Refused | None:
    """Say whether the caller may register at all; nothing is used up. A refusal is a value."""
    if initial_token is not None:
        # A closed door has no key: tokens that were given out before it closed wait.
        is_closed = rules.policy.mode is RegistrationMode.CLOSED
        if is_closed or not await uow.initial_tokens.is_good(digest(initial_token), uow.now):
            return Refused(RegistrationClosedError() if is_closed else InvalidTokenError())
        return None
    match rules.policy.mode:
        case RegistrationMode.CLOSED:
            return Refused(RegistrationClosedError())
        case RegistrationMode.TOKEN:
            return Refused(InvalidTokenError())
        case RegistrationMode.QUEUE:
            if await uow.registrations.count_waiting() >= LONGEST_QUEUE:
                return Refused(QueueFullError())
        case RegistrationMode.OPEN:
            pass
    counted = Counter(REGISTRATION_RULE, address_block(client_address))
    throttled = await uow.throttles.hit_all([counted])
    return None if throttled is None else Refused(QueueFullError())


def read_new(
    metadata: Mapping[str, object], rules: Rules, surroundings: Surroundings
) -> Registration | Refused:
    """Return the client that the metadata describes; nothing is stored yet."""
    return _read(metadata, rules, surroundings, previous=None)


async def check_sector_of(
    found: Registration | Refused, outbound: Outbound
) -> Registration | Refused:
    """Compare the redirect URIs with the client's list. No transaction may be open."""
    if isinstance(found, Refused):
        return found
    name, client = "sector_identifier_uri", found.client
    address = client.metadata.get(name)
    if not isinstance(address, str):
        return found
    try:
        listed = await outbound.get_json(address)
    except OutboundError as error:
        # Why it failed would tell a stranger what lies behind our wall: the log alone says it.
        log.warning("sector_unreadable", extra={"client_id": client.id, "cause": str(error)})
        return refuse(name, "could not be read: it must answer 200 with JSON over https")
    fault = check_sector(listed, client.redirect_uris)
    return found if fault is None else refuse(name, fault)


async def register_client(
    uow: UnitOfWork, rules: Rules, registration: Registration, initial_token: str | None
) -> Registered | Refused:
    """Keep the client. Of callers at once no more succeed by one token than it has uses left."""
    token_id: UUID | None = None
    if initial_token is not None:
        token_id = await uow.initial_tokens.use(digest(initial_token), uow.now)
        # Between our look and this line another process may have used it: the row decides.
        if token_id is None:
            return Refused(InvalidTokenError())
    approval = _approval_of(rules.policy.mode, has_token=token_id is not None)
    client = _standing(registration.client, approval)
    secret = new_secret()
    await uow.clients.add(client)
    await uow.registrations.add(ClientRegistration(client.id, digest(secret), token_id, uow.now))
    uow.record(ClientRegistered(client.id, approval))
    return Registered(client, secret, registration.generated_secret)


async def find_registered(
    uow: UnitOfWork, client_id: ClientId, token: str | None
) -> Client | Refused:
    """Return the client whose registration access token it is. All strangers look the same."""
    kept = await uow.registrations.find(client_id)
    # RFC 7592 section 2: 401 for a client that does not exist, as for a token that is not its own.
    if token is None or kept is None or not is_secret_of(token, kept.token_digest):
        return Refused(InvalidTokenError())
    client = await uow.clients.find(client_id)
    return Refused(InvalidTokenError()) if client is None else client


async def show_registered(
    uow: UnitOfWork, client_id: ClientId, token: str | None
) -> Registered | Refused:
    """Return what the client may read of itself (RFC 7592 section 2.1)."""
    client = await find_registered(uow, client_id, token)
    if isinstance(client, Refused):
        return client
    kept = await uow.registrations.find(client_id)
    return Registered(client, token or "", reason="" if kept is None else kept.reason)


def read_changed(
    metadata: Mapping[str, object], rules: Rules, surroundings: Surroundings, previous: Client
) -> Registration | Refused:
    """Return what the client wants to be from now on; nothing is stored yet."""
    fault = check_update(metadata, previous)
    if fault is not None:
        return fault
    return _read(metadata, rules, surroundings, previous=previous)


async def change_client(
    uow: UnitOfWork, rules: Rules, registration: Registration, token: str
) -> Registered | Refused:
    """Replace the client's metadata (RFC 7592 section 2.2).

    What an administrator has approved waits for her again when residents would see another thing.
    """
    previous = await find_registered(uow, registration.client.id, token)
    if isinstance(previous, Refused):
        return previous
    approval = previous.approval or Approval.NOT_NEEDED
    has_changed = needs_another_look(previous, registration.client)
    is_to_be_asked = rules.policy.mode is RegistrationMode.QUEUE and has_changed
    if is_to_be_asked or approval is Approval.REFUSED:
        approval = Approval.PENDING
        await uow.registrations.ask_again(previous.id, uow.now)
    # Whom an administrator shut out cannot let itself in again.
    was_shut_out = previous.is_disabled and previous.approval in _LET_IN
    client = _standing(registration.client, approval)
    client = replace(client, is_disabled=client.is_disabled or was_shut_out)
    await uow.clients.replace(client)
    uow.record(ClientChanged(client.id, approval))
    return Registered(client, token, registration.generated_secret)


async def remove_client(uow: UnitOfWork, client_id: ClientId, token: str | None) -> Refused | None:
    """End the registration and all that rests on it (RFC 7592 section 2.3).

    Where residents have met it the row stays, as their records name it; it opens nothing any more.
    """
    client = await find_registered(uow, client_id, token)
    if isinstance(client, Refused):
        return client
    await _let_go(uow, client)
    await uow.grants.end_of_client(client_id, GrantEnd.CLIENT_DISABLED, uow.now)
    uow.record(ClientLeft(client_id))
    return None


async def make_initial_token(uow: UnitOfWork, *, uses: int, lifetime: timedelta) -> str:
    """Return a new initial access token in clear, which is shown once."""
    secret = new_secret()
    token = InitialToken(new_id(), digest(secret), uses, uow.now, uow.now + lifetime)
    await uow.initial_tokens.add(token)
    uow.record(InitialTokenMade(token.id, uses))
    return secret


async def revoke_initial_tokens(uow: UnitOfWork) -> int:
    """Make all initial access tokens worthless and say how many there were."""
    count = await uow.initial_tokens.revoke_all()
    uow.record(InitialTokensRevoked(count))
    return count


async def forget_old_registrations(uow: UnitOfWork) -> None:
    """Drop expired tokens, and clients that nobody let in for three months."""
    await uow.initial_tokens.forget_expired(uow.now)
    for client_id in await uow.registrations.waiting_since_before(uow.now - PENDING_LIFETIME):
        client = await uow.clients.find(client_id)
        if client is not None:
            await _let_go(uow, client)


async def _let_go(uow: UnitOfWork, client: Client) -> None:
    await uow.registrations.forget(client.id)
    if not await uow.registrations.remove_unmet(client.id):
        await uow.clients.replace(replace(client, is_disabled=True, approval=Approval.LEFT))


_LET_IN = frozenset({Approval.NOT_NEEDED, Approval.APPROVED})


def _approval_of(mode: RegistrationMode, *, has_token: bool) -> Approval:
    if has_token:
        return Approval.APPROVED
    return Approval.PENDING if mode is RegistrationMode.QUEUE else Approval.NOT_NEEDED


def _standing(client: Client, approval: Approval) -> Client:
    return replace(client, approval=approval, is_disabled=approval not in _LET_IN)


def _read(
    metadata: Mapping[str, object],
    rules: Rules,
    surroundings: Surroundings,
    previous: Client | None,
) -> Registration | Refused:
    return read_self_registration(
        metadata, surroundings, requires_pkce=rules.policy.requires_pkce, previous=previous
    )
