"""Read and check how a client proves who it is (RFC 6749 section 2.3, RFC 7523 section 3)."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from authlib.oauth2 import OAuth2Error
from authlib.oauth2.rfc6749.errors import (
    InvalidClientError,
    InvalidRequestError,
    UnauthorizedClientError,
)
from authlib.oauth2.rfc6749.util import extract_basic_authorization

from citizen_account.domain.clients import (
    CERTIFICATE_METHODS,
    Approval,
    AuthenticationMethod,
    Client,
    ClientId,
    ClientProfile,
)
from citizen_account.openid.certificates import proves
from citizen_account.openid.provider import Provider
from citizen_account.openid.responses import Refused
from citizen_account.security.certificates import Certificate
from citizen_account.security.signing import (
    ACCEPTED_ALGORITHMS,
    BadTokenError,
    client_keys,
    read_header,
    read_unproven_claims,
    verify,
)
from citizen_account.security.tokens import is_secret_of

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
ASSERTION_JWT_TYPES = frozenset({"jwt", "client-authentication+jwt"})
# Long, as stock clients ask for an hour (Authlib does): each is good once, whatever its life.
ASSERTION_LONGEST_LIFE: Mapping[ClientProfile, timedelta] = {
    ClientProfile.STANDARD: timedelta(hours=1),
    ClientProfile.HIGH: timedelta(minutes=10),
}
# FAPI 2.0 section 5.3.2.1 clause 13: clocks differ.
CLOCK_SKEW = timedelta(seconds=10)
HIGH_ALGORITHMS = frozenset({"PS256", "ES256", "EdDSA"})
# RFC 6749 appendix A.1: client_id = *VSCHAR. PostgreSQL would refuse a NUL with an exception.
_CLIENT_ID = re.compile(r"[\x20-\x7e]{1,255}")
_ASSERTION_ID_LIMIT = 255


@dataclass(frozen=True, slots=True)
class NoProof:
    """A public client names itself, and proves nothing."""

    client_id: ClientId


@dataclass(frozen=True, slots=True)
class SecretProof:
    client_id: ClientId
    secret: str
    method: AuthenticationMethod


@dataclass(frozen=True, slots=True)
class AssertionProof:
    """A JWT of the client's own; `client_id` is what it says, unproven."""

    client_id: ClientId
    assertion: str


Credentials = NoProof | SecretProof | AssertionProof


@dataclass(frozen=True, slots=True)
class AssertionUse:
    """The assertion that may not come again before it expires (RFC 7523 section 3 point 7)."""

    client_id: ClientId
    id: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Authenticated:
    client: Client
    assertion: AssertionUse | None
    """To be used up, in the same transaction, by whoever relies on this answer."""


def read_credentials(authorization: str | None, fields: Mapping[str, str]) -> Credentials:
    """Say who claims to ask, and by which method. Raises Authlib's OAuth errors."""
    offered = [
        authorization is not None,
        "client_secret" in fields,
        "client_assertion" in fields or "client_assertion_type" in fields,
    ]
    # RFC 6749 section 2.3: no more than one authentication method in a request.
    if offered.count(True) > 1:
        raise InvalidRequestError("The client used two authentication methods.")
    if authorization is not None:
        return _read_basic(authorization, fields)
    if "client_assertion" in fields or "client_assertion_type" in fields:
        return _read_assertion(fields)
    if "client_id" not in fields:
        # RFC 6749 section 5.2: nobody claims to ask, so nobody failed to prove it.
        raise InvalidRequestError("The client named itself nowhere.")
    client_id = _client_id(fields["client_id"])
    if "client_secret" in fields:
        return SecretProof(client_id, fields["client_secret"], AuthenticationMethod.POST)
    return NoProof(client_id)


def authenticate(
    client: Client | None,
    credentials: Credentials,
    provider: Provider,
    *,
    certificate: Certificate | None = None,
    now: datetime,
) -> Authenticated | Refused:
    """Say whether the proof holds. A stranger and a wrong proof look the same."""
    try:
        if client is not None and client.authentication_method in CERTIFICATE_METHODS:
            found = _authenticate_by_certificate(client, credentials, certificate)
        else:
            found = _authenticate(client, credentials, provider, now)
        _require_approval(found.client)
        return found
    except OAuth2Error as error:
        return Refused(error)


def refuse_client(credentials: Credentials) -> Refused:
    """Word the refusal of a client, for instance of one whose assertion came before."""
    return Refused(_refusal(credentials))


def _authenticate(
    client: Client | None, credentials: Credentials, provider: Provider, now: datetime
) -> Authenticated:
    if (
        client is None
        or _is_shut_out(client)
        or client.authentication_method is not _method(credentials)
    ):
        raise _refusal(credentials)
    match credentials:
        case NoProof():
            return Authenticated(client, None)
        case SecretProof(secret=secret):
            if client.secret_digest is None or not is_secret_of(secret, client.secret_digest):
                raise _refusal(credentials)
            return Authenticated(client, None)
        case AssertionProof():
            return Authenticated(client, _check_assertion(client, credentials, provider, now))


def _require_approval(client: Client) -> None:
    # Said to the client alone: to anybody else it does not exist.
    if client.approval is Approval.PENDING:
        raise UnauthorizedClientError(
            "The client waits for the approval of the account's administrators."
        )


def _is_shut_out(client: Client) -> bool:
    return client.is_disabled and client.approval is not Approval.PENDING


def _authenticate_by_certificate(
    client: Client, credentials: Credentials, certificate: Certificate | None
) -> Authenticated:
    # RFC 8705 section 2: the client names itself in the form, and the connection proves it.
    is_proven = (
        not _is_shut_out(client)
        and isinstance(credentials, NoProof)
        and certificate is not None
        and proves(certificate, client)
    )
    if not is_proven:
        raise _refusal(credentials)
    return Authenticated(client, None)


