"""Each line of the doctor, both ways: where all is well, and where it is not."""

import asyncio
import json
import ssl
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from ipaddress import ip_address
from pathlib import Path

import pytest
from aiosmtpd.controller import Controller
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from sqlalchemy import text
from typer.testing import CliRunner

from citizen_account import cli
from citizen_account.bootstrap import build_runtime
from citizen_account.cli.doctor import (
    CHECKS,
    CHECKS_OF_DATABASE,
    configured,
    examine,
    kept,
    machine,
    reached,
)
from citizen_account.cli.doctor.findings import Check, Site, State
from citizen_account.demo.personas import PERSONAS
from citizen_account.domain.accounts import AccountId, Level, Role
from citizen_account.mail import SmtpAddress
from citizen_account.security.tokens import new_id
from citizen_account.settings import Settings
from tests.factories import START, Clock, environment
from tests.postgres import free_port
from tests.services import open_account, register

GOOD = {
    "environment": "production",
    "secret_key": "8f3bc0e2a94d7715cc60f0a1e1b2d3948d7a",
    "data_key": "0b1c7e55d2f94a3fae8810c94d6a7b23f1ce",
    "backup_key": "d94e0c7fa2b1485396be71f0c3a5826d9e4b",
    "metrics_token": "3a7fd05c9e1b48268c40b7e2f19d5a6370fe",
    "smtp_url": "smtp+starttls://mail.city.sk",
    "mail_from": "no-reply@city.sk",
    "trusted_proxies": "10.0.0.5/32",
}


