"""Prove who sends a request: DPoP (RFC 9449), certificates (RFC 8705), and tokens bound to them."""

import re
from base64 import urlsafe_b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from hmac import compare_digest
from types import MappingProxyType
from urllib.parse import unquote, urlsplit

from authlib.oauth2 import OAuth2Error
from authlib.oauth2.rfc6749.errors import InvalidGrantError, InvalidRequestError

from citizen_account.domain.clients import AuthenticationMethod, Client, ClientProfile
from citizen_account.openid.responses import Refused
from citizen_account.security.certificates import Certificate
from citizen_account.security.signing import BadTokenError, read_header, verify_by_embedded_key
from citizen_account.security.tokens import keyed_digest

# FAPI 2.0 section 5.4.1: what a `high` client signs with; proofs of all clients are held to it.
PROOF_ALGORITHMS = ("PS256", "ES256", "EdDSA")
PROOF_TYPE = "dpop+jwt"
# RFC 9449 section 11.1: a short time. FAPI 2.0 section 5.3.2.1 clause 13: 10 seconds ahead is
# accepted, more than 60 refused.
PROOF_LIFE = timedelta(seconds=60)
CLOCK_SKEW = timedelta(seconds=15)
NONCE_SLOT = timedelta(minutes=2)
JKT = "jkt"
X5T = "x5t#S256"
BEARER = "Bearer"
DPOP = "DPoP"
_JKT = re.compile(r"[A-Za-z0-9_-]{43}")
_MAX_ID = 255
_PORTS = {"https": 443, "http": 80}

Confirmation = Mapping[str, str]
"""`cnf` of RFC 7800: whoever uses the token proves every member."""


class InvalidProofError(OAuth2Error):
    """RFC 9449 section 5."""

    error = "invalid_dpop_proof"
    description = "The DPoP proof does not hold."


class NonceWantedError(OAuth2Error):
    """RFC 9449 section 8."""

    error = "use_dpop_nonce"
    description = "The DPoP proof needs the nonce of this answer."


NOBODY: Confirmation = MappingProxyType({})
"""Of a token that whoever bears it may use."""


@dataclass(frozen=True, slots=True)
class Presentation:
    """What a request shows of its sender beside its form."""

    method: str
    url: str
    """By our own name of ourselves, whatever socket the request came by."""
    alias: str | None = None
    """The same by the name for clients with certificates (RFC 8705 section 5)."""
    proofs: tuple[str, ...] = ()
    """Every `DPoP` header."""
    certificate: Certificate | None = None
    """The client's own, as the proxy saw it (RFC 8705)."""


@dataclass(frozen=True, slots=True)
class ProvenKey:
    """A key that has signed this very request; its proof may not come again until it expires."""

    thumbprint: str
    proof_id: str
    expires_at: datetime


def needs_proof(client: Client) -> bool:
    """Say whether the client gets DPoP-bound tokens only (RFC 9449 section 5.2)."""
    if client.metadata.get("dpop_bound_access_tokens") is True:
        return True
    # FAPI 2.0 section 5.3.2.1 clause 4: one way or the other.
    return client.profile is ClientProfile.HIGH and not needs_certificate(client)


def needs_certificate(client: Client) -> bool:
    """Say whether the client gets certificate-bound tokens (RFC 8705 section 3.4)."""
    return client.metadata.get("tls_client_certificate_bound_access_tokens") is True


def is_sender_constrained(client: Client) -> bool:
    return needs_proof(client) or needs_certificate(client)


def read_jkt(value: str | None) -> str | None:
    """Return a well-formed `dpop_jkt` (RFC 9449 section 10). Raises: invalid_request."""
    if value is not None and not _JKT.fullmatch(value):
        raise InvalidRequestError("The dpop_jkt is no SHA-256 thumbprint.")
    return value


def issue_nonce(key: bytes, now: datetime) -> str:
    """Return the nonce of this moment, the same in all processes; good for two to four minutes."""
    return _nonce(key, _slot(now))


