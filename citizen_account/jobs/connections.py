"""Keep residents' links to city services going: fetch news, finish links, end them."""

import asyncio
from datetime import UTC, timedelta
from uuid import UUID

from citizen_account.bootstrap import Runtime
from citizen_account.connector_host.codec import encode
from citizen_account.connector_host.outcomes import Failed, Fetched, Outcome, Reason
from citizen_account.connector_sdk.manifest import Manifest
from citizen_account.connector_sdk.models import Answer, Case, Context, Entitlement, Link, LinkState
from citizen_account.domain.connections import Connection, ConnectionId, ConnectionState
from citizen_account.domain.errands import Errand
from citizen_account.jobs.errands import Retry
from citizen_account.storage.outbox import read_sealed
from citizen_account.usecases.cases import (
    RefreshPlan,
    keep_answer,
    keep_failure,
    plan_refresh,
    tell_of_changes,
)
from citizen_account.usecases.connections import context_for
from citizen_account.usecases.linking import perform_link

BATCH = 40
PAUSE_SECONDS = 60


async def refresh_snapshots(runtime: Runtime) -> None:
    """Fetch what is due, side by side: a slow service keeps only its own residents waiting."""
    async with runtime.database.read() as uow:
        due = await uow.snapshots.due(uow.now, BATCH)
    await asyncio.gather(*(refresh(runtime, link, capability) for link, capability in due))


async def refresh(runtime: Runtime, connection_id: ConnectionId, capability: str) -> None:
    """Fetch one capability of one link and keep the answer, or since when there is none."""
    async with runtime.database.begin() as uow:
        plan = await plan_refresh(uow, connection_id, capability)
    if plan is None:
        return
    installed = runtime.connectors.registry.find(plan.connection.connector_id)
    if installed is None:
        return
    outcome = await _fetch(runtime, plan, installed.manifest)
    async with runtime.database.begin() as uow:
        match outcome:
            case Fetched(answer):
                payload = encode(capability, answer.records)
                await tell_of_changes(uow, plan, installed.manifest, answer.records)
                # A source whose clock is ahead must not look fresh, or be kept, for ever.
                as_of = min(answer.as_of.astimezone(UTC), uow.now)
                await keep_answer(uow, plan, payload=payload, as_of=as_of)
            case Failed(reason=Reason.RATE_LIMITED, retry_after=wait):
                # Too many asked at once: nothing is wrong with what is shown.
                later = uow.now + timedelta(seconds=wait or PAUSE_SECONDS)
                await uow.snapshots.set_due(connection_id, capability, later)
            case Failed(reason=reason):
                await keep_failure(uow, plan, why=reason.value)


async def forget_stale_snapshots(runtime: Runtime) -> None:
    """Keep nothing longer than its manifest promised, however long the service is silent."""
    async with runtime.database.begin() as uow:
        for name, installed in runtime.connectors.registry.connectors.items():
            retentions = [purpose.retention for purpose in installed.manifest.purpose]
            if retentions:
                await uow.snapshots.forget_older(name, uow.now - min(retentions))


async def finish_link(runtime: Runtime, errand: Errand) -> None:
    """Go on asking for a link that the service did not answer in time."""
    connection_id = ConnectionId(UUID(errand.facts["connection"]))
    installed = runtime.connectors.registry.find(errand.facts["connector"])
    async with runtime.database.read() as uow:
        connection = await uow.connections.find(connection_id)
        account = None if connection is None else await uow.accounts.find(connection.account_id)
    if connection is None or account is None or installed is None:
        return
    letter = read_sealed(runtime.sealer, errand)
    manifest = installed.manifest
    context = context_for(account, connection, manifest, language=account.language)
    outcome = await perform_link(
        runtime.connectors, manifest, context, letter["reference"], letter["secret"]
    )
    await _keep_link(runtime, connection, outcome)


async def tell_of_unlinking(runtime: Runtime, errand: Errand) -> None:
    """Tell the service that the link has ended; it is asked until it has heard it."""
    context = Context(subject=errand.facts["subject"], reference=str(errand.id))
    outcome = await runtime.connectors.unlink(errand.facts["connector"], context)
    if isinstance(outcome, Failed) and outcome.may_pass:
        raise Retry(outcome.reason.value)


async def _keep_link(runtime: Runtime, connection: Connection, outcome: Outcome[Link]) -> None:
    match outcome:
        case Fetched(link) if link.state is LinkState.LINKED:
            label = link.remote_label
            async with runtime.database.begin() as uow:
                said = {"en": label} if isinstance(label, str) else label
                await uow.connections.set_linked(connection.id, said)
        case Failed() if outcome.may_pass:
            raise Retry(outcome.reason.value)
        case _:
            # The letter did not open anything after all: the card asks to connect again.
            async with runtime.database.begin() as uow:
                await uow.connections.set_state(connection.id, ConnectionState.NEEDS_RELINK)


async def _fetch(
    runtime: Runtime, plan: RefreshPlan, manifest: Manifest
) -> Outcome[Answer[Case]] | Outcome[Answer[Entitlement]]:
    context = context_for(plan.account, plan.connection, manifest, language=plan.account.language)
    if plan.capability == "entitlements":
        return await runtime.connectors.entitlements(manifest.id, context)
    return await runtime.connectors.list_cases(manifest.id, context)
