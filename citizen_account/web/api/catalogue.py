"""Tell anybody which services the city offers through the account."""

from collections.abc import Sequence

from fastapi import APIRouter
from pydantic import BaseModel, Field

from citizen_account.domain.clients import purposes_of
from citizen_account.web.api.problems import problems
from citizen_account.web.dependencies import InRuntime

router = APIRouter(tags=["catalogue"])


class Purpose(BaseModel):
    id: str
    text: dict[str, str] = Field(description="By language tag.")
    legal_basis: str = Field(description="consent, contract, legal_obligation or public_task.")
    legal_reference: str
    claims: list[str]


class Service(BaseModel):
    id: str
    kind: str = Field(description="connector, or relying_party with a site of its own.")
    title: dict[str, str]
    summary: dict[str, str]
    address: str = Field(description="Where it is opened; empty for a connector.")
    purposes: list[Purpose]


class Catalogue(BaseModel):
    services: Sequence[Service]


@router.get("/services", responses=problems())
async def list_services(runtime: InRuntime) -> Catalogue:
    """List every service with the purposes for which it asks for data. Needs no token."""
    async with runtime.database.read() as uow:
        clients = await uow.clients.list_offered()
    connectors = [
        Service(
            id=manifest.id,
            kind="connector",
            title=dict(manifest.title),
            summary=dict(manifest.summary),
            address="",
            purposes=[
                Purpose(
                    id=one.id,
                    text=dict(one.text),
                    legal_basis=one.legal_basis,
                    legal_reference=one.legal_reference,
                    claims=[claim.name for claim in one.claims],
                )
                for one in manifest.purpose
            ],
        )
        for manifest in runtime.connectors.manifests.values()
    ]
    parties = [
        Service(
            id=client.id,
            kind="relying_party",
            title=dict(client.name),
            summary=dict(client.operator),
            address=client.service_url,
            purposes=[
                Purpose(
                    id=one.id,
                    text=dict(one.text),
                    legal_basis=one.basis,
                    legal_reference=one.legal_reference,
                    claims=[claim.name for claim in one.claims],
                )
                for one in purposes_of(client)
            ],
        )
        for client in clients
    ]
    return Catalogue(services=[*connectors, *parties])