def check_proof(
    presentation: Presentation,
    nonce_key: bytes,
    *,
    needs_nonce: bool,
    access_token: str | None = None,
    now: datetime,
) -> ProvenKey | None:
    """Return the key that the request proves; None where it brings no proof.

    RFC 9449 section 4.3, but for the replay, which the caller notices.
    Raises: invalid_dpop_proof, use_dpop_nonce.
    """
    if not presentation.proofs:
        return None
    if len(presentation.proofs) > 1:
        raise InvalidProofError("There is more than one DPoP header.")
    claims, thumbprint = _signed(presentation.proofs[0])
    if claims.get("htm") != presentation.method or not _is_for(claims, presentation):
        raise InvalidProofError("The DPoP proof is for another request.")
    _require_token(claims, access_token)
    issued_at = _require_times(claims, now)
    _require_nonce(claims, nonce_key, now, needs_nonce=needs_nonce)
    jti = claims.get("jti")
    if not isinstance(jti, str) or not 0 < len(jti) <= _MAX_ID:
        raise InvalidProofError("The DPoP proof has no usable jti.")
    until = now + timedelta(seconds=issued_at - now.timestamp()) + PROOF_LIFE + CLOCK_SKEW
    return ProvenKey(thumbprint, jti, until)


def prove_key(
    client: Client,
    presentation: Presentation,
    nonce_key: bytes,
    *,
    access_token: str | None = None,
    now: datetime,
) -> ProvenKey | Refused | None:
    """Return the key that the client's request proves; None where it brings no proof."""
    # FAPI 2.0 leaves it to us: nonces keep proofs from being made ahead (RFC 9449 section 11.2).
    needs_nonce = client.profile is ClientProfile.HIGH
    try:
        return check_proof(
            presentation, nonce_key, needs_nonce=needs_nonce, access_token=access_token, now=now
        )
    except OAuth2Error as error:
        return Refused(error)


def refuse_proof(reason: str) -> Refused:
    return Refused(InvalidProofError(reason))


def confirm(
    client: Client, key: ProvenKey | None, presentation: Presentation
) -> Confirmation | Refused:
    """Return to whom the client's new tokens are bound; empty: to nobody."""
    confirmation: dict[str, str] = {}
    if key is not None:
        confirmation[JKT] = key.thumbprint
    elif needs_proof(client):
        # RFC 6749 section 5.2: a missing parameter. RFC 9449 section 5 calls invalid what is there.
        return Refused(InvalidRequestError("The client must send a DPoP proof."))
    if needs_certificate(client):
        # RFC 8705 section 3: bound to the certificate of this connection.
        if presentation.certificate is None:
            return Refused(InvalidRequestError("The client must use its certificate."))
        confirmation[X5T] = presentation.certificate.thumbprint
    return confirmation


def require_same_sender(wanted: Confirmation | None, shown: Confirmation) -> None:
    """Raise invalid_grant unless the sender is the one to whom a code or a token is bound."""
    # RFC 9449 sections 5 and 10, RFC 8705 section 4.
    for name, value in (wanted or {}).items():
        if not compare_digest(value, shown.get(name, "")):
            raise InvalidGrantError("The grant is bound to another key.")


def require_refresher(client: Client, wanted: Confirmation | None, shown: Confirmation) -> None:
    """Raise invalid_grant unless the sender may use a refresh token that is bound like this."""
    # RFC 9449 section 5: a public client's refresh token is bound to the key itself.
    if client.authentication_method is AuthenticationMethod.NONE:
        require_same_sender(wanted, shown)
    # A confidential client may take a new key, but no step down to a token for any bearer.
    elif not (wanted or {}).keys() <= shown.keys():
        raise InvalidGrantError("The grant is bound to a sender.")


def is_shown(wanted: Confirmation | None, presentation: Presentation, key: str | None) -> bool:
    """Say whether a bound token comes from whom it is bound to."""
    certificate = presentation.certificate
    shown = {JKT: key or "", X5T: "" if certificate is None else certificate.thumbprint}
    return all(compare_digest(value, shown.get(name, "")) for name, value in (wanted or {}).items())


