"""Link a resident to her business at a city service, and end the link again."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from citizen_account.connector_host.codec import STORED_CAPABILITIES
from citizen_account.connector_sdk.manifest import LegalBasis, Manifest, Purpose
from citizen_account.connector_sdk.models import Context
from citizen_account.domain.accounts import Account, AccountId
from citizen_account.domain.claims import claim_values
from citizen_account.domain.connections import Connection, ConnectionId, ConnectionState
from citizen_account.domain.errors import DomainError, ErrorCode
from citizen_account.domain.events import AgreementNarrowed, ServiceLinked, ServiceUnlinked
from citizen_account.domain.ledger import ActorKind, LedgerEntry
from citizen_account.domain.messages import Announcement
from citizen_account.domain.throttling import Counter, Subjects, Throttled, link_counters
from citizen_account.security.sealing import Sealer
from citizen_account.security.tokens import new_id
from citizen_account.storage.unit_of_work import UnitOfWork
from citizen_account.usecases.messages import tell

UNLINK_JOB = "unlink_connector"


@dataclass(frozen=True, slots=True)
class LinkRequest:
    """What the resident sent from the page that links a service."""

    reference: str
    secret: str
    agreed: frozenset[str]
    """The ids of the purposes based on consent that she ticked."""
    language: str
    client_address: str


@dataclass(frozen=True, slots=True)
class LinkPlan:
    """A link that may be asked of the connector, with no transaction open."""

    connection: Connection
    manifest: Manifest
    context: Context
    reference: str
    secret: str
    counters: Sequence[Counter]


@dataclass(frozen=True, slots=True)
class AlreadyLinked:
    connection: Connection


async def prepare_link(
    uow: UnitOfWork, sealer: Sealer, account: Account, manifest: Manifest, request: LinkRequest
) -> LinkPlan | AlreadyLinked | Throttled:
    """Count the try and plan it. Secrets of letters are guessed at nobody's account for free."""
    existing = await uow.connections.find_of(account.id, manifest.id)
    if existing is not None and existing.state is not ConnectionState.NEEDS_RELINK:
        return AlreadyLinked(existing)
    subjects = Subjects(f"{manifest.id} {account.id}", request.client_address)
    counters = link_counters(subjects)
    throttled = await uow.throttles.hit_all(counters)
    if throttled is not None:
        return throttled
    connection = _planned(existing, sealer, account, manifest, request, uow)
    return LinkPlan(
        connection=connection,
        manifest=manifest,
        context=context_for(account, connection, manifest, language=request.language),
        reference=request.reference,
        secret=request.secret,
        counters=counters,
    )


async def complete_link(
    uow: UnitOfWork, plan: LinkPlan, label: Mapping[str, str], *, state: ConnectionState
) -> Connection:
    """Keep the link and ask for the first answers. Idempotent for a double click."""
    connection = replace(plan.connection, label=label, state=state, linked_at=uow.now)
    await uow.throttles.give_back(plan.counters)
    if not await uow.connections.add(connection):
        await uow.connections.set_linked(connection.id, label)
        return connection
    kept = [name for name in STORED_CAPABILITIES if name in plan.manifest.capabilities]
    await uow.snapshots.expect(connection.id, kept, uow.now)
    uow.record(ServiceLinked(connection.account_id, connection.connector_id, connection.id))
    await _note_release(uow, plan)
    facts = {"service": plan.manifest.title}
    place = f"/services/{connection.connector_id}"
    await tell(uow, connection.account_id, Announcement.SERVICE_LINKED, facts=facts, place=place)
    return connection


async def unlink(uow: UnitOfWork, account_id: AccountId, connector_id: str) -> None:
    """End the link and forget what was fetched; a job tells the service. Idempotent."""
    connection = await uow.connections.find_of(account_id, connector_id)
    if connection is None or not await uow.connections.remove(connection.id):
        return
    uow.record(ServiceUnlinked(account_id, connector_id, connection.id))
    facts = {"connector": connector_id, "subject": connection.subject}
    await uow.outbox.add(UNLINK_JOB, facts, uow.now)


