"""What the machine endpoints share: who we are, and how an answer leaves."""

from collections.abc import Mapping, Sequence
from functools import lru_cache

from pydantic_core import to_json
from starlette.requests import Request
from starlette.responses import Response

from citizen_account.domain.errors import DomainError, ErrorCode
from citizen_account.openid.client_authentication import AssertionProof, Credentials, SecretProof
from citizen_account.openid.provider import Provider
from citizen_account.openid.responses import Answer, Refused, refusal
from citizen_account.usecases.client_authentication import count_failed_proof
from citizen_account.web.dependencies import runtime_of
from citizen_account.web.requests import client_address


async def provider_of(request: Request) -> Provider:
    """Return the provider with its keys. No transaction may be open."""
    runtime = runtime_of(request)
    derived = runtime.derived_keys
    return Provider(runtime.issuer, derived.pairwise, await runtime.keys.load(), derived.nonce)


async def prepare_keys(request: Request, credentials: Credentials, *signed: str) -> None:
    """Have the client's keys at hand for its assertion, and for whatever else it has signed.

    No transaction may be open.
    """
    proofs = [credentials.assertion] if isinstance(credentials, AssertionProof) else []
    await runtime_of(request).client_keys.prepare(credentials.client_id, [*proofs, *signed])


def send(answer: Answer) -> Response:
    return send_json(answer.body, answer.status, answer.headers)


def send_json(
    body: Mapping[str, object], status: int = 200, headers: Mapping[str, str] | None = None
) -> Response:
    """Return JSON that nobody may keep, unless the headers say otherwise."""
    encoded = to_json(body)
    response = Response(status_code=status)
    response.body = encoded
    said = _written(tuple((headers or {}).items()))
    response.raw_headers = [*said, (b"content-length", b"%d" % len(encoded))]
    return response


@lru_cache(maxsize=128)
def _written(more: tuple[tuple[str, str], ...]) -> Sequence[tuple[bytes, bytes]]:
    """Return the headers as they are sent; Authlib's name a content type of their own."""
    headers = {"content-type": "application/json", "cache-control": "no-store"}
    headers |= {name.lower(): value for name, value in more}
    return [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]


async def send_refusal(request: Request, refused: Refused, credentials: Credentials) -> Response:
    """Return the refusal; a wrong proof is counted first. Raises: too_many_tries."""
    if refused.error.error == "invalid_client":
        await _count(request, credentials)
    return send(refusal(refused.error))


async def _count(request: Request, credentials: Credentials) -> None:
    if not isinstance(credentials, SecretProof | AssertionProof):
        return
    runtime = runtime_of(request)
    async with runtime.database.begin_hot() as uow:
        may_go_on = await count_failed_proof(uow, credentials, client_address(request, runtime))
    if not may_go_on:
        raise DomainError(ErrorCode.TOO_MANY_TRIES)
