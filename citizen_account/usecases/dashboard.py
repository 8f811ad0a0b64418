"""Gather what a resident sees first: what is due, her services, messages, who looked."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from citizen_account.connector_sdk.manifest import Manifest
from citizen_account.domain.accounts import Account
from citizen_account.domain.clients import Client
from citizen_account.domain.consents import Consent
from citizen_account.domain.ledger import ActorKind, LedgerEntry
from citizen_account.domain.messages import InboxMessage
from citizen_account.domain.texts import LocalText
from citizen_account.storage.unit_of_work import UnitOfWork
from citizen_account.usecases.cases import ServiceCard, list_cards

LOOKED_WITHIN = timedelta(days=30)
NEWEST_MESSAGES = 3
NEWEST_LOOKS = 20


@dataclass(frozen=True, slots=True)
class LinkedService:
    """A city service behind a connector, with the last that is known of it."""

    manifest: Manifest
    card: ServiceCard


@dataclass(frozen=True, slots=True)
class UsedService:
    """A relying party that the resident signs in to."""

    client: Client
    consent: Consent


@dataclass(frozen=True, slots=True)
class Looks:
    """Who else saw her data lately."""

    count: int
    last: LedgerEntry | None
    names: Mapping[str, LocalText]
    """How those who looked are called, by the id in the ledger, as far as it is known."""


@dataclass(frozen=True, slots=True)
class Dashboard:
    linked: Sequence[LinkedService]
    used: Sequence[UsedService]
    messages: Sequence[InboxMessage]
    looks: Looks


async def load_dashboard(
    uow: UnitOfWork, account: Account, manifests: Mapping[str, Manifest]
) -> Dashboard:
    """Read everything from our own tables: no service is asked."""
    cards = await list_cards(uow, account.id)
    used = await _used_services(uow, account)
    names: Mapping[str, LocalText] = {
        **{connector_id: manifest.title for connector_id, manifest in manifests.items()},
        **{service.client.id: service.client.name for service in used},
    }
    return Dashboard(
        linked=[
            LinkedService(manifests[card.connection.connector_id], card)
            for card in cards
            # A connector that was taken out of the installation has no card.
            if card.connection.connector_id in manifests
        ],
        used=used,
        messages=await uow.messages.page(account.id, before=None, size=NEWEST_MESSAGES),
        looks=await _looks(uow, account, names),
    )


async def _used_services(uow: UnitOfWork, account: Account) -> Sequence[UsedService]:
    consents = await uow.consents.list_standing(account.id)
    clients = await uow.clients.find_some([consent.client_id for consent in consents])
    return [
        UsedService(clients[consent.client_id], consent)
        for consent in consents
        if consent.client_id in clients
    ]


async def _looks(uow: UnitOfWork, account: Account, names: Mapping[str, LocalText]) -> Looks:
    since = uow.now - LOOKED_WITHIN
    count = await uow.ledger.count_of_others(account.id, since)
    page = await uow.ledger.page(account.id, since=since, before=None, size=NEWEST_LOOKS)
    others = (entry for entry in page if entry.actor_kind is not ActorKind.RESIDENT)
    return Looks(count, next(others, None), names)
