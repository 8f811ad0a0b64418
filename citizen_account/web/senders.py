"""Read what a request shows of its sender: DPoP proofs, and the certificate that a proxy saw."""

from contextlib import AbstractAsyncContextManager

from starlette.requests import Request
from starlette.responses import Response

from citizen_account.bootstrap import Runtime
from citizen_account.domain.grants import PresentedToken
from citizen_account.openid.provider import Provider
from citizen_account.openid.sender import (
    BEARER,
    DPOP,
    PROOF_ALGORITHMS,
    InvalidProofError,
    NonceWantedError,
    Presentation,
    issue_nonce,
)
from citizen_account.security.certificates import Certificate
from citizen_account.storage.unit_of_work import UnitOfWork
from citizen_account.usecases.senders import AccessRequest, TokenFault, open_token
from citizen_account.web.requests import comes_by_proxy

NONCE_HEADER = "DPoP-Nonce"
WANTS_NONCE = frozenset({InvalidProofError.error, NonceWantedError.error})


def presentation_of(request: Request, runtime: Runtime) -> Presentation:
    path = request.scope["path"]
    address = "" if runtime.mutual_tls is None else runtime.mutual_tls.address
    return Presentation(
        method=request.method,
        url=f"{runtime.issuer}{path}",
        alias=f"{address}{path}" if address else None,
        proofs=tuple(request.headers.getlist("dpop")),
        certificate=certificate_of(request, runtime),
    )


def certificate_of(request: Request, runtime: Runtime) -> Certificate | None:
    """Return what a trusted proxy says that the client has shown to it; nobody else is believed."""
    if runtime.mutual_tls is None or not comes_by_proxy(request, runtime):
        return None
    values = request.headers.getlist(runtime.mutual_tls.header)
    # A second header would be the client's own, which the proxy let through.
    return runtime.mutual_tls.read(values[0], runtime.clock()) if len(values) == 1 else None


def with_nonce(
    request: Request, runtime: Runtime, response: Response, error: str | None = None
) -> Response:
    """Return the answer with the nonce of the next proof (RFC 9449 section 8)."""
    if "dpop" in request.headers or error in WANTS_NONCE:
        response.headers[NONCE_HEADER] = issue_nonce(runtime.derived_keys.nonce, runtime.clock())
    return response


def access_of_header(request: Request, runtime: Runtime) -> AccessRequest | None:
    """Return the token of the Authorization header; None where there is none of a known scheme."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    # RFC 9110 section 11.1: the scheme's name has no case.
    if scheme.lower() not in {BEARER.lower(), DPOP.lower()}:
        return None
    return AccessRequest(scheme, token.strip(), presentation_of(request, runtime))


async def open_access(
    runtime: Runtime, provider: Provider, access: AccessRequest
) -> PresentedToken | TokenFault:
    """Return the token if it may be used like this."""
    async with transaction_for(runtime, access) as uow:
        opened = await open_token(uow, provider, access)
    return opened if isinstance(opened, TokenFault) else opened.presented


def transaction_for(
    runtime: Runtime, access: AccessRequest
) -> AbstractAsyncContextManager[UnitOfWork]:
    """Open a transaction that can write where a proof must be used up, else one that waits less."""
    database = runtime.database
    return database.begin_hot() if access.presentation.proofs else database.read()


def challenge(
    scheme: str, *, realm: str = "", fault: TokenFault | None = None, scope: str = ""
) -> str:
    """Word WWW-Authenticate (RFC 6750 section 3, RFC 9449 section 7.1)."""
    is_dpop = scheme.lower() == DPOP.lower()
    facts = {
        "realm": realm,
        "error": fault or "",
        "scope": scope,
        "algs": " ".join(PROOF_ALGORITHMS) if is_dpop else "",
    }
    said = ", ".join(f'{name}="{value}"' for name, value in facts.items() if value)
    return f"{DPOP if is_dpop else BEARER} {said}".rstrip()


def first_challenge(realm: str = "") -> str:
    """Ask who sent no token for one, by either scheme, and tell of no error."""
    return ", ".join(challenge(scheme, realm=realm) for scheme in (BEARER, DPOP))
