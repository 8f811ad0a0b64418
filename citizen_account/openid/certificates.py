"""Know clients by their certificates (RFC 8705 section 2)."""

from collections.abc import Sequence
from itertools import chain

from citizen_account.domain.clients import AuthenticationMethod, Client
from citizen_account.openid.metadata_members import Members
from citizen_account.security.certificates import (
    NAME_MEMBERS,
    SUBJECT_MEMBER,
    Certificate,
    MutualTls,
    is_name,
)
from citizen_account.security.signing import ACCEPTED_ALGORITHMS, client_keys

BOUND_MEMBER = "tls_client_certificate_bound_access_tokens"


def methods_offered(mutual_tls: MutualTls | None) -> Sequence[AuthenticationMethod]:
    """Return how clients may prove themselves here."""
    missing = set()
    if mutual_tls is None:
        missing.add(AuthenticationMethod.SELF_SIGNED_TLS)
    # Without an authority of ours, whoever makes himself a certificate has any name.
    if mutual_tls is None or not mutual_tls.authorities:
        missing.add(AuthenticationMethod.TLS)
    return [method for method in AuthenticationMethod if method not in missing]


def proves(certificate: Certificate, client: Client) -> bool:
    """Say whether the certificate is this client's."""
    match client.authentication_method:
        case AuthenticationMethod.TLS:
            # Section 2.1: by an authority, and with the registered name.
            names = _names_of(Members(client.metadata))
            return (
                certificate.is_vouched_for
                and len(names) == 1
                and all(certificate.bears(member, value) for member, value in names)
            )
        case AuthenticationMethod.SELF_SIGNED_TLS:
            # Section 2.2: with a registered key; who has signed the certificate says nothing.
            return certificate.key_thumbprint in _registered_keys(client)
        case _:
            return False


def check_certificates(
    members: Members, method: AuthenticationMethod, mutual_tls: MutualTls | None
) -> None:
    """Refuse what cannot be kept. Raises: RegistrationError."""
    if method not in methods_offered(mutual_tls):
        raise members.fail("token_endpoint_auth_method", f"{method} is not offered here")
    if members.flag(BOUND_MEMBER, default=False) and mutual_tls is None:
        raise members.fail(BOUND_MEMBER, "is not offered here: no proxy shows us certificates")
    names = _names_of(members)
    if method is AuthenticationMethod.TLS and len(names) != 1:
        raise members.fail(SUBJECT_MEMBER, "or exactly one tls_client_auth_san_* is needed")
    for member, value in names:
        if member == SUBJECT_MEMBER and not is_name(value):
            raise members.fail(member, "is no distinguished name of RFC 4514")
    if method is AuthenticationMethod.SELF_SIGNED_TLS and members.raw("jwks") is None:
        raise members.fail("jwks", "is needed for self_signed_tls_client_auth")


def _names_of(members: Members) -> Sequence[tuple[str, str]]:
    found = ((member, members.text(member)) for member in NAME_MEMBERS)
    return [(member, value) for member, value in found if value is not None]


def _registered_keys(client: Client) -> frozenset[str]:
    keys = chain.from_iterable(
        client_keys(client.jwks or {}, algorithm) for algorithm in ACCEPTED_ALGORITHMS
    )
    return frozenset(key.key.thumbprint() for key in keys)
