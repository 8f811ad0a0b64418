"""Read what a provider publishes of itself (OpenID Connect Discovery 1.0 sections 3 and 4)."""

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from citizen_account.security.signing import ACCEPTED_ALGORITHMS
from citizen_account.upstream.errors import UpstreamRefusedError

LOCAL_HOSTS = frozenset({"localhost", "127.0.0.1", "::1"})


@dataclass(frozen=True, slots=True)
class Metadata:
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    userinfo_endpoint: str | None
    algorithms: tuple[str, ...]
    """Those of its ID tokens that we accept too."""
    names_itself: bool
    """It promises `iss` in every answer (RFC 9207 section 3)."""


def well_known(issuer: str) -> str:
    return f"{issuer.rstrip('/')}/.well-known/openid-configuration"


def is_trustworthy(url: object) -> bool:
    """Say whether the address is https, or on this machine."""
    if not isinstance(url, str):
        return False
    parts = urlsplit(url)
    if parts.username or parts.password or parts.fragment or not parts.hostname:
        return False
    return parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in LOCAL_HOSTS)


def read_metadata(document: object, issuer: str) -> Metadata:
    """Return what we need of it. Raises: UpstreamRefusedError."""
    if not isinstance(document, dict):
        raise UpstreamRefusedError("metadata is no object")
    # Discovery section 4.3: exactly the issuer that the operator wrote down.
    if document.get("issuer") != issuer:
        raise UpstreamRefusedError("metadata of another issuer")
    promised = document.get("id_token_signing_alg_values_supported", ["RS256"])
    named = promised if isinstance(promised, list) else []
    return Metadata(
        authorization_endpoint=_endpoint(document, "authorization_endpoint"),
        token_endpoint=_endpoint(document, "token_endpoint"),
        jwks_uri=_endpoint(document, "jwks_uri"),
        userinfo_endpoint=(
            _endpoint(document, "userinfo_endpoint") if "userinfo_endpoint" in document else None
        ),
        algorithms=tuple(name for name in ACCEPTED_ALGORITHMS if name in named),
        names_itself=document.get("authorization_response_iss_parameter_supported") is True,
    )


def _endpoint(document: Mapping[str, object], name: str) -> str:
    url = document.get(name)
    if not is_trustworthy(url):
        raise UpstreamRefusedError(f"{name} is no https address")
    return str(url)
