"""Make certificates as clients have them, and the header by which a proxy passes them on."""

from base64 import urlsafe_b64encode
from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256
from pathlib import Path
from urllib.parse import quote

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from joserfc.jwk import ECKey

from citizen_account.settings import Settings
from tests.factories import ISSUER, START, settings_for

HEADER = "X-Client-Certificate"
SUBJECT = "CN=library,O=City"
# The proxy's other listener.
ALIAS = f"{ISSUER}:8443"


@dataclass(frozen=True)
class Holder:
    """A key with a certificate."""

    key: ec.EllipticCurvePrivateKey
    certificate: x509.Certificate

    @property
    def header(self) -> dict[str, str]:
        pem = self.certificate.public_bytes(Encoding.PEM).decode()
        return {HEADER: quote(pem, safe="")}

    @property
    def thumbprint(self) -> str:
        der = self.certificate.public_bytes(Encoding.DER)
        return urlsafe_b64encode(sha256(der).digest()).rstrip(b"=").decode()

    @property
    def jwk(self) -> dict[str, object]:
        spki = (Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        return dict(ECKey.import_key(self.key.public_key().public_bytes(*spki)).as_dict())


def make(
    subject: str = SUBJECT,
    issuer: Holder | None = None,
    days: int = 30,
    dns: str = "library.example",
) -> Holder:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name.from_rfc4514_string(subject)
    signer, issued_by = (key, name) if issuer is None else (issuer.key, issuer.certificate.subject)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(issued_by)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(START - timedelta(days=60))
        .not_valid_after(START + timedelta(days=days))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(dns)]), critical=False)
        .sign(signer, SHA256())
    )
    return Holder(key, certificate)


def settings_behind(proxy: str, database_url: str, authority: Holder, folder: Path) -> Settings:
    """Return the settings of a city whose proxy tells of certificates, of this authority's."""
    file = folder / "authority.pem"
    file.write_bytes(authority.certificate.public_bytes(Encoding.PEM))
    return settings_for(
        database_url,
        trusted_proxies=f"{proxy}/32",
        mtls_certificate_header=HEADER,
        mtls_ca_file=str(file),
        mtls_address=ALIAS,
    )
