"""Let a client prove who it is, and count the proofs that fail."""

from datetime import timedelta

from citizen_account.domain.clients import Client
from citizen_account.domain.throttling import address_block
from citizen_account.openid.client_authentication import (
    Credentials,
    authenticate,
    refuse_client,
)
from citizen_account.openid.provider import Provider
from citizen_account.openid.responses import Refused
from citizen_account.security.certificates import Certificate
from citizen_account.storage.unit_of_work import UnitOfWork

# Guessing is hopeless: this spares the database. One run of a FAPI plan of the conformance suite
# makes nearly 20 wrong proofs, and takes 429 for a failure.
FAILURE_LIMIT = 100
FAILURE_WINDOW = timedelta(minutes=15)


async def authenticate_client(
    uow: UnitOfWork,
    credentials: Credentials,
    provider: Provider,
    certificate: Certificate | None = None,
) -> Client | Refused:
    """Return the client, its assertion used up, or a refusal.

    An assertion is used up by writing: where one is presented, `uow` must be able to write.
    """
    client = await uow.clients.find(credentials.client_id)
    return await authenticate_found(uow, client, credentials, provider, certificate)


async def authenticate_found(
    uow: UnitOfWork,
    client: Client | None,
    credentials: Credentials,
    provider: Provider,
    certificate: Certificate | None,
) -> Client | Refused:
    """Do the same for a client that was looked up together with what it presents."""
    outcome = authenticate(client, credentials, provider, certificate=certificate, now=uow.now)
    if isinstance(outcome, Refused):
        return outcome
    use = outcome.assertion
    # RFC 7523 section 3 point 7: between all processes the row decides who came first.
    if use is not None and not await uow.assertions.use(use.client_id, use.id, use.expires_at):
        return refuse_client(credentials)
    return outcome.client


async def count_failed_proof(
    uow: UnitOfWork, credentials: Credentials, client_address: str
) -> bool:
    """Count the failure, and say whether the next answer may still be an ordinary refusal.

    A right secret always passes: secrets have 32 random characters, so guessing is hopeless, and
    who could lock a service out by guessing would have a better weapon than the guess.
    """
    key = f"client proof {credentials.client_id} {address_block(client_address)}"
    return await uow.throttles.hit(key, FAILURE_LIMIT, FAILURE_WINDOW)
