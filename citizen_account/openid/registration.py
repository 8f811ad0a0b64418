"""Read a client's metadata (RFC 7591, OIDC Registration 1.0) with our own members beside it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import assert_never

from citizen_account.domain.claims import SCOPES
from citizen_account.domain.clients import (
    CERTIFICATE_METHODS,
    AuthenticationMethod,
    Client,
    ClientId,
    ClientProfile,
    GrantType,
    SubjectType,
)
from citizen_account.openid.certificates import check_certificates
from citizen_account.openid.metadata_links import check_links
from citizen_account.openid.metadata_members import Members, RegistrationError
from citizen_account.openid.metadata_purposes import read_purposes
from citizen_account.openid.metadata_signatures import (
    check_signatures,
    read_id_token_algorithm,
    read_userinfo_algorithm,
)
from citizen_account.openid.metadata_urls import (
    host_of,
    origin_of,
    read_redirect_uris,
    read_service_url,
    read_uri,
    sector_of,
)
from citizen_account.openid.request_object import HIGH_ALGORITHMS
from citizen_account.security.certificates import MutualTls
from citizen_account.security.signing import ACCEPTED_ALGORITHMS, PRIVATE_MEMBERS, client_keys
from citizen_account.security.tokens import digest

MINIMUM_SECRET_CHARACTERS = 32
_MAXIMUM_SECRET_CHARACTERS = 512
# RFC 7591 section 2 lets us ignore what we do not know. These promise a protection that the
# operator would believe in, so they are refused instead.
_UNKEPT_PROMISES = (
    "userinfo_encrypted_response_alg",
    "id_token_encrypted_response_alg",
)


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What the rules depend on beside the metadata itself."""

    is_development: bool
    """Then loopback addresses may be http."""
    new_id: str
    """The client's id where the metadata brings none."""
    new_secret: str
    now: datetime
    mutual_tls: MutualTls | None = None
    """None: no client can use a certificate."""


@dataclass(frozen=True, slots=True)
class Registration:
    client: Client
    generated_secret: str | None
    """In clear, to be shown once; None where the metadata brought it or none is needed."""


def read_registration(
    metadata: Mapping[str, object], surroundings: Surroundings, previous: Client | None = None
) -> Registration:
    """Return the client that the metadata describes.

    A client that is registered again keeps its secret, unless the metadata brings another one.
    Raises: RegistrationError.
    """
    members = Members(metadata)
    _refuse_unkept_promises(members)
    profile = _read_profile(members)
    check_signatures(members, profile)
    members.flag("require_pushed_authorization_requests", default=False)
    method = members.choice("token_endpoint_auth_method", AuthenticationMethod.BASIC)
    check_certificates(members, method, surroundings.mutual_tls)
    digest_of_secret, generated = _read_secret(members, method, surroundings, previous)
    grant_types = _read_grant_types(members)
    is_development = surroundings.is_development
    uri = partial(read_uri, members, is_development=is_development)
    uris = partial(read_redirect_uris, members, is_development=is_development)
    redirect_uris = uris("redirect_uris")
    if GrantType.AUTHORIZATION_CODE in grant_types and not redirect_uris:
        raise RegistrationError("redirect_uris", "at least one is needed for authorization_code")
    check_links(members, redirect_uris, is_development=is_development)
    client_id = read_client_id(members) or ClientId(surroundings.new_id)
    subject_type = members.choice("subject_type", SubjectType.PAIRWISE)
    name = members.local_text("client_name", default=host_of(redirect_uris) or client_id)
    client = Client(
        id=client_id,
        name=name,
        operator=members.local_text("operator", default="") or name,
        service_url=read_service_url(members, is_development=is_development)
        or origin_of(redirect_uris),
        is_first_party=members.flag("first_party", default=False),
        profile=profile,
        redirect_uris=redirect_uris,
        post_logout_redirect_uris=uris("post_logout_redirect_uris"),
        authentication_method=method,
        secret_digest=digest_of_secret,
        jwks=_read_jwks(members, method),
        jwks_uri=uri("jwks_uri"),
        grant_types=grant_types,
        scopes=_read_scopes(members),
        subject_type=subject_type,
        sector=sector_of(members, subject_type, redirect_uris) or client_id,
        id_token_algorithm=read_id_token_algorithm(members, profile),
        require_pkce=_read_require_pkce(members, method),
        backchannel_logout_uri=uri("backchannel_logout_uri"),
        is_disabled=False,
        purposes=read_purposes(members),
        created_at=previous.created_at if previous is not None else surroundings.now,
        metadata=_without_secret(metadata),
        userinfo_signed_response_alg=read_userinfo_algorithm(members, profile),
    )
    return Registration(client, generated)


def read_client_id(members: Members) -> ClientId | None:
    """Return the id that the metadata brings. Raises: RegistrationError."""
    given = members.text("client_id", maximum=255)
    if given is None:
        return None
    # RFC 6749 appendix A.1: visible ASCII.
    if not given.isascii() or not given.isprintable() or given != given.strip():
        raise RegistrationError("client_id", "must be visible ASCII characters")
    # RFC 9700 section 4.15: a client must never be taken for a resident.
    if len(given) == 32 and all(digit in "0123456789abcdef" for digit in given):  # noqa: PLR2004  # as the text
        raise RegistrationError("client_id", "must not look like a subject: 32 hex digits")
    return ClientId(given)


def _refuse_unkept_promises(members: Members) -> None:
    for name in _UNKEPT_PROMISES:
        if members.raw(name) and members.raw(name) != "none":
            raise RegistrationError(name, "is not offered by this version")


