"""Registered URLs lead to the internet or nowhere; names are true and answers bounded."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, closing, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address, ip_network
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from citizen_account.domain.transactions import NetworkInTransactionError, in_transaction
from citizen_account.outbound import Outbound, OutboundError, OutboundFault, is_public

LOOPBACK = ip_network("127.0.0.0/8")
SERVED_NAME = "keys.client.example"


@dataclass
class Peer:
    """A listener that remembers what reached it."""

    port: int = 0
    requests: list[bytes] = field(default_factory=list)


@asynccontextmanager
async def listening(
    answer: bytes, *, tls: ssl.SSLContext | None = None, delay: float = 0
) -> AsyncIterator[Peer]:
    peer = Peer()

    serving: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        serving.add(asyncio.create_task(talk(reader, writer)))

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with closing(writer), suppress(asyncio.IncompleteReadError, OSError):
            await converse(reader, writer)

    async def converse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        length = next(
            (
                int(line[15:])
                for line in head.split(b"\r\n")
                if line.lower()[:15] == b"content-length:"
            ),
            0,
        )
        peer.requests.append(head + await reader.readexactly(length))
        await asyncio.sleep(delay)
        writer.write(answer)
        await writer.drain()

    async with await asyncio.start_server(serve, "127.0.0.1", ssl=tls) as server:
        peer.port = server.sockets[0].getsockname()[1]
        yield peer
        for task in serving:
            task.cancel()
        await asyncio.gather(*serving, return_exceptions=True)


def http(status: str, body: bytes = b"", *headers: str) -> bytes:
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", "Connection: close", *headers]
    return "\r\n".join([*lines, "", ""]).encode() + body


def resolving(*addresses: str) -> "Resolver":
    return Resolver([list(addresses)])


@dataclass
class Resolver:
    """Answers its turns one after the other, and the last one from then on."""

    turns: list[list[str]]
    asked: int = 0

    async def __call__(self, host: str, port: int) -> Sequence[str]:
        del host, port
        turn = self.turns[min(self.asked, len(self.turns) - 1)]
        self.asked += 1
        return turn


async def fault_of(outbound: Outbound, url: str) -> OutboundFault:
    with pytest.raises(OutboundError) as caught:
        await outbound.get_json(url)
    await outbound.close()
    return caught.value.fault


# --- where it may go ----------------------------------------------------------------------------

INSIDE = [
    "0.0.0.0", "10.1.2.3", "100.100.100.200", "127.0.0.1", "127.9.9.9", "168.63.129.16",  # noqa: S104
    "169.254.169.254", "172.16.0.1", "192.0.0.1", "192.0.2.1", "192.88.99.1", "192.168.1.1",
    "198.18.0.1", "198.51.100.1", "203.0.113.1", "224.0.0.1", "240.0.0.1", "255.255.255.255",
    "::", "::1", "::7f00:1", "64:ff9b::7f00:1", "64:ff9b:1::1", "100::1", "2001::1", "2001:db8::1",
    "2002:7f00:1::", "3fff::1", "fc00::1", "fd00:ec2::254", "fe80::1", "fec0::1", "ff02::1",
    "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:169.254.169.254",
]  # fmt: skip


@pytest.mark.parametrize("address", INSIDE)
async def test_name_that_leads_inside_is_refused(address: str) -> None:
    outbound = Outbound(resolve=resolving(address))
    assert await fault_of(outbound, "https://client.example/") is OutboundFault.ADDRESS_FORBIDDEN


@pytest.mark.parametrize("address", ["1.1.1.1", "93.184.215.14", "2606:4700:4700::1111"])
def test_address_of_the_internet_is_public(address: str) -> None:
    assert is_public(ip_address(address))


@pytest.mark.parametrize(
    "url",
    [
        "https://2130706433/", "https://0x7f000001/", "https://0177.0.0.1/", "https://127.1/",
        "https://127.0.0.1/", "https://[::1]/", "https://[::ffff:7f00:1]/", "https://localhost/",
    ],
)  # fmt: skip
async def test_spelling_of_an_inside_address_does_not_matter(url: str) -> None:
    assert await fault_of(Outbound(), url) in {
        OutboundFault.ADDRESS_FORBIDDEN,
        OutboundFault.NAME_UNKNOWN,
        OutboundFault.URL_MALFORMED,
    }


@pytest.mark.parametrize(
    "url",
    [
        "http://client.example/", "ftp://client.example/", "file:///etc/passwd", "client.example",
        "https:///path", "https://", "", "https://good.example@evil.example/",
        "https://good.example\\@evil.example/", "https://client.example/#fragment",
        "https://client.example:0/", "https://client.example:99999999/", "https://[::1%25lo]/",
        "https://client.example/\r\nHost: other", "https://client.example/a b", "https://\x00/",
        "https://\ud800/", "https://client.example/" + "a" * 3000, "gopher://x/", "javascript:1",
    ],
)  # fmt: skip
async def test_url_of_another_form_is_refused(url: str) -> None:
    outbound = Outbound(resolve=resolving("127.0.0.1"))
    assert await fault_of(outbound, url) is OutboundFault.URL_MALFORMED


async def test_refused_address_is_never_connected_to() -> None:
    async with listening(http("200 OK", b"{}")) as peer:
        await fault_of(Outbound(), f"https://127.0.0.1:{peer.port}/")
    assert peer.requests == []


async def test_name_is_resolved_once_so_that_a_second_answer_changes_nothing(
    authority: "Authority",
) -> None:
    resolver = Resolver([["127.0.0.1"], ["127.0.0.2"]])
    async with listening(http("200 OK", b"{}"), tls=authority.serving(SERVED_NAME)) as peer:
        outbound = Outbound([LOOPBACK], authority.file, resolve=resolver)
        assert await outbound.get_json(f"https://{SERVED_NAME}:{peer.port}/") == {}
        await outbound.close()
    assert resolver.asked == 1


async def test_public_and_inside_addresses_of_one_name_lead_to_the_public_ones_only() -> None:
    async with listening(http("200 OK", b"{}")) as peer:
        # 192.0.2.0/24 is for documentation: nobody answers there; here it stands for the internet.
        outbound = Outbound(
            [ip_network("192.0.2.0/24")],
            total_seconds=0.5,
            resolve=resolving("127.0.0.1", "192.0.2.1"),
        )
        fault = await fault_of(outbound, f"https://client.example:{peer.port}/")
    assert fault is OutboundFault.NO_ANSWER
    assert peer.requests == []


async def test_open_transaction_forbids_the_network() -> None:
    outbound = Outbound(resolve=resolving("1.1.1.1"))
    token = in_transaction.set(True)
    try:
        with pytest.raises(NetworkInTransactionError):
            await outbound.get_json("https://client.example/")
    finally:
        in_transaction.reset(token)
        await outbound.close()


# --- in development -----------------------------------------------------------------------------


async def test_development_may_reach_itself_by_http() -> None:
    async with listening(http("200 OK", b'{"keys": []}')) as peer:
        outbound = Outbound(allow_http_loopback=True)
        assert await outbound.get_json(f"http://localhost:{peer.port}/jwks") == {"keys": []}
        await outbound.close()
    assert b"Host: localhost:" in peer.requests[0]


async def test_development_reaches_nothing_else_by_http() -> None:
    outbound = Outbound(allow_http_loopback=True, resolve=resolving("93.184.215.14"))
    assert await fault_of(outbound, "http://client.example/") is OutboundFault.ADDRESS_FORBIDDEN


# --- who answers --------------------------------------------------------------------------------


@dataclass(frozen=True)
class Authority:
    file: Path
    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey

    def serving(self, name: str) -> ssl.SSLContext:
        key = ec.generate_private_key(ec.SECP256R1())
        names = x509.SubjectAlternativeName([x509.DNSName(name)])
        certificate = (
            _certificate(name, key, self.certificate.subject)
            .add_extension(names, critical=False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(self.key.public_key()),
                critical=False,
            )
            .sign(self.key, hashes.SHA256())
        )
        pem = key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        chain = self.file.with_name(f"{name}.pem")
        chain.write_bytes(pem + certificate.public_bytes(serialization.Encoding.PEM))
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(chain)
        return context


def _certificate(
    name: str, key: ec.EllipticCurvePrivateKey, issuer: x509.Name
) -> x509.CertificateBuilder:
    today = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(_name(name))
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(today - timedelta(days=1))
        .not_valid_after(today + timedelta(days=1))
    )


def _name(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    key = ec.generate_private_key(ec.SECP256R1())
    usage = x509.KeyUsage(
        digital_signature=True, key_cert_sign=True, crl_sign=True, content_commitment=False,
        key_encipherment=False, data_encipherment=False, key_agreement=False,
        encipher_only=False, decipher_only=False,
    )  # fmt: skip
    identifier = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
    certificate = (
        _certificate("Test authority", key, _name("Test authority"))
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(identifier, critical=False)
        .sign(key, hashes.SHA256())
    )
    file = tmp_path / "authority.pem"
    file.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    return Authority(file, certificate, key)


async def test_certificate_must_be_of_the_name_that_was_asked_for(authority: Authority) -> None:
    async with listening(http("200 OK", b"{}"), tls=authority.serving("other.example")) as peer:
        outbound = Outbound([LOOPBACK], authority.file, resolve=resolving("127.0.0.1"))
        fault = await fault_of(outbound, f"https://{SERVED_NAME}:{peer.port}/")
    assert fault is OutboundFault.CERTIFICATE_INVALID
    assert peer.requests == []


async def test_certificate_of_an_unknown_authority_is_refused(authority: Authority) -> None:
    async with listening(http("200 OK", b"{}"), tls=authority.serving(SERVED_NAME)) as peer:
        outbound = Outbound([LOOPBACK], resolve=resolving("127.0.0.1"))
        fault = await fault_of(outbound, f"https://{SERVED_NAME}:{peer.port}/")
    assert fault is OutboundFault.CERTIFICATE_INVALID


async def test_form_reaches_an_allowed_network_under_its_name(authority: Authority) -> None:
    async with listening(http("204 No Content"), tls=authority.serving(SERVED_NAME)) as peer:
        outbound = Outbound([LOOPBACK], authority.file, resolve=resolving("127.0.0.1"))
        status = await outbound.post_form(
            f"https://{SERVED_NAME}:{peer.port}/logout", {"logout_token": "a.b.c"}
        )
        await outbound.close()
    assert status == 204
    assert f"Host: {SERVED_NAME}:{peer.port}".encode() in peer.requests[0]
    assert peer.requests[0].endswith(b"logout_token=a.b.c")


# --- what it answers ----------------------------------------------------------------------------


async def answered(answer: bytes) -> OutboundFault:
    async with listening(answer) as peer:
        outbound = Outbound(allow_http_loopback=True)
        return await fault_of(outbound, f"http://127.0.0.1:{peer.port}/")


async def test_redirect_is_not_followed() -> None:
    async with listening(http("200 OK", b"{}")) as elsewhere:
        location = f"Location: http://127.0.0.1:{elsewhere.port}/"
        assert await answered(http("302 Found", b"", location)) is OutboundFault.STATUS_UNEXPECTED
    assert elsewhere.requests == []


@pytest.mark.parametrize(
    "body",
    [b"", b"<html>", b"{", b"\xff", b'"\\ud800"', b"NaN", b"[" * 100_000, b"1" * 300_000],
)
async def test_answer_that_is_no_bounded_json_is_refused(body: bytes) -> None:
    assert await answered(http("200 OK", body)) is OutboundFault.ANSWER_UNREADABLE


async def test_packed_answer_is_refused_because_nobody_asked_for_it() -> None:
    packed = http("200 OK", b"\x1f\x8b", "Content-Encoding: gzip")
    assert await answered(packed) is OutboundFault.ANSWER_UNREADABLE


async def test_slow_peer_is_given_up() -> None:
    async with listening(http("200 OK", b"{}"), delay=5) as peer:
        outbound = Outbound(allow_http_loopback=True, total_seconds=0.2)
        fault = await fault_of(outbound, f"http://127.0.0.1:{peer.port}/")
    assert fault is OutboundFault.NO_ANSWER


async def test_environment_names_no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    async with listening(http("200 OK", b"{}")) as proxy, listening(http("200 OK", b"1")) as peer:
        for name in ("http_proxy", "https_proxy", "all_proxy"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.port}")
        outbound = Outbound(allow_http_loopback=True)
        assert await outbound.get_json(f"http://127.0.0.1:{peer.port}/") == 1
        await outbound.close()
    assert proxy.requests == []
