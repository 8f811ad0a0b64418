"""Describe the provider to machines (OpenID Connect Discovery 1.0, RFC 8414): what works, only."""

import json
from collections.abc import Sequence

from citizen_account.domain.assurance import ACR_VALUES
from citizen_account.domain.claims import API_SCOPES, CLAIMS, SCOPES
from citizen_account.domain.clients import AuthenticationMethod, GrantType, SubjectType
from citizen_account.domain.keys import SIGNING_ALGORITHMS
from citizen_account.openid.authorization import Prompt, ResponseMode
from citizen_account.openid.certificates import methods_offered
from citizen_account.openid.request_object import REQUEST_OBJECT_ALGORITHMS
from citizen_account.openid.sender import PROOF_ALGORITHMS
from citizen_account.security.certificates import MutualTls
from citizen_account.security.signing import ACCEPTED_ALGORITHMS

# OIDC Core section 2: what the ID token says beside the resident's own claims.
ID_TOKEN_CLAIMS = ("sub", "iss", "aud", "exp", "iat", "auth_time", "nonce", "acr", "amr", "sid")

_WITH_CERTIFICATE = (
    "pushed_authorization_request_endpoint",
    "token_endpoint",
    "userinfo_endpoint",
    "introspection_endpoint",
    "revocation_endpoint",
)


def make_metadata(
    issuer: str,
    languages: Sequence[str],
    mutual_tls: MutualTls | None = None,
    *,
    is_registration_open: bool = False,
) -> bytes:
    """Return the document; both well-known addresses serve the same one."""
    described = {
        "issuer": issuer,
        **_addresses(issuer),
        **_authorization(languages),
        **_tokens(methods_offered(mutual_tls)),
        **_logout(),
    }
    if mutual_tls is not None and mutual_tls.address:
        described["mtls_endpoint_aliases"] = _aliases(mutual_tls.address)
    if is_registration_open:
        # RFC 7591 section 3.
        described["registration_endpoint"] = f"{issuer}/register"
    return json.dumps(described).encode()


def _addresses(issuer: str) -> dict[str, object]:
    return {
        "authorization_endpoint": f"{issuer}/authorize",
        # RFC 9126 section 5.
        "pushed_authorization_request_endpoint": f"{issuer}/par",
        "token_endpoint": f"{issuer}/token",
        "userinfo_endpoint": f"{issuer}/userinfo",
        "jwks_uri": f"{issuer}/jwks",
        "introspection_endpoint": f"{issuer}/introspect",
        "revocation_endpoint": f"{issuer}/revoke",
        "end_session_endpoint": f"{issuer}/logout",
    }


def _aliases(address: str) -> dict[str, object]:
    # RFC 8705 section 5: where a client proves itself, or uses a token of its own.
    plain = _addresses(address)
    return {name: plain[name] for name in _WITH_CERTIFICATE}


def _authorization(languages: Sequence[str]) -> dict[str, object]:
    return {
        "scopes_supported": [*SCOPES, *API_SCOPES],
        "response_types_supported": ["code"],
        "response_modes_supported": [mode.value for mode in ResponseMode],
        "prompt_values_supported": [prompt.value for prompt in Prompt],
        "code_challenge_methods_supported": ["S256"],
        "acr_values_supported": list(ACR_VALUES),
        "ui_locales_supported": list(languages),
        "claims_parameter_supported": True,
        "require_pushed_authorization_requests": False,
        "require_signed_request_object": False,
        # RFC 9101: signed objects come by /par.
        "request_object_signing_alg_values_supported": list(REQUEST_OBJECT_ALGORITHMS),
        "authorization_signing_alg_values_supported": list(SIGNING_ALGORITHMS),
        "request_parameter_supported": False,
        "request_uri_parameter_supported": False,
        # RFC 9207 section 3.
        "authorization_response_iss_parameter_supported": True,
    }


def _tokens(offered: Sequence[AuthenticationMethod]) -> dict[str, object]:
    methods = [method.value for method in offered]
    # RFC 7662 section 2.1: a public client proves nothing, so it may not introspect.
    proving = [name for name in methods if name != AuthenticationMethod.NONE]
    algorithms = list(ACCEPTED_ALGORITHMS)
    return {
        "grant_types_supported": [grant_type.value for grant_type in GrantType],
        "token_endpoint_auth_methods_supported": methods,
        "token_endpoint_auth_signing_alg_values_supported": algorithms,
        "revocation_endpoint_auth_methods_supported": methods,
        "revocation_endpoint_auth_signing_alg_values_supported": algorithms,
        "introspection_endpoint_auth_methods_supported": proving,
        "introspection_endpoint_auth_signing_alg_values_supported": algorithms,
        "introspection_signing_alg_values_supported": list(SIGNING_ALGORITHMS),
        # RFC 9449 section 5.1.
        "dpop_signing_alg_values_supported": list(PROOF_ALGORITHMS),
        # RFC 8705 section 3.3.
        "tls_client_certificate_bound_access_tokens": AuthenticationMethod.SELF_SIGNED_TLS
        in offered,
        "subject_types_supported": [subject_type.value for subject_type in SubjectType],
        "id_token_signing_alg_values_supported": list(SIGNING_ALGORITHMS),
        "userinfo_signing_alg_values_supported": list(SIGNING_ALGORITHMS),
        "claim_types_supported": ["normal"],
        "claims_supported": [*ID_TOKEN_CLAIMS, *CLAIMS],
    }


def _logout() -> dict[str, object]:
    return {
        "backchannel_logout_supported": True,
        "backchannel_logout_session_supported": True,
        "frontchannel_logout_supported": True,
        "frontchannel_logout_session_supported": True,
    }