def bind_parameters(
    parameters: Sequence[tuple[str, str]], key: ProvenKey | None
) -> Sequence[tuple[str, str]] | Refused:
    """Bind the code of a pushed request to the key that pushed it (RFC 9449 section 10.1)."""
    if key is None:
        return parameters
    named = {value for name, value in parameters if name == "dpop_jkt" and value}
    if named - {key.thumbprint}:
        return refuse_proof("The dpop_jkt is not the key of the DPoP proof.")
    rest = [(name, value) for name, value in parameters if name != "dpop_jkt"]
    return [*rest, ("dpop_jkt", key.thumbprint)]


def token_type(confirmation: Confirmation | None) -> str:
    """Return how such a token is used. RFC 8705 keeps Bearer."""
    return DPOP if confirmation and JKT in confirmation else BEARER


def _signed(proof: str) -> tuple[Mapping[str, object], str]:
    try:
        if read_header(proof).get("typ") != PROOF_TYPE:
            raise InvalidProofError("The DPoP proof is a JWT of another type.")
        return verify_by_embedded_key(proof, PROOF_ALGORITHMS)
    except BadTokenError:
        raise InvalidProofError from None


def _is_for(claims: Mapping[str, object], presentation: Presentation) -> bool:
    htu = claims.get("htu")
    if not isinstance(htu, str):
        return False
    try:
        meant = _normalised(htu)
        return any(
            url is not None and meant == _normalised(url)
            for url in (presentation.url, presentation.alias)
        )
    except ValueError:
        return False


def _normalised(url: str) -> tuple[str, str, int | None, str]:
    # RFC 9449 section 4.3 point 9 with RFC 3986 section 6.2: no query, no fragment, no case in
    # scheme and host, no default port.
    parts = urlsplit(url)
    port = parts.port or _PORTS.get(parts.scheme)
    return parts.scheme, parts.hostname or "", port, unquote(parts.path) or "/"


def _require_token(claims: Mapping[str, object], access_token: str | None) -> None:
    if access_token is None:
        return
    # RFC 9449 section 4.3 point 12: at a resource, for this very token.
    ath = claims.get("ath")
    digest = urlsafe_b64encode(sha256(access_token.encode()).digest()).rstrip(b"=")
    if not isinstance(ath, str) or not compare_digest(ath.encode(), digest):
        raise InvalidProofError("The DPoP proof is for another access token.")


def _require_times(claims: Mapping[str, object], now: datetime) -> float:
    instant, skew = now.timestamp(), CLOCK_SKEW.total_seconds()
    issued_at = claims.get("iat")
    if isinstance(issued_at, bool) or not isinstance(issued_at, int | float):
        raise InvalidProofError("The DPoP proof has no iat.")
    if not instant - PROOF_LIFE.total_seconds() <= issued_at <= instant + skew:
        raise InvalidProofError("The DPoP proof is too old or too young.")
    # RFC 7519 sections 4.1.4 and 4.1.5: not asked for, but held to where they stand.
    ends, begins = claims.get("exp", instant + 1), claims.get("nbf", instant)
    if not isinstance(ends, int | float) or not isinstance(begins, int | float):
        raise InvalidProofError("The DPoP proof has malformed times.")
    if ends + skew <= instant or begins - skew > instant:
        raise InvalidProofError("The DPoP proof has expired or is not yet good.")
    return float(issued_at)


def _require_nonce(
    claims: Mapping[str, object], key: bytes, now: datetime, *, needs_nonce: bool
) -> None:
    nonce = claims.get("nonce")
    if nonce is None and not needs_nonce:
        return
    slot = _slot(now)
    good = [_nonce(key, slot), _nonce(key, slot - 1)]
    if not isinstance(nonce, str) or nonce not in good:
        raise NonceWantedError


def _slot(now: datetime) -> int:
    return int(now.timestamp() // NONCE_SLOT.total_seconds())


def _nonce(key: bytes, slot: int) -> str:
    return keyed_digest(key, "dpop nonce", str(slot)).hex()[:32]
