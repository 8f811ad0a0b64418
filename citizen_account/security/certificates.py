"""Read the certificates that clients show to the proxy in front of us (RFC 8705)."""

from base64 import urlsafe_b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from types import MappingProxyType
from typing import Self
from urllib.parse import unquote

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, OKPKey, RSAKey

MAX_CHARACTERS = 16_384
# RFC 8705 section 2.1.2: the names that a client may register, each with what holds it.
_NAMES: Mapping[str, type[x509.GeneralName]] = MappingProxyType(
    {
        "tls_client_auth_san_dns": x509.DNSName,
        "tls_client_auth_san_uri": x509.UniformResourceIdentifier,
        "tls_client_auth_san_ip": x509.IPAddress,
        "tls_client_auth_san_email": x509.RFC822Name,
    }
)
SUBJECT_MEMBER = "tls_client_auth_subject_dn"
NAME_MEMBERS = (SUBJECT_MEMBER, *_NAMES)


@dataclass(frozen=True, slots=True)
class Certificate:
    """A certificate whose private key the client has proven to the proxy."""

    thumbprint: str
    """`x5t#S256` of RFC 8705 section 3.1."""
    key_thumbprint: str
    """RFC 7638, of the public key; empty for a kind of key that is no JWK of ours."""
    is_vouched_for: bool
    """An authority that the operator trusts has issued it, and it is in force."""
    parsed: x509.Certificate

    def bears(self, member: str, value: str) -> bool:
        """Say whether it carries the name that a client registered under this member."""
        if member == SUBJECT_MEMBER:
            return self.parsed.subject == _name(value)
        try:
            names = self.parsed.extensions.get_extension_for_class(x509.SubjectAlternativeName)
        except (x509.ExtensionNotFound, ValueError):
            return False
        kind = _NAMES[member]
        return any(isinstance(name, kind) and str(name.value) == value for name in names.value)


class Authorities:
    """Whose word about clients' names counts."""

    def __init__(self, certificates: Sequence[x509.Certificate] = ()) -> None:
        self._certificates = tuple(certificates)

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read a file of PEM certificates. Raises: OSError, ValueError."""
        return cls(x509.load_pem_x509_certificates(path.read_bytes()))

    def __bool__(self) -> bool:
        return bool(self._certificates)

    def vouch_for(self, certificate: x509.Certificate, now: datetime) -> bool:
        """Say whether one of them issued the certificate itself, and when it is in force."""
        if not certificate.not_valid_before_utc <= now < certificate.not_valid_after_utc:
            return False
        return any(_has_issued(authority, certificate) for authority in self._certificates)


@dataclass(frozen=True, slots=True)
class MutualTls:
    """How certificates reach us."""

    header: str
    authorities: Authorities
    address: str = ""
    """Where clients with certificates come, if not by the issuer's address."""

    def read(self, escaped: str, now: datetime) -> Certificate | None:
        """Return the certificate of the header: PEM, its special characters as %XX."""
        if not escaped or len(escaped) > MAX_CHARACTERS:
            return None
        try:
            parsed = x509.load_pem_x509_certificate(unquote(escaped).encode())
            der = parsed.public_bytes(Encoding.DER)
            thumbprint = urlsafe_b64encode(sha256(der).digest()).rstrip(b"=").decode()
            vouched = self.authorities.vouch_for(parsed, now)
            return Certificate(thumbprint, _key_thumbprint(parsed), vouched, parsed)
        except ValueError:
            return None


def is_name(value: str) -> bool:
    """Say whether it is a distinguished name of RFC 4514."""
    return _name(value) is not None


def _name(value: str) -> x509.Name | None:
    try:
        return x509.Name.from_rfc4514_string(value)
    except ValueError:
        return None


def _has_issued(authority: x509.Certificate, certificate: x509.Certificate) -> bool:
    try:
        certificate.verify_directly_issued_by(authority)
    except (ValueError, TypeError, InvalidSignature):
        return False
    return True


def _key_thumbprint(certificate: x509.Certificate) -> str:
    kind: type[RSAKey | ECKey | OKPKey]
    match certificate.public_key():
        case RSAPublicKey() as key:
            kind = RSAKey
        case EllipticCurvePublicKey() as key:
            kind = ECKey
        case Ed25519PublicKey() as key:
            kind = OKPKey
        case _:
            return ""
    try:
        pem = key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        return kind.import_key(pem).thumbprint()
    except (JoseError, ValueError):
        return ""
