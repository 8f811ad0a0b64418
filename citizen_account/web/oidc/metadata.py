"""Answer discovery and the key set: bytes made once, good for some minutes."""

from functools import lru_cache

from starlette.requests import Request
from starlette.responses import Response

from citizen_account.domain.keys import JWKS_CACHE
from citizen_account.openid.metadata import make_metadata
from citizen_account.security.certificates import MutualTls
from citizen_account.web.dependencies import runtime_of

HEADERS = {
    "Content-Type": "application/json",
    "Cache-Control": f"public, max-age={int(JWKS_CACHE.total_seconds())}",
}


async def discovery(request: Request) -> Response:
    runtime = runtime_of(request)
    return Response(
        _metadata(runtime.issuer, tuple(runtime.translations.names), runtime.mutual_tls),
        headers=HEADERS,
    )


async def jwks(request: Request) -> Response:
    ring = await runtime_of(request).keys.load()
    return Response(ring.jwks, headers=HEADERS)


@lru_cache(maxsize=8)
def _metadata(issuer: str, languages: tuple[str, ...], mutual_tls: MutualTls | None) -> bytes:
    return make_metadata(issuer, languages, mutual_tls)
