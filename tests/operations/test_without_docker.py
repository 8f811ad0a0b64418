"""Install the account by the words of `docs/operating.md`, and sign in through the proxy."""

import json
import os
import shutil
import ssl
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.policy import default
from pathlib import Path
from time import monotonic, sleep
from urllib.parse import quote

import httpx2
import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from joserfc.jwk import ECKey

from tests.factories import code_in_text
from tests.operations.document import (
    DOCUMENT,
    Block,
    declared_names,
    read_blocks,
    replace_names,
    start_command,
)
from tests.pages import Visitor
from tests.postgres import Postgres, execute, free_port
from tests.servers import program, wait_until_ready

ROOT = Path(__file__).parents[2]
HOST = "account.city.example"
ISSUER = f"https://{HOST}"
EMAIL = "admin@city.example"
PASSWORD = "breza kosec lampa tulipan 7"
PATIENCE_SECONDS = 60
AUTHORITY = x509.Name.from_rfc4514_string("CN=City authority")
PKCS8 = (Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
SPKI = (Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
# Without root all runs as one user, as the document says.
AS_THE_USER = "runuser -u citizen -- "
# What nginx needs of a machine, for a user who is not its administrator.
NGINX = """
daemon off;
pid {folder}/nginx.pid;
error_log stderr warn;
{user}
events {{ }}
http {{
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    include {folder}/etc/nginx/conf.d/*.conf;
}}
"""

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(shutil.which("nginx") is None, reason="nginx is not installed"),
]


@dataclass
class MailServer:
    taken: list[str] = field(default_factory=list)

    async def handle_DATA(self, _: SMTP, __: Session, envelope: Envelope) -> str:  # noqa: N802  # the name that aiosmtpd calls
        assert isinstance(envelope.content, bytes)
        message = message_from_bytes(envelope.content, policy=default)
        body = message.get_body(("plain",))
        assert body is not None
        self.taken.append(body.get_content())
        return "250 OK"

    def read_code(self) -> str:
        until = monotonic() + PATIENCE_SECONDS
        while not self.taken:
            assert monotonic() < until, "no mail has come"
            sleep(0.1)
        return code_in_text(self.taken[-1])


@dataclass(frozen=True)
class Machine:
    """A machine of an operator's own: its folders, ports and servers, by the document's names."""

    folder: Path
    names: Mapping[str, str]

    def own(self, text: str) -> str:
        return replace_names(text.replace(AS_THE_USER, ""), self.names)

    def path(self, name: str) -> Path:
        return Path(self.own(name))

    def follow(self, block: Block) -> str:
        """Do what a block says; return what its commands print."""
        if block.purpose.startswith("file "):
            target = self.path(block.purpose.removeprefix("file "))
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(self.own(block.text), encoding="utf-8")
            return ""
        return self.run(self.own(block.text))

    def run(self, script: str) -> str:
        # Nothing of the test's own environment but the way to Python and to the packages.
        kept = {name: os.environ[name] for name in os.environ if name.startswith(("PIP_", "HOME"))}
        path = f"{sys.base_prefix}/bin:{os.environ['PATH']}"
        done = subprocess.run(
            ["sh", "-eu", "-c", script],
            cwd=ROOT,
            env=kept | {"PATH": path, "PIP_NO_COMPILE": "1"},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"{script}\n{done.stdout}{done.stderr}"
        return done.stdout

    @contextmanager
    def running(self, unit: str, instance: str = "") -> Iterator[None]:
        """Run what a unit of systemd starts, with the settings that it names."""
        file = self.path(f"/etc/systemd/system/{unit}")
        command = start_command(file.read_text(encoding="utf-8"), instance)
        settings = self.path("/etc/citizen-account/settings.env")
        script = f'unset PYTHONPATH; set -a; . "{settings}"; set +a; exec "$@"'
        with program(["sh", "-c", script, "sh", *command], {}) as started:
            if instance:
                wait_until_ready(f"http://127.0.0.1:{instance}", started, "/health/ready")
            yield
            assert started.poll() is None, f"{unit} has ended by itself"

    @contextmanager
    def proxied(self) -> Iterator[None]:
        user = "user root;" if os.geteuid() == 0 else ""
        main = self.folder / "nginx.conf"
        main.write_text(NGINX.format(folder=self.folder, user=user))
        check = ["nginx", "-t", "-q", "-c", str(main), "-p", str(self.folder)]
        assert subprocess.run(check, check=False, timeout=30).returncode == 0
        with program(["nginx", "-c", str(main), "-p", str(self.folder)], {}) as nginx:
            wait_until_ready(f"http://127.0.0.1:{self.names['80']}", nginx)
            yield


class ByName(httpx2.AsyncHTTPTransport):
    """Find the machine by its name in the DNS, and its ports where they are in this test."""

    def __init__(self, ports: Mapping[str, str], context: ssl.SSLContext) -> None:
        super().__init__(verify=context)
        self._ports = ports

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        port = self._ports[str(request.url.port or 443)]
        moved = httpx2.Request(
            request.method,
            request.url.copy_with(host="127.0.0.1", port=int(port)),
            headers=request.headers,
            stream=request.stream,
            extensions={**request.extensions, "sni_hostname": HOST},
        )
        return await super().handle_async_request(moved)


@pytest.fixture
def mail_server() -> Iterator[tuple[MailServer, int]]:
    server = MailServer()
    controller = Controller(server, hostname="127.0.0.1", port=free_port())
    controller.start()
    yield server, controller.port
    controller.stop()


@pytest.fixture
def machine(
    tmp_path: Path, postgres: Postgres, mail_server: tuple[MailServer, int]
) -> Iterator[Machine]:
    _, mail_port = mail_server
    places = [name for name in declared_names() if name.startswith("/")]
    ports = ["80", "443", "8443", "8000", "8001"]
    names = {
        HOST: HOST,
        EMAIL: EMAIL,
        "smtp+starttls://account:MAIL-PASSWORD@mail.city.example": f"smtp://127.0.0.1:{mail_port}",
        "DATABASE-PASSWORD": "fourteen-letters-and-more",
        "127.0.0.1:5432": postgres.address.partition("@")[2],
        "0.1.0": "0.1.0",
        **{name: f"{tmp_path}{name}" for name in places},
        **{port: str(free_port()) for port in ports},
    }
    yield Machine(tmp_path, names)
    for statement in ("DROP DATABASE IF EXISTS citizen_account", "DROP ROLE citizen_account"):
        execute(postgres, statement)


@dataclass(frozen=True)
class Signed:
    """A certificate of a city's own authority, and a context that trusts the authority."""

    certificate: bytes
    key: bytes
    authority: bytes

    def trusting(self) -> ssl.SSLContext:
        context = ssl.create_default_context(cadata=self.authority.decode())
        # Python 3.13 asks of an authority what this little one does not say.
        context.verify_flags &= ~ssl.VERIFY_X509_STRICT
        return context


def certify() -> Signed:
    authority_key, key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    authority = _sign(AUTHORITY, authority_key, authority_key, x509.BasicConstraints(True, 0))  # noqa: FBT003  # its own order
    names = x509.SubjectAlternativeName([x509.DNSName(HOST)])
    ours = _sign(x509.Name.from_rfc4514_string(f"CN={HOST}"), key, authority_key, names)
    pem = key.private_bytes(*PKCS8)
    return Signed(ours.public_bytes(Encoding.PEM), pem, authority.public_bytes(Encoding.PEM))


def _sign(
    name: x509.Name,
    key: ec.EllipticCurvePrivateKey,
    signer: ec.EllipticCurvePrivateKey,
    extension: x509.ExtensionType,
) -> x509.Certificate:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name if key is signer else AUTHORITY)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(extension, critical=isinstance(extension, x509.BasicConstraints))
        .sign(signer, SHA256())
    )


