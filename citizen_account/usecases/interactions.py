"""Keep what a browser has begun at the provider, and give it back to that browser alone."""

from dataclasses import dataclass
from datetime import timedelta
from hmac import compare_digest

from citizen_account.domain.accounts import Account, Session
from citizen_account.domain.clients import ClientId
from citizen_account.domain.errors import DomainError, ErrorCode
from citizen_account.domain.interactions import (
    INTERACTION_LIFETIME,
    Interaction,
    InteractionId,
    InteractionKind,
)
from citizen_account.openid.authorization import Parameters
from citizen_account.security.tokens import new_id
from citizen_account.storage.unit_of_work import UnitOfWork

# Longer than any session, and than the tries to tell a service of its end.
KEEP_CLIENT_SESSIONS = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Caller:
    """A browser at an endpoint of the provider."""

    digest: bytes
    """Of the secret in its cookie."""
    session: Session | None
    account: Account | None = None
    """Whose session it is."""


async def begin_interaction(  # noqa: PLR0913  # what the row holds
    uow: UnitOfWork,
    kind: InteractionKind,
    parameters: Parameters,
    client_id: ClientId | None,
    caller: Caller | None,
    *,
    pushed: bytes | None = None,
) -> Interaction:
    """Keep the request. Without a caller it belongs to whichever browser comes back first."""
    session = None if caller is None else caller.session
    interaction = Interaction(
        id=InteractionId(new_id()),
        kind=kind,
        client_id=client_id,
        parameters=tuple(parameters),
        browser_digest=None if caller is None else caller.digest,
        first_session=None if session is None else session.id,
        created_at=uow.now,
        expires_at=uow.now + INTERACTION_LIFETIME,
        decided_at=None,
        pushed=pushed,
    )
    await uow.interactions.add(interaction)
    return interaction


async def resume_interaction(
    uow: UnitOfWork, kind: InteractionKind, interaction_id: InteractionId, caller: Caller
) -> Interaction:
    """Return what this browser has begun, whether it is decided or not. Writes when it is new.

    Raises: interaction_unknown.
    """
    found = await uow.interactions.find(interaction_id)
    if found is not None and found.browser_digest is None:
        session = None if caller.session is None else caller.session.id
        await uow.interactions.bind(interaction_id, caller.digest, session)
        found = await uow.interactions.find(interaction_id)
    return _proven(uow, found, kind, caller)


async def forget_old_interactions(uow: UnitOfWork) -> None:
    """Drop what nobody can go on with, and sign-ins at services that are long over."""
    await uow.interactions.forget_expired(uow.now)
    await uow.client_sessions.forget_unused(uow.now - KEEP_CLIENT_SESSIONS)


def _proven(
    uow: UnitOfWork, found: Interaction | None, kind: InteractionKind, caller: Caller
) -> Interaction:
    # RFC 9700 section 4.7.1: a request goes on only in the browser that began it.
    is_ours = (
        found is not None
        and found.kind is kind
        and found.expires_at > uow.now
        and found.browser_digest is not None
        and compare_digest(found.browser_digest, caller.digest)
    )
    if found is None or not is_ours:
        raise DomainError(ErrorCode.INTERACTION_UNKNOWN)
    return found
