"""Tell a service which residents let it see what: for those that pull instead of being told."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException

from citizen_account.domain.claims import CONSENTS_SCOPE
from citizen_account.domain.clients import Client
from citizen_account.domain.consents import Consent, ConsentId
from citizen_account.openid.subjects import subject_of
from citizen_account.web.api.bearer import WithToken, require_scope
from citizen_account.web.api.problems import problems
from citizen_account.web.dependencies import InRuntime

router = APIRouter(tags=["consents"])

PAGE_SIZE = 100
Before = Annotated[UUID | None, Query(description="The `next_before` of the page before this one.")]


class ConsentState(BaseModel):
    id: UUID
    sub: str = Field(description="The resident as this service knows her.")
    state: str = Field(description="given, or how it ended: withdrawn, replaced, …")
    scopes: list[str]
    claims: list[str]
    purposes: list[str]
    given_at: datetime
    ended_at: datetime | None


class ConsentPage(BaseModel):
    consents: Sequence[ConsentState]
    next_before: UUID | None = Field(description="None on the last page.")


@router.get("/consents", responses=problems(401, 403))
async def list_consents(token: WithToken, runtime: InRuntime, before: Before = None) -> ConsentPage:
    """List the service's own consents, newest first: those that stand and those that ended.

    Needs a token by client_credentials with the scope `consents:read`.
    """
    require_scope(token, CONSENTS_SCOPE)
    if token.grant.account_id is not None:
        # A resident's token speaks for one resident only.
        raise HTTPException(403)
    start = None if before is None else ConsentId(before)
    async with runtime.database.read() as uow:
        client = await uow.clients.find(token.grant.client_id)
        consents = await uow.consents.page_of_client(
            token.grant.client_id, before=start, size=PAGE_SIZE
        )
    if client is None or client.is_disabled:
        raise HTTPException(403)
    key = runtime.derived_keys.pairwise
    return ConsentPage(
        consents=[_state(consent, client, key) for consent in consents],
        next_before=consents[-1].id if len(consents) == PAGE_SIZE else None,
    )


def _state(consent: Consent, client: Client, pairwise_key: bytes) -> ConsentState:
    return ConsentState(
        id=consent.id,
        sub=subject_of(consent.account_id, client, pairwise_key),
        state="given" if consent.ended_by is None else consent.ended_by.value,
        scopes=sorted(consent.scopes),
        claims=sorted(consent.claims),
        purposes=sorted(consent.purposes),
        given_at=consent.given_at,
        ended_at=consent.ended_at,
    )