@pytest.fixture
def certificate(machine: Machine, postgres: Postgres) -> Iterator[Signed]:
    """Install by the document and start all that it starts; yield what the proxy shows."""
    assert set(machine.names) == declared_names()
    assert AS_THE_USER.strip() in DOCUMENT.read_text(encoding="utf-8")
    with ExitStack() as running:
        yield install(machine, postgres, running.enter_context)


async def test_installed_by_the_document_a_resident_signs_in_through_the_proxy(
    machine: Machine, certificate: Signed, mail_server: tuple[MailServer, int]
) -> None:
    transport = ByName(machine.names, certificate.trusting())
    async with httpx2.AsyncClient(
        transport=transport, base_url=ISSUER, timeout=PATIENCE_SECONDS
    ) as http:
        visitor = Visitor(http)
        await register_and_sign_in(visitor, mail_server[0])
        await be_the_first_administrator(visitor, machine)
        await find_strangers_refused(http, machine)
        await be_known_by_certificate(http, machine, certificate)


def install(machine: Machine, postgres: Postgres, enter: Callable[..., object]) -> Signed:
    """Follow the document from its beginning; what systemd would start begins where it says so."""
    signed = certify()
    for folder in ("/etc/nginx/citizen-account", "/var/log/nginx", "/usr/local/bin"):
        machine.path(folder).mkdir(parents=True)
    machine.path("/etc/nginx/citizen-account/certificate.pem").write_bytes(
        signed.certificate + signed.authority
    )
    machine.path("/etc/nginx/citizen-account/key.pem").write_bytes(signed.key)
    for block in read_blocks():
        match block.purpose:
            case "superuser":
                for statement in machine.own(block.text).strip().splitlines():
                    execute(postgres, statement)
            case "root" if "systemctl enable" in block.text:
                enter(machine.running("citizen-account@.service", machine.names["8000"]))
                enter(machine.running("citizen-account-worker.service"))
            case "root" if "nginx" in block.text:
                adapt_proxy(machine)
                enter(machine.proxied())
            case "docker" | "root" | "administrator":
                pass
            case _:
                machine.follow(block)
    return signed