class Sites:
    """Make sites in production where all is well but what is changed."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.near = f"sqlite:///{folder}/x.db"
        self._made: list[Site] = []

    def make(self, url: str = "", /, **changes: str) -> Site:
        log = str(self.folder / "revocations.log")
        values = environment(url or self.near, **{**GOOD, "revocation_log": log, **changes})
        settings = Settings.model_validate({key: value for key, value in values.items() if value})
        runtime = build_runtime(settings, Clock(datetime.now(UTC)))
        self._made.append(Site(settings, runtime, {}))
        return self._made[-1]

    async def close(self) -> None:
        for site in self._made:
            await site.runtime.database.close()


@pytest.fixture
async def sites(tmp_path: Path) -> AsyncIterator[Sites]:
    sites = Sites(tmp_path)
    yield sites
    await sites.close()


@pytest.fixture
def site(sites: Sites, database_url: str) -> Site:
    return sites.make(database_url)


async def states(check: Check, site: Site) -> list[State]:
    lines = await check(site)
    for line in lines:
        assert line.what
        assert (line.state is State.OK) or (line.why and line.mend) or "PKCE" in line.what
    return [line.state for line in lines]


FAR = "postgresql://{}@db.city.sk/account"
SETTINGS: Sequence[tuple[Check, dict[str, str], State]] = (
    (configured.check_environment, {}, State.OK),
    (configured.check_environment, {"environment": "development"}, State.FAIL),
    (configured.check_issuer, {}, State.OK),
    (
        configured.check_issuer,
        {"environment": "development", "issuer": "http://localhost:8000"},
        State.FAIL,
    ),
    (configured.check_proxies, {}, State.OK),
    (configured.check_proxies, {"trusted_proxies": ""}, State.FAIL),
    (configured.check_proxies, {"trusted_proxies": "0.0.0.0/0"}, State.FAIL),
    (configured.check_secrets, {}, State.OK),
    (configured.check_secrets, {"secret_key": "a" * 40}, State.FAIL),
    (
        configured.check_secrets,
        {"data_key": "please-change-me-before-going-live-1"},
        State.FAIL,
    ),
    (configured.check_secrets, {"backup_key": GOOD["data_key"]}, State.FAIL),
    (configured.check_database_password, {}, State.OK),
    (configured.check_database_password, {"url": FAR.format("account:9f2c71d0e8")}, State.OK),
    (configured.check_database_password, {"url": FAR.format("account:postgres")}, State.FAIL),
    (configured.check_database_password, {"url": FAR.format("account")}, State.FAIL),
    (configured.check_database_password, {"url": FAR.format("postgres:9f2c71d0e8")}, State.WARN),
    (configured.check_backups, {}, State.OK),
    (configured.check_backups, {"backup_key": ""}, State.WARN),
    (configured.check_backups, {"revocation_log": ""}, State.FAIL),
    (configured.check_contact, {}, State.OK),
    (configured.check_contact, {"mail_from": "no-reply@localhost"}, State.WARN),
    (configured.check_contact, {"support_email": ""}, State.WARN),
)


@pytest.mark.parametrize(("check", "changes", "state"), SETTINGS)
async def test_settings(check: Check, changes: dict[str, str], state: State, sites: Sites) -> None:
    given = dict(changes)
    site = sites.make(given.pop("url", ""), **given)
    assert await states(check, site) == [state]


@pytest.mark.parametrize(
    ("mode", "state"), [(0o600, State.OK), (0o644, State.FAIL), (0o620, State.FAIL)]
)
async def test_files_with_secrets_are_closed(mode: int, state: State, sites: Sites) -> None:
    secret = sites.folder / "secret_key"
    secret.write_text("x")
    secret.chmod(mode)
    site = replace(sites.make(), variables={"CITIZEN_SECRET_KEY_FILE": str(secret)})
    assert await states(machine.check_files, site) == [state]


async def test_database_that_everybody_reads_is_a_warning(sites: Sites) -> None:
    (sites.folder / "x.db").touch(0o644)
    assert await states(machine.check_files, sites.make()) == [State.WARN]


@pytest.mark.parametrize(
    ("least", "few", "state"),
    [(0, 0, State.OK), (0, 2**60, State.WARN), (2**60, 2**61, State.FAIL)],
)
async def test_disk(
    least: int, few: int, state: State, sites: Sites, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(machine, "LEAST_BYTES", least)
    monkeypatch.setattr(machine, "FEW_BYTES", few)
    assert await states(machine.check_disk, sites.make()) == [state]


async def test_log_of_revocations(sites: Sites) -> None:
    site = sites.make()
    assert await states(machine.check_log, site) == [State.OK]
    (sites.folder / "revocations.log").write_text("forged\n")
    assert await states(machine.check_log, site) == [State.FAIL]
    nowhere = sites.make(revocation_log=str(sites.folder / "nowhere" / "x.log"))
    assert await states(machine.check_log, nowhere) == [State.FAIL]


async def test_site_that_is_well_has_nothing_that_fails(site: Site) -> None:
    async with site.runtime.database.engines.writer.begin() as connection:
        # The keys of the tests were sealed by a key of the tests.
        await connection.execute(text("DELETE FROM signing_keys"))
    await site.runtime.keys.load()
    lines = await examine(site)
    failed = [line.what for line in lines if line.state is State.FAIL]
    # Nothing is behind the invented mail server, in this test.
    assert [what for what in failed if "CITIZEN_SMTP_URL" not in what] == []
    assert len(lines) >= len(CHECKS) + len(CHECKS_OF_DATABASE)


async def test_database_without_tables_or_away(sites: Sites, site: Site) -> None:
    assert await states(kept.check_database, site) == [State.OK]
    assert await states(kept.check_database, sites.make()) == [State.FAIL]
    lines = await examine(sites.make(f"sqlite:///{sites.folder}/no/such/x.db"))
    assert "check of database could not be made" in " ".join(line.what for line in lines)


async def test_clock(site: Site) -> None:
    assert await states(kept.check_clock, site) == [State.OK]
    wrong = replace(site.runtime, clock=Clock(datetime.now(UTC) + timedelta(minutes=1)))
    is_far = await site.runtime.database.time() is not None
    found = await states(kept.check_clock, replace(site, runtime=wrong))
    assert found == [State.FAIL if is_far else State.OK]


async def test_keys(sites: Sites, database_url: str) -> None:
    strange = sites.make(database_url)
    assert await states(kept.check_keys, strange) == [State.FAIL], "sealed by another key"
    ring = f"{GOOD['data_key']} an-invented-key-that-seals-the-columns"
    known = sites.make(database_url, data_key=ring)
    clock = known.runtime.clock
    assert isinstance(clock, Clock)
    clock.now = START
    assert await states(kept.check_keys, known) == [State.OK]
    clock.now += timedelta(days=100)
    assert await states(kept.check_keys, known) == [State.WARN]


async def test_worker(site: Site) -> None:
    runtime = site.runtime
    assert await states(kept.check_worker, site) == [State.WARN], "none was ever there"
    async with runtime.database.begin() as uow:
        await uow.schedule.claim("seal_trail", uow.now, uow.now + timedelta(seconds=1))
    assert await states(kept.check_worker, site) == [State.OK]
    async with runtime.database.begin() as uow:
        await uow.outbox.park(await uow.outbox.add("nobodys", {}, uow.now), "why")
    assert await states(kept.check_worker, site) == [State.WARN]


async def test_people_of_the_small_city_and_administrators(site: Site) -> None:
    account_id = AccountId(new_id())
    assert await states(kept.check_people, site) == [State.OK]
    assert await states(kept.check_administrators, site) == [State.WARN]
    await open_account(site.runtime, account_id, email=PERSONAS[0].address, level=Level.LOW)
    async with site.runtime.database.begin() as uow:
        await uow.roles.grant(account_id, Role.ADMINISTRATOR, uow.now)
    assert await states(kept.check_people, site) == [State.FAIL]
    assert await states(kept.check_administrators, site) == [State.OK]


async def test_clients_without_pkce(site: Site) -> None:
    await register(site.runtime)
    assert await states(kept.check_exemptions, site) == [State.OK]
    for name in ("old", "older"):
        await register(site.runtime, client_id=name, require_pkce=False)
    lines = await kept.check_exemptions(site)
    assert [line.state for line in lines] == [State.WARN] * 2
    assert [line.what.partition(" may ")[0] for line in lines] == ["Client old", "Client older"]


class _Accepting:
    """A mail server's handler that takes everything."""