async def change_agreement(
    uow: UnitOfWork, account_id: AccountId, manifest: Manifest, agreed: frozenset[str]
) -> None:
    """Give or withdraw consent to single purposes. Raises: connection_unknown."""
    connection = await uow.connections.find_of(account_id, manifest.id)
    if connection is None:
        raise DomainError(ErrorCode.CONNECTION_UNKNOWN)
    await uow.connections.set_agreed(connection.id, agreed & _consent_purposes(manifest))
    withdrawn = connection.agreed - agreed
    if withdrawn:
        uow.record(AgreementNarrowed(account_id, manifest.id, connection.id, withdrawn))


def holding_purposes(connection: Connection, manifest: Manifest) -> Sequence[Purpose]:
    """Return the purposes that hold: of those based on consent, the ones she agreed to."""
    return [
        purpose
        for purpose in manifest.purpose
        if purpose.legal_basis is not LegalBasis.CONSENT or purpose.id in connection.agreed
    ]


def context_for(
    account: Account, connection: Connection, manifest: Manifest, *, language: str
) -> Context:
    """Return what the connector is told: the claims of the purposes that hold, and no more."""
    holding = holding_purposes(connection, manifest)
    allowed: set[str] = {claim.name for purpose in holding for claim in purpose.claims}
    values = claim_values(account)
    told: dict[str, str] = {name: _text(value) for name, value in values.items() if name in allowed}
    return Context(
        subject=connection.subject, claims=told, language=language, reference=str(new_id())
    )


def text_digest(manifest: Manifest, language: str) -> str:
    """Return the digest of what the page said of the purposes (GDPR article 7(1))."""
    parts = [manifest.id, manifest.version, language]
    for purpose in manifest.purpose:
        parts += [purpose.id, purpose.text.get(language, ""), purpose.legal_basis]
        parts += [purpose.legal_reference, str(purpose.retention)]
        parts += [f"{claim.name} {claim.why.get(language, '')}" for claim in purpose.claims]
    return hashlib.sha256("\x1f".join(parts).encode()).hexdigest()


def _planned(  # noqa: PLR0913, PLR0917  # the facts of one link
    existing: Connection | None,
    sealer: Sealer,
    account: Account,
    manifest: Manifest,
    request: LinkRequest,
    uow: UnitOfWork,
) -> Connection:
    connection_id = ConnectionId(new_id()) if existing is None else existing.id
    return Connection(
        id=connection_id,
        account_id=account.id,
        connector_id=manifest.id,
        subject=sealer.reference(manifest.id, str(account.id)),
        label={},
        agreed=request.agreed & _consent_purposes(manifest),
        text_digest=text_digest(manifest, request.language),
        text_language=request.language,
        state=ConnectionState.CHECKING,
        linked_at=uow.now,
    )


async def _note_release(uow: UnitOfWork, plan: LinkPlan) -> None:
    """Write down that the connector was told something of the resident."""
    entry = LedgerEntry(
        id=new_id(),
        account_id=plan.connection.account_id,
        at=uow.now,
        actor_kind=ActorKind.CONNECTOR,
        actor=plan.manifest.id,
        what=tuple(sorted(plan.context.claims)),
        purpose=" ".join(
            purpose.id for purpose in holding_purposes(plan.connection, plan.manifest)
        ),
    )
    await uow.ledger.add(entry)


def _consent_purposes(manifest: Manifest) -> frozenset[str]:
    return frozenset(
        purpose.id for purpose in manifest.purpose if purpose.legal_basis is LegalBasis.CONSENT
    )


def _text(value: object) -> str:
    if isinstance(value, Mapping):
        return str(value.get("formatted", ""))
    return str(value)
