"""Judge the members that bind tokens to their sender, and that ask for signatures."""

from collections.abc import Collection, Mapping

from citizen_account.domain.clients import ClientProfile
from citizen_account.domain.keys import DEFAULT_ALGORITHM, SIGNING_ALGORITHMS
from citizen_account.openid.metadata_members import Members
from citizen_account.openid.request_object import HIGH_ALGORITHMS, REQUEST_OBJECT_ALGORITHMS
from citizen_account.openid.signed_answers import HIGH_ALGORITHM

_FLAGS = (
    "dpop_bound_access_tokens",
    "tls_client_certificate_bound_access_tokens",
    "require_signed_request_object",
)
_ALGORITHMS: Mapping[str, Collection[str]] = {
    "request_object_signing_alg": REQUEST_OBJECT_ALGORITHMS,
    "authorization_signed_response_alg": SIGNING_ALGORITHMS,
    "introspection_signed_response_alg": SIGNING_ALGORITHMS,
}


def check_signatures(members: Members, profile: ClientProfile) -> None:
    """Refuse what cannot be kept. Raises: RegistrationError."""
    for name in _FLAGS:
        members.flag(name, default=False)
    for name, allowed in _ALGORITHMS.items():
        chosen = members.one_of(name, allowed, "")
        # FAPI 2.0 section 5.4.1.
        if profile is ClientProfile.HIGH and chosen and chosen not in HIGH_ALGORITHMS:
            raise members.fail(name, "must be PS256, ES256 or EdDSA for the profile high")
    has_keys = members.raw("jwks") is not None or members.raw("jwks_uri") is not None
    if members.raw("require_signed_request_object") is True and not has_keys:
        raise members.fail("require_signed_request_object", "needs jwks or jwks_uri")


def read_id_token_algorithm(members: Members, profile: ClientProfile) -> str:
    """Return what signs the client's ID tokens. Raises: RegistrationError."""
    is_high = profile is ClientProfile.HIGH
    allowed = [name for name in SIGNING_ALGORITHMS if not is_high or name in HIGH_ALGORITHMS]
    default = HIGH_ALGORITHM if is_high else DEFAULT_ALGORITHM
    return members.one_of("id_token_signed_response_alg", allowed, default)
