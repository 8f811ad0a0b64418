"""Let a sender prove its key, each proof once, and open tokens for whom they are bound to."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from citizen_account.domain.clients import Client
from citizen_account.domain.grants import TokenKind
from citizen_account.openid.authorization import Parameters
from citizen_account.openid.provider import Provider
from citizen_account.openid.responses import Refused
from citizen_account.openid.self_contained import has_ended_with
from citizen_account.openid.sender import (
    BEARER,
    Confirmation,
    Presentation,
    ProvenKey,
    bind_parameters,
    confirm,
    is_shown,
    prove_key,
    refuse_proof,
    token_type,
)
from citizen_account.security.tokens import digest
from citizen_account.storage.presented import Held
from citizen_account.storage.unit_of_work import UnitOfWork


class TokenFault(StrEnum):
    """The error codes of RFC 6750 section 3.1 and RFC 9449 section 7.1."""

    INVALID_TOKEN = "invalid_token"  # noqa: S105  # the code of the RFC
    INSUFFICIENT_SCOPE = "insufficient_scope"
    INVALID_PROOF = "invalid_dpop_proof"
    NONCE_WANTED = "use_dpop_nonce"


@dataclass(frozen=True, slots=True)
class AccessRequest:
    """An access token as it came to a resource of ours."""

    scheme: str
    """Of the Authorization header (RFC 9110 section 11.1: its name has no case)."""
    token: str
    presentation: Presentation


async def prove_sender(
    uow: UnitOfWork, provider: Provider, client: Client, presentation: Presentation
) -> Confirmation | Refused:
    """Return to whom the authenticated client's new tokens are bound. The proof is used up."""
    key = await _prove_key(uow, provider, client, presentation)
    return key if isinstance(key, Refused) else confirm(client, key, presentation)


async def bind_to_sender(
    uow: UnitOfWork,
    provider: Provider,
    client: Client,
    presentation: Presentation,
    parameters: Parameters,
) -> Parameters | Refused:
    """Return the pushed parameters, the code to come bound to the key that pushed them, if any."""
    key = await _prove_key(uow, provider, client, presentation)
    return key if isinstance(key, Refused) else bind_parameters(parameters, key)


async def open_token(
    uow: UnitOfWork, provider: Provider, request: AccessRequest
) -> Held | TokenFault:
    """Return the living token, and whose it is, if it comes from whom it is bound to.

    A proof is used up by writing: where one is presented, `uow` must be able to write.
    """
    held = await uow.presented.held(digest(request.token))
    if held is None or not _opens(held, uow.now):
        return TokenFault.INVALID_TOKEN
    wanted = held.presented.token.confirmation
    # RFC 9449 section 7.2: a bound token is no bearer token, nor the other way round.
    if request.scheme.lower() != token_type(wanted).lower():
        return TokenFault.INVALID_TOKEN
    thumbprint = await _prove_for(uow, provider, request, held)
    if isinstance(thumbprint, TokenFault):
        return thumbprint
    # RFC 9449 section 7.1, RFC 8705 section 3.
    if not is_shown(wanted, request.presentation, thumbprint):
        return TokenFault.INVALID_TOKEN
    return held


def _opens(held: Held, now: datetime) -> bool:
    presented = held.presented
    if not presented.is_alive(now) or has_ended_with(held.client, presented):
        return False
    # RFC 6749 section 1.5: a refresh token is for /token alone. RFC 9068 section 4: one for
    # another resource opens nothing here, whatever its scope says.
    return presented.token.kind is TokenKind.ACCESS and presented.token.resource is None


async def _prove_for(
    uow: UnitOfWork, provider: Provider, request: AccessRequest, held: Held
) -> str | TokenFault | None:
    if token_type(held.presented.token.confirmation) == BEARER:
        return None
    key = await _prove_key(uow, provider, held.client, request.presentation, request.token)
    if isinstance(key, Refused):
        return TokenFault(str(key.error.error))
    return TokenFault.INVALID_PROOF if key is None else key.thumbprint


async def _prove_key(
    uow: UnitOfWork,
    provider: Provider,
    client: Client,
    presentation: Presentation,
    access_token: str | None = None,
) -> ProvenKey | Refused | None:
    key = prove_key(
        client, presentation, provider.nonce_key, access_token=access_token, now=uow.now
    )
    if key is None or isinstance(key, Refused):
        return key
    # RFC 9449 section 11.1: between all processes the row decides who came first.
    if not await uow.proofs.use(key.thumbprint, key.proof_id, key.expires_at):
        return refuse_proof("The DPoP proof was used before.")
    return key
