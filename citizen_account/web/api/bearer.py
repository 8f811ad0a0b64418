"""Read who asks by the access token of the request (RFC 6750, RFC 9449 section 7)."""

from typing import Annotated

from fastapi import Depends
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from starlette.exceptions import HTTPException
from starlette.requests import Request

from citizen_account.domain.grants import PresentedToken
from citizen_account.openid.sender import issue_nonce, token_type
from citizen_account.usecases.senders import TokenFault
from citizen_account.web.dependencies import InRuntime
from citizen_account.web.oidc.answers import provider_of
from citizen_account.web.senders import (
    NONCE_HEADER,
    access_of_header,
    challenge,
    first_challenge,
    open_access,
)

MAX_CHARACTERS = 16_384
scheme = HTTPBearer(
    auto_error=False,
    description=(
        "An access token of this provider; one that is bound to a key comes with the scheme DPoP"
        " and a proof in the header DPoP (RFC 9449)."
    ),
    scheme_name="bearer",
)
Described = Annotated[HTTPAuthorizationCredentials | None, Depends(scheme)]


async def presented_token(
    request: Request, runtime: InRuntime, described: Described
) -> PresentedToken:
    """Return the living token. Answers 401 for none, an unknown, an expired and an ended one."""
    del described  # It is there for the API's document.
    access = access_of_header(request, runtime)
    if access is None:
        # RFC 6750 section 3.1: who sent no token is asked for one, and told of no error.
        raise HTTPException(401, headers={"WWW-Authenticate": first_challenge()})
    found: PresentedToken | TokenFault = TokenFault.INVALID_TOKEN
    if access.token.isascii() and len(access.token) <= MAX_CHARACTERS:
        found = await open_access(runtime, await provider_of(request), access)
    if isinstance(found, TokenFault):
        said = {"WWW-Authenticate": challenge(access.scheme, fault=found)}
        if access.presentation.proofs or found is TokenFault.INVALID_PROOF:
            said[NONCE_HEADER] = issue_nonce(runtime.derived_keys.nonce, runtime.clock())
        raise HTTPException(401, headers=said)
    return found


WithToken = Annotated[PresentedToken, Depends(presented_token)]


def require_scope(presented: PresentedToken, *scopes: str) -> None:
    """Answer 403 unless the token has one of the scopes; the first is what is asked for."""
    if not set(scopes) & set(presented.token.scope.split()):
        # RFC 6750 section 3.1: insufficient_scope names what would do.
        kind = token_type(presented.token.confirmation)
        said = challenge(kind, fault=TokenFault.INSUFFICIENT_SCOPE, scope=scopes[0])
        raise HTTPException(403, headers={"WWW-Authenticate": said})