async def test_mail(site: Site, tmp_path: Path) -> None:
    assert await states(reached.check_mail, _mailing(site, f"smtp://127.0.0.1:{free_port()}")) == [
        State.FAIL
    ]
    context = _context(*_certificate(tmp_path, "localhost", days=90))
    plain = Controller(_Accepting(), "127.0.0.1", free_port())
    sealed = Controller(_Accepting(), "127.0.0.1", free_port(), tls_context=context)
    for server in (plain, sealed):
        server.start()
    try:
        near = _mailing(site, f"smtp://127.0.0.1:{plain.port}")
        assert await states(reached.check_mail, near) == [State.WARN], "in clear"
        strange = _mailing(site, f"smtp+starttls://localhost:{sealed.port}")
        assert await states(reached.check_mail, strange) == [State.FAIL], "a strange certificate"
    finally:
        for server in (plain, sealed):
            server.stop()


def _mailing(site: Site, url: str) -> Site:
    mailer = site.runtime.mailer.through(SmtpAddress.parse(url))
    return replace(site, runtime=replace(site.runtime, mailer=mailer))


@asynccontextmanager
async def proxy(context: ssl.SSLContext, head: str) -> AsyncIterator[int]:
    """Answer every request with the same head."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(head.encode())
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0, ssl=context) as server:
        yield server.sockets[0].getsockname()[1]


HEAD = "HTTP/1.1 200 OK\r\nStrict-Transport-Security: max-age=1\r\nDate: {}\r\n\r\n"


@pytest.mark.parametrize(
    ("days", "late_seconds", "found"),
    [
        (90, 0, [State.OK, State.OK]),
        (5, 0, [State.WARN, State.OK]),
        (90, 600, [State.OK, State.WARN]),
        (90, None, [State.OK, State.WARN]),
    ],
    ids=["well", "certificate ends", "clock is late", "something else answers"],
)
async def test_address(
    days: int, late_seconds: int | None, found: list[State], sites: Sites
) -> None:
    certificate, key = _certificate(sites.folder, "localhost", days=days)
    head = "HTTP/1.1 404 Not Found\r\n\r\n"
    if late_seconds is not None:
        head = HEAD.format(format_datetime(datetime.now(UTC) + timedelta(seconds=late_seconds)))
    async with proxy(_context(certificate, key), head) as port:
        issuer = f"https://localhost:{port}"
        site = sites.make(issuer=issuer, trusted_ca_file=str(certificate))
        assert await states(reached.check_address, site) == found
        stranger = sites.make(issuer=issuer)
        assert await states(reached.check_address, stranger) == [State.FAIL], "strange certificate"


async def test_address_that_is_not_reached_is_a_warning(sites: Sites) -> None:
    site = sites.make(issuer=f"https://localhost:{free_port()}")
    assert await states(reached.check_address, site) == [State.WARN]


def test_command_ends_with_one_where_something_fails(sqlite_url: str) -> None:
    given = environment(sqlite_url).items()
    variables = {f"CITIZEN_{name.upper()}": value for name, value in given}
    done = CliRunner().invoke(cli.app, ["doctor", "--json"], env=variables)
    assert done.exit_code == 1
    lines = json.loads(done.stdout)
    assert {"state", "what", "why", "mend"} == set(lines[0])
    assert "fail" in {line["state"] for line in lines}
    said = CliRunner().invoke(cli.app, ["doctor"], env=variables)
    assert "fail CITIZEN_ENVIRONMENT is development." in said.stdout
    assert "Set it to production." in said.stdout


def _certificate(folder: Path, name: str, *, days: int) -> tuple[Path, Path]:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    names = [x509.DNSName(name), x509.IPAddress(ip_address("127.0.0.1"))]
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=days))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .sign(key, SHA256())
    )
    written = folder / "certificate.pem", folder / "key.pem"
    written[0].write_bytes(certificate.public_bytes(Encoding.PEM))
    plain = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    written[1].write_bytes(plain)
    return written


def _context(certificate: Path, key: Path) -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate, key)
    return context
