"""Ask a connector to link a resident, with no transaction open, and act on its answer."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import assert_never

from citizen_account.connector_host.connectors import Connectors
from citizen_account.connector_host.outcomes import Failed, Fetched, Outcome, Refusal
from citizen_account.connector_sdk.manifest import LinkMethod, Manifest
from citizen_account.connector_sdk.models import Context, Link, LinkState
from citizen_account.domain.connections import Connection, ConnectionState
from citizen_account.storage.unit_of_work import UnitOfWork
from citizen_account.usecases.connections import LinkPlan, complete_link

FINISH_LINK_JOB = "finish_link"


@dataclass(frozen=True, slots=True)
class Linked:
    connection: Connection


@dataclass(frozen=True, slots=True)
class StillChecking:
    """The service did not answer in time: a job goes on asking."""

    connection: Connection


@dataclass(frozen=True, slots=True)
class NotLinked:
    """The service said no; the refusal is what the resident reads, where there is one."""

    refusal: Refusal | None


LinkResult = Linked | StillChecking | NotLinked


def needs_letter(manifest: Manifest) -> bool:
    """Say whether the resident enters a reference and a secret from a letter."""
    return manifest.link is not None and LinkMethod.REFERENCE_AND_SECRET in manifest.link.methods


async def perform_link(
    connectors: Connectors, manifest: Manifest, context: Context, reference: str, secret: str
) -> Outcome[Link]:
    """Ask the connector: with the letter where it takes letters, else by what it knows of us."""
    if needs_letter(manifest):
        return await connectors.link(manifest.id, context, reference, secret)
    return await connectors.recognise(manifest.id, context)


async def finish_link(uow: UnitOfWork, plan: LinkPlan, outcome: Outcome[Link]) -> LinkResult:
    """Keep what the connector said, or ask a job to go on asking."""
    match outcome:
        case Fetched(link) if link.state is LinkState.LINKED:
            return Linked(await _complete(uow, plan, link, ConnectionState.LINKED))
        case Fetched(link) if link.state is LinkState.PENDING:
            return StillChecking(await _complete(uow, plan, link, ConnectionState.CHECKING))
        case Fetched():
            return NotLinked(None)
        case Failed() if outcome.may_pass:
            connection = await complete_link(uow, plan, {}, state=ConnectionState.CHECKING)
            await _go_on_asking(uow, plan)
            return StillChecking(connection)
        case Failed(refusal=refusal):
            return NotLinked(refusal)
        case unexpected:
            assert_never(unexpected)


async def _complete(
    uow: UnitOfWork, plan: LinkPlan, link: Link, state: ConnectionState
) -> Connection:
    return await complete_link(uow, plan, _label(link), state=state)


async def _go_on_asking(uow: UnitOfWork, plan: LinkPlan) -> None:
    facts = {"connection": str(plan.connection.id), "connector": plan.manifest.id}
    sealed = {"reference": plan.reference, "secret": plan.secret}
    await uow.outbox.add(FINISH_LINK_JOB, facts, uow.now, sealed=sealed)


def _label(link: Link) -> Mapping[str, str]:
    label = link.remote_label
    return {"en": label} if isinstance(label, str) else label
