"""End a session with all that rests on it, by the resident's wish or a service's."""

from collections.abc import Sequence
from dataclasses import dataclass

from citizen_account.domain.accounts import Session
from citizen_account.domain.clients import Client
from citizen_account.domain.events import SignedOut
from citizen_account.domain.interactions import InteractionId, InteractionKind
from citizen_account.openid.authorization import Parameters
from citizen_account.openid.front_channel import front_channel_of
from citizen_account.openid.logout import (
    AskFirst,
    LogoutDecision,
    SignOutNow,
    decide_logout,
    read_logout_request,
)
from citizen_account.openid.provider import Provider
from citizen_account.openid.subjects import session_name
from citizen_account.storage.unit_of_work import UnitOfWork
from citizen_account.usecases.interactions import Caller, begin_interaction, resume_interaction

_OUTSIDE_OF_ANY_CLIENT = ""


@dataclass(frozen=True, slots=True)
class Left:
    """The browser is signed out here, and is sent on if there is an address."""

    return_to: str | None
    front_channels: Sequence[str] = ()
    """What the browser loads on its way, so that services end their sessions in it."""


@dataclass(frozen=True, slots=True)
class LogoutQuestion:
    """The resident is asked whether she wants to leave."""

    interaction_id: InteractionId
    client: Client | None
    """Who sent her, as far as it is known."""


async def end_session(uow: UnitOfWork, session: Session) -> None:
    """End the session and what services hold of it, but what was granted for offline use.

    Idempotent. Each service of the session is told later, by the follow-up of the event.
    """
    # The row first: whoever is just giving a code in this session is waited for.
    ended = await uow.sessions.end(session.account_id, session.id, uow.now)
    if ended is None:
        return
    await uow.grants.end_of_session(session.id, uow.now)
    await uow.client_sessions.end_of_session(session.id, uow.now)
    uow.record(SignedOut(session.account_id, session.id))


async def leave_session(uow: UnitOfWork, provider: Provider, session: Session) -> Sequence[str]:
    """End the browser's own session; return what it is to load, one address for each service."""
    used = await uow.client_sessions.of_session(session.id)
    living = [each.client_id for each in used if each.ended_at is None]
    clients = await uow.clients.find_some(living) if living else {}
    await end_session(uow, session)
    told = (front_channel_of(provider, clients[name], session.id) for name in sorted(clients))
    return [address for address in told if address is not None]


async def begin_logout(
    uow: UnitOfWork, provider: Provider, parameters: Parameters, caller: Caller
) -> Left | LogoutQuestion:
    """Sign the browser out, or keep the request until the resident has answered.

    Raises: request_malformed, client_unknown, id_token_hint_invalid,
    post_logout_redirect_uri_unregistered.
    """
    client, decision = await _decide(uow, provider, parameters, caller)
    if isinstance(decision, SignOutNow):
        return await _leave(uow, provider, decision, caller)
    client_id = None if client is None else client.id
    begun = await begin_interaction(uow, InteractionKind.LOGOUT, parameters, client_id, caller)
    return LogoutQuestion(begun.id, client)


async def park_logout(uow: UnitOfWork, provider: Provider, parameters: Parameters) -> InteractionId:
    """Keep a request that a service's form has sent: the browser held our cookies back.

    Raises: what `begin_logout` raises.
    """
    nobody = Caller(b"", None)
    client, _ = await _decide(uow, provider, parameters, nobody)
    client_id = None if client is None else client.id
    begun = await begin_interaction(uow, InteractionKind.LOGOUT, parameters, client_id, None)
    return begun.id


async def continue_logout(
    uow: UnitOfWork, provider: Provider, interaction_id: InteractionId, caller: Caller
) -> Left | LogoutQuestion:
    """Look at a kept request. Raises: interaction_unknown, and what `begin_logout` raises."""
    interaction = await resume_interaction(uow, InteractionKind.LOGOUT, interaction_id, caller)
    client, decision = await _decide(uow, provider, interaction.parameters, caller)
    if isinstance(decision, AskFirst):
        return LogoutQuestion(interaction.id, client)
    return await _leave(uow, provider, decision, caller)


async def confirm_logout(
    uow: UnitOfWork, provider: Provider, interaction_id: InteractionId, caller: Caller
) -> Left:
    """Sign out: the resident wants it. Raises: interaction_unknown, and as `begin_logout`."""
    interaction = await resume_interaction(uow, InteractionKind.LOGOUT, interaction_id, caller)
    _, decision = await _decide(uow, provider, interaction.parameters, caller)
    return await _leave(uow, provider, decision, caller)


async def _decide(
    uow: UnitOfWork, provider: Provider, parameters: Parameters, caller: Caller
) -> tuple[Client | None, LogoutDecision]:
    request = read_logout_request(parameters, provider)
    client = None if request.client_id is None else await uow.clients.find(request.client_id)
    name = _session_name(provider, client, caller.session)
    return client, decide_logout(request, client, browser_session=name)


def _session_name(provider: Provider, client: Client | None, session: Session | None) -> str | None:
    if session is None:
        return None
    if client is None:
        return _OUTSIDE_OF_ANY_CLIENT
    return session_name(session.id, client, provider.pairwise_key)


async def _leave(
    uow: UnitOfWork, provider: Provider, decision: LogoutDecision, caller: Caller
) -> Left:
    if caller.session is None:
        return Left(decision.return_to)
    return Left(decision.return_to, await leave_session(uow, provider, caller.session))