def _read_profile(members: Members) -> ClientProfile:
    profile = members.choice("profile", ClientProfile.STANDARD)
    match profile:
        case ClientProfile.STANDARD:
            return profile
        case ClientProfile.HIGH:
            _check_high(members)
            return profile
        case unexpected:
            assert_never(unexpected)


def _check_high(members: Members) -> None:
    # FAPI 2.0 section 5.3.2.1 clause 6. Pushed requests and bound tokens follow by themselves.
    method = members.choice("token_endpoint_auth_method", AuthenticationMethod.BASIC)
    if method not in {AuthenticationMethod.PRIVATE_KEY_JWT, *CERTIFICATE_METHODS}:
        raise RegistrationError("profile", "high needs private_key_jwt or a certificate")
    if members.flag("require_pkce", default=True) is False:
        raise RegistrationError("require_pkce", "a client of the profile high must use PKCE")
    algorithm = members.text("token_endpoint_auth_signing_alg")
    # FAPI 2.0 section 5.4.1.
    if algorithm is not None and algorithm not in HIGH_ALGORITHMS:
        raise RegistrationError(
            "token_endpoint_auth_signing_alg", "must be PS256, ES256 or EdDSA for the profile high"
        )


def _read_secret(
    members: Members,
    method: AuthenticationMethod,
    surroundings: Surroundings,
    previous: Client | None,
) -> tuple[bytes | None, str | None]:
    given = members.text("client_secret", maximum=_MAXIMUM_SECRET_CHARACTERS)
    if method not in {AuthenticationMethod.BASIC, AuthenticationMethod.POST}:
        if given is not None:
            raise RegistrationError("client_secret", f"is not used with {method}")
        return None, None
    if given is not None:
        _require_strong(given)
        return digest(given), None
    if previous is not None and previous.secret_digest is not None:
        return previous.secret_digest, None
    return digest(surroundings.new_secret), surroundings.new_secret


def _require_strong(secret: str) -> None:
    if len(secret) < MINIMUM_SECRET_CHARACTERS:
        raise RegistrationError(
            "client_secret", f"needs at least {MINIMUM_SECRET_CHARACTERS} random characters"
        )
    # RFC 6749 section 2.3.1 form-encodes the secret, which many clients forget: without these two
    # characters both ways mean the same.
    if not secret.isascii() or not secret.isprintable() or " " in secret or "%" in secret:
        raise RegistrationError(
            "client_secret", "must be visible ASCII characters, but no blank and no percent sign"
        )


def _read_jwks(members: Members, method: AuthenticationMethod) -> Mapping[str, object] | None:
    jwks = members.mapping("jwks")
    if jwks is not None:
        _check_jwks(members, jwks)
    algorithm = members.one_of("token_endpoint_auth_signing_alg", ACCEPTED_ALGORITHMS, "")
    if method is not AuthenticationMethod.PRIVATE_KEY_JWT:
        return jwks
    if jwks is None and members.raw("jwks_uri") is None:
        raise RegistrationError("jwks", "or jwks_uri is needed for private_key_jwt")
    # What stands behind an address is read when the client first proves itself by it.
    if jwks is None:
        return None
    wanted = (algorithm,) if algorithm else ACCEPTED_ALGORITHMS
    if not any(client_keys(jwks, name) for name in wanted):
        raise RegistrationError("jwks", f"holds no public key for {' or '.join(wanted)}")
    return jwks


def _check_jwks(members: Members, jwks: Mapping[str, object]) -> None:
    # RFC 7591 section 2.
    if members.raw("jwks_uri") is not None:
        raise RegistrationError("jwks", "must not stand beside jwks_uri")
    keys = jwks.get("keys")
    if not isinstance(keys, list) or not all(isinstance(key, dict) for key in keys):
        raise RegistrationError("jwks", "must be an object with a list of keys")
    if any(PRIVATE_MEMBERS & key.keys() for key in keys):
        raise RegistrationError("jwks", "holds a private or secret key: send the public part only")


def _read_grant_types(members: Members) -> frozenset[GrantType]:
    named = members.words("grant_types", default=(GrantType.AUTHORIZATION_CODE,))
    unknown = sorted(set(named) - {each.value for each in GrantType})
    if unknown:
        raise RegistrationError("grant_types", f"{unknown[0]} is not offered")
    grant_types = frozenset(GrantType(name) for name in named)
    has_code = GrantType.AUTHORIZATION_CODE in grant_types
    types = members.words("response_types", default=("code",) if has_code else ())
    # RFC 7591 section 2.1: the two members must fit each other.
    if any(name != "code" for name in types) or (types and not has_code):
        raise RegistrationError("response_types", "only code is offered, with authorization_code")
    method = members.raw("token_endpoint_auth_method")
    if GrantType.CLIENT_CREDENTIALS in grant_types and method == AuthenticationMethod.NONE:
        raise RegistrationError("grant_types", "client_credentials is not for a public client")
    return grant_types


def _read_scopes(members: Members) -> frozenset[str]:
    given = members.text("scope", maximum=2048)
    # RFC 7591 section 2: without the member, a set that the server chooses. Each authorization
    # asks for what it needs, and the resident decides.
    if given is None:
        return frozenset(SCOPES)
    scopes = given.split()
    # RFC 6749 section 3.3.
    if not given.isascii() or not given.isprintable() or any(mark in given for mark in '"\\'):
        raise RegistrationError("scope", "must be words of visible ASCII characters")
    return frozenset(scopes)


def _read_require_pkce(members: Members, method: AuthenticationMethod) -> bool:
    required = members.flag("require_pkce", default=True)
    if not required and method is AuthenticationMethod.NONE:
        raise RegistrationError("require_pkce", "a public client must use PKCE")
    return required


def _without_secret(metadata: Mapping[str, object]) -> Mapping[str, object]:
    return {name: value for name, value in metadata.items() if name != "client_secret"}
