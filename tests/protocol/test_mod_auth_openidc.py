"""The whole way with Apache's mod_auth_openidc in front of a static page, as Debian packs it."""

import os
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import quote, urlsplit

import httpx2
import pytest

from citizen_account.bootstrap import Runtime, build_runtime, utc_now
from tests.factories import settings_for
from tests.journeys.steps import register as open_account
from tests.pages import Visitor
from tests.postgres import free_port
from tests.servers import Server, program, serve, wait_until_ready
from tests.services import SECRET, register

MODULES = Path("/usr/lib/apache2/modules")
OURS = MODULES / "mod_auth_openidc.so"
APACHE = "/usr/sbin/apache2"
LOADED = (
    "mpm_event",
    "authn_core",
    "authz_core",
    "authz_user",
    "auth_openidc",
    "dir",
    "headers",
    "mime",
)
CONFIGURATION = """
{modules}
ServerRoot "{folder}"
ServerName localhost
Listen 127.0.0.1:{port}
PidFile "{folder}/apache.pid"
ErrorLog "{folder}/error.log"
TypesConfig /etc/mime.types
DocumentRoot "{folder}/site"
{user}
OIDCProviderMetadataURL {issuer}/.well-known/openid-configuration
OIDCClientID apache
OIDCClientSecret {secret}
OIDCRedirectURI http://localhost:{port}/closed/callback
OIDCCryptoPassphrase an-invented-passphrase
OIDCPKCEMethod S256
OIDCScope "openid profile email"
OIDCPassClaimsAs environment
<Directory />
    AllowOverride None
</Directory>
<Directory "{folder}/site">
    Require all granted
</Directory>
<Location /closed>
    AuthType openid-connect
    Require valid-user
    Header set X-Email "%{{OIDC_CLAIM_email}}e"
    Header set X-Subject "%{{OIDC_CLAIM_sub}}e"
</Location>
"""


@pytest.fixture
def server(sqlite_url: str) -> Iterator[Server]:
    if not OURS.is_file() or not Path(APACHE).is_file():
        pytest.skip("absent: apt-get install apache2 libapache2-mod-auth-openidc")
    with serve(sqlite_url) as [running]:
        yield running


@pytest.fixture
async def city(sqlite_url: str, server: Server) -> AsyncIterator[Runtime]:
    runtime = build_runtime(settings_for(sqlite_url, issuer=server.issuer), utc_now)
    yield runtime
    await runtime.database.close()


@contextmanager
def apache(folder: Path, issuer: str) -> Iterator[str]:
    """Yield the address of an Apache that keeps `/closed` for residents who have signed in."""
    port = free_port()
    site = folder / "site"
    (site / "closed").mkdir(parents=True)
    (site / "closed" / "index.html").write_text("<p id='inside'>Inside</p>", encoding="utf-8")
    (site / "goodbye.html").write_text("<p id='goodbye'>Goodbye</p>", encoding="utf-8")
    modules = [f"LoadModule {name}_module {MODULES}/mod_{name}.so" for name in LOADED]
    values = {
        "modules": "\n".join(modules),
        "folder": folder,
        "port": port,
        "user": "User www-data\nGroup www-data" if os.geteuid() == 0 else "",
        "issuer": issuer,
        "secret": SECRET,
    }
    file = folder / "apache.conf"
    file.write_text(CONFIGURATION.format(**values), encoding="utf-8")
    folder.chmod(0o755)
    with program([APACHE, "-f", str(file), "-DFOREGROUND"], {}) as started:
        address = f"http://localhost:{port}"
        wait_until_ready(address, started, "/goodbye.html")
        yield address


async def test_from_discovery_to_logout(server: Server, city: Runtime) -> None:
    # Not pytest's folder, which is closed to the account that Apache runs as.
    with TemporaryDirectory() as folder, apache(Path(folder), server.issuer) as site:
        goodbye = f"{site}/goodbye.html"
        await register(
            city,
            client_id="apache",
            redirect_uris=[f"{site}/closed/callback"],
            post_logout_redirect_uris=[goodbye],
            scope="openid profile email",
        )
        async with server.client() as http, httpx2.AsyncClient(base_url=site) as browsing:
            account, page = Visitor(http), Visitor(browsing)
            await open_account(account, city)
            await page.open("/closed/")
            await account.open(page.left_for or "")
            await account.press("#allow")
            await page.open(account.left_for or "")
            assert page.text("#inside") == "Inside"
            assert page.last.headers["x-email"] == "jana@example.sk"
            assert len(page.last.headers["x-subject"]) == 32
            await page.open(f"/closed/callback?logout={quote(goodbye, safe='')}")
            await account.open(page.left_for or "")
            left = urlsplit(account.left_for or "")
            assert f"{left.scheme}://{left.netloc}{left.path}" == goodbye
            await account.open("/en/dashboard")
            assert account.path == "/en/sign-in"
            # And the page is closed again.
            await page.open("/closed/")
            assert (page.left_for or "").startswith(f"{server.issuer}/authorize?")
