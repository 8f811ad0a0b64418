"""Tell a service what it may know of the resident whose token it holds, and since when."""

from datetime import datetime

from fastapi import APIRouter
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException

from citizen_account.domain.claims import PERMISSION_SCOPE
from citizen_account.openid.subjects import subject_of
from citizen_account.web.api.bearer import WithToken, require_scope
from citizen_account.web.api.problems import problems
from citizen_account.web.dependencies import InRuntime

router = APIRouter(tags=["me"])


class Permission(BaseModel):
    sub: str | None = Field(
        description="The resident as this service knows her; None without `openid`."
    )
    claims: list[str] = Field(description="What userinfo releases to this token.")
    refused: list[str] = Field(description="What she was asked for and left out.")
    purposes: list[str]
    given_at: datetime
    text_digest: str = Field(description="SHA-256 of the text that she saw, in hexadecimal.")


@router.get("/me/permission", responses=problems(401, 403))
async def show_permission(token: WithToken, runtime: InRuntime) -> Permission:
    """Return the consent that the token rests on.

    Needs a resident's token with `openid`, or in plain OAuth 2.0 with `permission:read`.
    """
    require_scope(token, "openid", PERMISSION_SCOPE)
    is_sign_in = "openid" in token.token.scope.split()
    grant = token.grant
    async with runtime.database.read() as uow:
        client = await uow.clients.find(grant.client_id)
        consent = None if grant.consent_id is None else await uow.consents.find(grant.consent_id)
    if client is None or consent is None or grant.account_id is None:
        raise HTTPException(403)
    key = runtime.derived_keys.pairwise
    return Permission(
        sub=subject_of(grant.account_id, client, key) if is_sign_in else None,
        claims=sorted(grant.claims),
        refused=sorted(consent.refused),
        purposes=sorted(consent.purposes),
        given_at=consent.given_at,
        text_digest=consent.text_digest,
    )
