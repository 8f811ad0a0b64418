"""Read who asks by the access token of the request (RFC 6750)."""

from typing import Annotated

from fastapi import Depends
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from starlette.exceptions import HTTPException

from citizen_account.domain.grants import PresentedToken
from citizen_account.security.tokens import digest
from citizen_account.web.dependencies import InRuntime

MAX_CHARACTERS = 4096
scheme = HTTPBearer(
    auto_error=False, description="An access token of this provider.", scheme_name="bearer"
)
Credentials = Annotated[HTTPAuthorizationCredentials | None, Depends(scheme)]


async def presented_token(credentials: Credentials, runtime: InRuntime) -> PresentedToken:
    """Return the living token. Answers 401 for none, an unknown, an expired and an ended one."""
    if credentials is None:
        # RFC 6750 section 3.1: who sent no token is asked for one, and told of no error.
        raise HTTPException(401, headers={"WWW-Authenticate": "Bearer"})
    token = credentials.credentials
    found = None
    if token.isascii() and len(token) <= MAX_CHARACTERS:
        async with runtime.database.read() as uow:
            found = await uow.grants.find_token(digest(token))
    if found is None or not found.is_alive(runtime.clock()):
        raise HTTPException(401, headers={"WWW-Authenticate": 'Bearer error="invalid_token"'})
    return found


WithToken = Annotated[PresentedToken, Depends(presented_token)]


def require_scope(presented: PresentedToken, scope: str) -> None:
    """Answer 403 unless the token has the scope."""
    if scope not in presented.token.scope.split():
        # RFC 6750 section 3.1: insufficient_scope names what would do.
        challenge = f'Bearer error="insufficient_scope", scope="{scope}"'
        raise HTTPException(403, headers={"WWW-Authenticate": challenge})
