"""Take an authorization request from its arrival to its answer."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import assert_never

from citizen_account.domain.clients import Client
from citizen_account.domain.consents import Consent
from citizen_account.domain.interactions import Interaction, InteractionId, InteractionKind
from citizen_account.domain.resources import ResourceServer
from citizen_account.openid.authorization import (
    AuthorizationRequest,
    Parameters,
    RefusedToClient,
)
from citizen_account.openid.authorization_response import (
    ClientAnswer,
    answer_with_error,
)
from citizen_account.openid.interaction import (
    Ask,
    Register,
    Release,
    SignIn,
)
from citizen_account.openid.provider import Provider
from citizen_account.storage.unit_of_work import UnitOfWork
from citizen_account.usecases.authorization_steps import Desk
from citizen_account.usecases.interactions import Caller, begin_interaction, resume_interaction
from citizen_account.usecases.requested import (
    Requested,
    decide_interaction,
    find_requested,
    read_requested,
    use_up_pushed,
)


class Stage(StrEnum):
    """Which page the resident sees next."""

    SIGN_IN = "sign-in"
    REGISTER = "register"
    CONSENT = "consent"


@dataclass(frozen=True, slots=True)
class Pending:
    """The resident has something to do before the client is answered."""

    interaction_id: InteractionId
    stage: Stage
    ui_locales: str
    """The languages that the service asks for; what we do not speak is passed over."""


@dataclass(frozen=True, slots=True)
class AlreadyDecided:
    """The client was answered before: a page that was opened again, or a second click."""

    client: Client


@dataclass(frozen=True, slots=True)
class Question:
    """An authorization that waits for the resident's answer, with all its page shows."""

    interaction: Interaction
    client: Client
    request: AuthorizationRequest
    ask: Ask
    standing: Consent | None
    servers: Sequence[ResourceServer] = ()
    """The APIs at which the client wants to act for the resident."""


Outcome = Pending | ClientAnswer | AlreadyDecided


async def begin_authorization(
    uow: UnitOfWork, provider: Provider, parameters: Parameters, caller: Caller
) -> Outcome:
    """Answer the client at once if nothing is left to do, or keep the request.

    Raises: request_malformed, client_unknown, redirect_uri_unregistered.
    """
    requested = await find_requested(uow, parameters)
    client, request = await read_requested(uow, requested, provider.issuer)
    if isinstance(request, RefusedToClient):
        return answer_with_error(request.target, request.error, provider, now=uow.now)
    desk = Desk(uow, provider, client, request, caller)
    session = caller.session
    first = None if session is None else session.id
    step = await desk.next_step(uow.now, first, await desk.standing_consent())
    if isinstance(step, Release | RefusedToClient):
        return await _answer_at_once(desk, requested, step)
    begun = await begin_interaction(
        uow,
        InteractionKind.AUTHORIZATION,
        requested.parameters,
        client.id,
        caller,
        pushed=requested.pushed,
    )
    return Pending(begun.id, stage_of(step), request.ui_locales)


async def park_authorization(
    uow: UnitOfWork, provider: Provider, parameters: Parameters
) -> InteractionId | ClientAnswer:
    """Keep a request that another site's form has sent: the browser held our cookies back.

    Raises: request_malformed, client_unknown, redirect_uri_unregistered.
    """
    requested = await find_requested(uow, parameters)
    client, request = await read_requested(uow, requested, provider.issuer)
    if isinstance(request, RefusedToClient):
        return answer_with_error(request.target, request.error, provider, now=uow.now)
    begun = await begin_interaction(
        uow,
        InteractionKind.AUTHORIZATION,
        requested.parameters,
        client.id,
        None,
        pushed=requested.pushed,
    )
    return begun.id


async def continue_authorization(
    uow: UnitOfWork, provider: Provider, interaction_id: InteractionId, caller: Caller
) -> Outcome:
    """Look again, after a sign-in. Raises: interaction_unknown."""
    looked = await look_again(uow, provider, interaction_id, caller)
    if isinstance(looked, Question):
        return Pending(looked.interaction.id, Stage.CONSENT, looked.request.ui_locales)
    return looked


async def look_again(
    uow: UnitOfWork, provider: Provider, interaction_id: InteractionId, caller: Caller
) -> Question | Outcome:
    """Return what to ask, or what else comes next. Raises: interaction_unknown."""
    interaction = await resume_interaction(
        uow, InteractionKind.AUTHORIZATION, interaction_id, caller
    )
    client, request = await read_requested(uow, Requested.of(interaction), provider.issuer)
    if interaction.decided_at is not None:
        return AlreadyDecided(client)
    if isinstance(request, RefusedToClient):
        # The client's registration has changed in the meantime.
        return await refuse(uow, provider, interaction, client, request)
    desk = Desk(uow, provider, client, request, caller)
    standing = await desk.standing_consent()
    step = await desk.next_step(interaction.created_at, interaction.first_session, standing)
    if isinstance(step, Ask):
        named = await uow.resources.find_some(request.resources) if request.resources else {}
        return Question(interaction, client, request, step, standing, tuple(named.values()))
    if isinstance(step, RefusedToClient):
        return await refuse(uow, provider, interaction, client, step)
    if isinstance(step, Release):
        return await _release(uow, desk, interaction, step)
    return Pending(interaction.id, stage_of(step), request.ui_locales)


async def refuse(
    uow: UnitOfWork,
    provider: Provider,
    interaction: Interaction,
    client: Client,
    refusal: RefusedToClient,
) -> Outcome:
    """Answer the client with an error, once."""
    if not await decide_interaction(uow, interaction):
        return AlreadyDecided(client)
    return answer_with_error(refusal.target, refusal.error, provider, now=uow.now)


async def _answer_at_once(
    desk: Desk, requested: Requested, step: Release | RefusedToClient
) -> Outcome:
    if not await use_up_pushed(desk.uow, requested):
        return AlreadyDecided(desk.client)
    if isinstance(step, Release):
        return await desk.release_on_standing_consent(step)
    return answer_with_error(step.target, step.error, desk.provider, now=desk.uow.now)


async def _release(uow: UnitOfWork, desk: Desk, interaction: Interaction, step: Release) -> Outcome:
    if not await decide_interaction(uow, interaction):
        return AlreadyDecided(desk.client)
    return await desk.release_on_standing_consent(step)


def stage_of(step: SignIn | Register | Ask) -> Stage:
    match step:
        case SignIn():
            return Stage.SIGN_IN
        case Register():
            return Stage.REGISTER
        case Ask():
            return Stage.CONSENT
        case unexpected:
            assert_never(unexpected)