def _check_assertion(
    client: Client, proof: AssertionProof, provider: Provider, now: datetime
) -> AssertionUse:
    claims = _proven_claims(client, proof)
    # RFC 7523 section 3 points 1 and 2: issuer and subject are the client.
    if claims.get("iss") != client.id or claims.get("sub") != client.id:
        raise _refusal(proof)
    _require_audience(client, claims.get("aud"), proof, provider)
    expires_at = _require_times(claims, proof, ASSERTION_LONGEST_LIFE[client.profile], now)
    jti = claims.get("jti")
    if not isinstance(jti, str) or not 0 < len(jti) <= _ASSERTION_ID_LIMIT or "\0" in jti:
        raise _refusal(proof)
    return AssertionUse(client.id, jti, expires_at)


def _proven_claims(client: Client, proof: AssertionProof) -> Mapping[str, object]:
    allowed = HIGH_ALGORITHMS if client.profile is ClientProfile.HIGH else ACCEPTED_ALGORITHMS
    registered = client.metadata.get("token_endpoint_auth_signing_alg")
    try:
        header = read_header(proof.assertion)
        algorithm = str(header.get("alg"))
        # RFC 8725 section 3.11: a JWT of another kind is no proof, whoever has signed it.
        if str(header.get("typ", "jwt")).lower() not in ASSERTION_JWT_TYPES:
            raise _refusal(proof)
        # OIDC Registration section 2: a registered algorithm is the only one.
        if algorithm not in allowed or registered not in {None, algorithm}:
            raise _refusal(proof)
        return verify(proof.assertion, client_keys(client.jwks or {}, algorithm))
    except BadTokenError:
        raise _refusal(proof) from None


def _require_audience(
    client: Client, audience: object, proof: AssertionProof, provider: Provider
) -> None:
    # FAPI 2.0 section 5.3.2.1 clause 8: the issuer as a plain string, and nothing else.
    if client.profile is ClientProfile.HIGH:
        if audience != provider.issuer:
            raise _refusal(proof)
        return
    # RFC 7523 section 3 point 3: the issuer or the token endpoint. Every member must be ours, or
    # an assertion made for another server could be replayed here.
    named = audience if isinstance(audience, list) else [audience]
    ours = (provider.issuer, provider.address("/token"))
    if not named or any(name not in ours for name in named):
        raise _refusal(proof)


def _require_times(
    claims: Mapping[str, object], proof: AssertionProof, longest_life: timedelta, now: datetime
) -> datetime:
    instant = now.timestamp()
    skew = CLOCK_SKEW.total_seconds()
    longest = longest_life.total_seconds() + skew
    expiry = _seconds(claims.get("exp"))
    # RFC 7523 section 3 point 4: expired, or good for unreasonably long.
    if expiry is None or not instant - skew < expiry <= instant + longest:
        raise _refusal(proof)
    for name in ("iat", "nbf"):
        begun = _seconds(claims.get(name, 0))
        # RFC 7523 section 3 points 5 and 6.
        if begun is None or begun > instant + skew:
            raise _refusal(proof)
    return now + timedelta(seconds=expiry - instant) + CLOCK_SKEW


def _seconds(value: object) -> float | None:
    # A JSON number; true and false are none, though Python counts them as such.
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value)


def _method(credentials: Credentials) -> AuthenticationMethod:
    match credentials:
        case NoProof():
            return AuthenticationMethod.NONE
        case SecretProof(method=method):
            return method
        case AssertionProof():
            return AuthenticationMethod.PRIVATE_KEY_JWT


def _read_basic(authorization: str, fields: Mapping[str, str]) -> SecretProof:
    # Authlib lets base64 and UTF-8 errors through; both are ValueError.
    try:
        name, secret = extract_basic_authorization({"Authorization": authorization})
    except ValueError:
        name, secret = None, None
    if name is None or not _CLIENT_ID.fullmatch(name):
        raise _unknown_client(used_header=True)
    # RFC 6749 section 3.2.1 lets the form repeat the name; two different names are a mix-up.
    if fields.get("client_id", name) != name:
        raise InvalidRequestError("The client named itself in two ways.")
    return SecretProof(ClientId(name), secret or "", AuthenticationMethod.BASIC)


def _read_assertion(fields: Mapping[str, str]) -> AssertionProof:
    # RFC 7521 section 4.2.
    if fields.get("client_assertion_type") != ASSERTION_TYPE or "client_assertion" not in fields:
        raise InvalidRequestError("The client assertion is incomplete or of an unknown type.")
    try:
        subject = read_unproven_claims(fields["client_assertion"]).get("sub")
    except BadTokenError:
        raise _unknown_client(used_header=False) from None
    client_id = _client_id(subject)
    if fields.get("client_id", client_id) != client_id:
        raise _unknown_client(used_header=False)
    return AssertionProof(client_id, fields["client_assertion"])


def _client_id(value: object) -> ClientId:
    if not isinstance(value, str) or not _CLIENT_ID.fullmatch(value):
        raise _unknown_client(used_header=False)
    return ClientId(value)


def _refusal(credentials: Credentials) -> InvalidClientError:
    used_header = _method(credentials) is AuthenticationMethod.BASIC
    return _unknown_client(used_header=used_header)


def _unknown_client(*, used_header: bool) -> InvalidClientError:
    # RFC 6749 section 5.2: 401 with WWW-Authenticate answers a client that used the header.
    status = 401 if used_header else 400
    return InvalidClientError("The client could not be authenticated.", status_code=status)