def adapt_proxy(machine: Machine) -> None:
    """Replace the names in the files that the document has copied, too."""
    for file in machine.path("/etc/nginx").rglob("*.conf"):
        if file.name != "citizen-account-upstream.conf":
            file.write_text(machine.own(file.read_text(encoding="utf-8")), encoding="utf-8")


async def register_and_sign_in(visitor: Visitor, mail: MailServer) -> None:
    await visitor.open("/en/register")
    await visitor.fill({"#register-email": EMAIL}).press("#register-submit")
    await visitor.fill({"#code": mail.read_code()}).press("#verify")
    visitor.fill({"#given-name": "Jana", "#family-name": "Nová", "#password": PASSWORD})
    await visitor.press("#create-account")
    await visitor.press("#sign-out")
    await visitor.open("/en/sign-in")
    await visitor.fill({"#email": EMAIL, "#password": PASSWORD}).press("#sign-in")
    assert visitor.path == "/en/dashboard"
    assert visitor.has("#services")
    assert "max-age=63072000" in visitor.last.headers["strict-transport-security"]


async def be_the_first_administrator(visitor: Visitor, machine: Machine) -> None:
    assert (await visitor.open("/admin")).status == 403
    [grant] = [block for block in read_blocks() if block.purpose == "administrator"]
    machine.follow(grant)
    assert (await visitor.open("/admin")).status == 200
    await visitor.open("/admin/audit")
    assert "role_granted" in visitor.text()


async def find_strangers_refused(http: httpx2.AsyncClient, machine: Machine) -> None:
    """Another name, plain http and, at the certificates' port, anything but what it is for."""
    plain = httpx2.get(f"http://127.0.0.1:{machine.names['80']}/en/help", headers={"Host": HOST})
    assert (plain.status_code, plain.headers["location"]) == (308, f"{ISSUER}/en/help")
    other = await http.get("/en/help", headers={"Host": "other.city.example"})
    assert 400 <= other.status_code < 500
    assert (await http.get(f"{ISSUER}:8443/en/sign-in")).status_code == 404
    assert (await http.post(f"{ISSUER}:8443/token", data={"scope": "a"})).status_code == 400


async def be_known_by_certificate(
    http: httpx2.AsyncClient, machine: Machine, authority: Signed
) -> None:
    """RFC 8705: what the proxy has seen on port 8443 counts, what somebody writes does not."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name.from_rfc4514_string("CN=tram")
    pem = _sign(name, key, key, x509.BasicConstraints(False, None)).public_bytes(Encoding.PEM)  # noqa: FBT003  # its own order
    jwk = ECKey.import_key(key.public_key().public_bytes(*SPKI)).as_dict()
    service = {
        "client_id": "tram",
        "client_name": "Tram",
        "redirect_uris": [],
        "grant_types": ["client_credentials"],
        "token_endpoint_auth_method": "self_signed_tls_client_auth",
        "jwks": {"keys": [jwk]},
    }
    (machine.folder / "tram.json").write_text(json.dumps(service))
    (machine.folder / "tram.pem").write_bytes(key.private_bytes(*PKCS8) + pem)
    machine.run(
        machine.own(f"/usr/local/bin/citizen-account client import {machine.folder}/tram.json")
    )
    context = authority.trusting()
    context.load_cert_chain(machine.folder / "tram.pem")
    fields = {"grant_type": "client_credentials", "client_id": "tram"}
    async with httpx2.AsyncClient(transport=ByName(machine.names, context)) as tram:
        granted = await tram.post(f"{ISSUER}:8443/token", data=fields, timeout=PATIENCE_SECONDS)
    assert granted.status_code == 200, granted.text
    forged = {"X-SSL-Client-Cert": quote(pem.decode(), safe="")}
    for port in ("", ":8443"):
        refused = await http.post(f"{ISSUER}{port}/token", data=fields, headers=forged)
        assert refused.json()["error"] == "invalid_client"
