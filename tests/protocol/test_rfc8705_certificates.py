"""RFC 8705: clients known by the certificate that a proxy has seen, and tokens bound to it."""

from collections.abc import AsyncIterator
from pathlib import Path

import httpx2
import pytest

from citizen_account.app import create_app
from citizen_account.bootstrap import Runtime, build_runtime
from citizen_account.openid.metadata_members import RegistrationError
from tests.certificates import ALIAS, HEADER, SUBJECT, make, settings_behind
from tests.factories import ISSUER, Clock, settings_for
from tests.proofs import Prover
from tests.relying_party import Party, bearer
from tests.services import GRANT, SECRET, authorize, open_account, register

PROXY = "10.0.0.1"


AUTHORITY = make("CN=City authority")
HOLDER = make(issuer=AUTHORITY)


@pytest.fixture
async def runtime(database_url: str, clock: Clock, tmp_path: Path) -> AsyncIterator[Runtime]:
    """Yield a city behind a proxy that shows us certificates."""
    settings = settings_behind(PROXY, database_url, AUTHORITY, tmp_path)
    built = build_runtime(settings, clock)
    yield built
    await built.database.close()


def by_peer(runtime: Runtime, peer: str) -> httpx2.AsyncClient:
    transport = httpx2.ASGITransport(create_app(runtime), client=(peer, 1))
    return httpx2.AsyncClient(transport=transport, base_url=ISSUER)


@pytest.fixture
async def http(runtime: Runtime) -> AsyncIterator[httpx2.AsyncClient]:
    """Yield the proxy's connection."""
    async with by_peer(runtime, PROXY) as client:
        yield client


async def ask(http: httpx2.AsyncClient, headers: dict[str, str]) -> httpx2.Response:
    fields = {"grant_type": "client_credentials", "client_id": "library"}
    return await http.post("/token", data=fields, headers=headers)


async def enrol(runtime: Runtime, **metadata: object) -> None:
    await register(
        runtime,
        client_secret=None,
        redirect_uris=[],
        grant_types=["client_credentials"],
        scope="cases.read",
        **{"token_endpoint_auth_method": "tls_client_auth", **metadata},
    )


@pytest.mark.parametrize(
    "name",
    [
        {"tls_client_auth_subject_dn": SUBJECT},
        {"tls_client_auth_san_dns": "library.example"},
    ],
    ids=["subject", "name of a host"],
)
async def test_2_1_certificate_with_the_registered_name_opens(
    runtime: Runtime, http: httpx2.AsyncClient, name: dict[str, str]
) -> None:
    await enrol(runtime, **name)
    assert (await ask(http, HOLDER.header)).status_code == 200


STRANGERS = {
    "other name": make("CN=museum,O=City", AUTHORITY),
    "made by himself": make(),
    "of another authority": make(issuer=make("CN=City authority")),
    "expired": make(issuer=AUTHORITY, days=-1),
}


@pytest.mark.parametrize("name", STRANGERS)
async def test_2_1_other_certificate_opens_nothing(
    runtime: Runtime, http: httpx2.AsyncClient, name: str
) -> None:
    await enrol(runtime, tls_client_auth_subject_dn=SUBJECT)
    refused = await ask(http, STRANGERS[name].header)
    assert (refused.status_code, refused.json()["error"]) == (400, "invalid_client")


async def test_header_that_no_proxy_wrote_is_not_believed(
    runtime: Runtime, http: httpx2.AsyncClient
) -> None:
    await enrol(runtime, tls_client_auth_subject_dn=SUBJECT)
    async with by_peer(runtime, "203.0.113.9") as stranger:
        assert (await ask(stranger, HOLDER.header)).json()["error"] == "invalid_client"
    for headers in ({}, {HEADER: ""}, {HEADER: "rubbish"}, {HEADER: "%ff"}, {HEADER: "x" * 20_000}):
        assert (await ask(http, headers)).json()["error"] == "invalid_client"
    twice = [(HEADER, HOLDER.header[HEADER])] * 2
    fields = {"grant_type": "client_credentials", "client_id": "library"}
    assert (await http.post("/token", data=fields, headers=twice)).status_code == 400


async def test_2_2_self_signed_certificate_with_the_registered_key_opens(
    runtime: Runtime, http: httpx2.AsyncClient
) -> None:
    own = make()
    method = {"token_endpoint_auth_method": "self_signed_tls_client_auth"}
    await enrol(runtime, jwks={"keys": [own.jwk]}, **method)
    assert (await ask(http, own.header)).status_code == 200
    assert (await ask(http, HOLDER.header)).json()["error"] == "invalid_client"


async def test_3_token_is_bound_to_the_certificate(
    runtime: Runtime, http: httpx2.AsyncClient
) -> None:
    assert GRANT.account_id is not None
    await open_account(runtime, GRANT.account_id)
    client = await register(runtime, tls_client_certificate_bound_access_tokens=True)
    library = Party(http, client.id, SECRET)
    code = await authorize(runtime)
    assert (await library.redeem(code)).json()["error"] == "invalid_request"
    http.headers.update(HOLDER.header)
    tokens = (await library.redeem(code)).json()
    assert tokens["token_type"] == "Bearer"
    described = (await library.introspect(tokens["access_token"])).json()
    assert described["cnf"] == {"x5t#S256": HOLDER.thumbprint}
    assert (await library.userinfo(tokens["access_token"])).status_code == 200
    http.headers.update(make(issuer=AUTHORITY).header)
    # Section 3: another certificate, of the same name even, is another sender.
    assert (await library.userinfo(tokens["access_token"])).status_code == 401
    api = await http.get("/api/v1/me/permission", headers=bearer(tokens["access_token"]))
    assert api.status_code == 401


async def test_3_3_metadata_says_so(http: httpx2.AsyncClient) -> None:
    described = (await http.get("/.well-known/openid-configuration")).json()
    assert described["tls_client_certificate_bound_access_tokens"] is True
    methods = described["token_endpoint_auth_methods_supported"]
    assert {"tls_client_auth", "self_signed_tls_client_auth"} <= set(methods)


async def test_5_endpoints_that_take_certificates_have_an_alias(http: httpx2.AsyncClient) -> None:
    described = (await http.get("/.well-known/openid-configuration")).json()
    aliases = described["mtls_endpoint_aliases"]
    assert aliases == {
        name: described[name].replace(ISSUER, ALIAS)
        for name in (
            "pushed_authorization_request_endpoint",
            "token_endpoint",
            "userinfo_endpoint",
            "introspection_endpoint",
            "revocation_endpoint",
        )
    }


@pytest.mark.parametrize(
    ("htu", "status"),
    [
        (f"{ISSUER}/token", 200),
        (f"{ALIAS}/token", 200),
        (f"{ISSUER}:8444/token", 400),
        (f"{ALIAS}/par", 400),
    ],
)
async def test_5_proof_may_name_the_alias(
    runtime: Runtime, http: httpx2.AsyncClient, clock: Clock, htu: str, status: int
) -> None:
    # RFC 9449 section 4.3 point 9, of a client that knows this endpoint by two addresses.
    await enrol(runtime, tls_client_auth_subject_dn=SUBJECT)
    proof = Prover(clock).proof(htu)
    answer = await ask(http, {**HOLDER.header, "DPoP": proof})
    assert answer.status_code == status, answer.text


@pytest.mark.parametrize(
    "metadata",
    [
        {},
        {"tls_client_auth_subject_dn": "no name"},
        {"tls_client_auth_subject_dn": SUBJECT, "tls_client_auth_san_dns": "library.example"},
        {"token_endpoint_auth_method": "self_signed_tls_client_auth"},
    ],
    ids=["no name", "malformed name", "two names", "no keys"],
)
async def test_2_1_2_client_must_say_how_it_is_known(
    runtime: Runtime, metadata: dict[str, str]
) -> None:
    with pytest.raises(RegistrationError):
        await enrol(runtime, **metadata)


async def test_city_without_the_setting_offers_nothing(database_url: str, clock: Clock) -> None:
    built = build_runtime(settings_for(database_url), clock)
    with pytest.raises(RegistrationError, match="token_endpoint_auth_method"):
        await enrol(built, tls_client_auth_subject_dn=SUBJECT)
    with pytest.raises(RegistrationError, match="tls_client_certificate_bound"):
        await register(built, tls_client_certificate_bound_access_tokens=True)
    async with by_peer(built, PROXY) as client:
        described = (await client.get("/.well-known/openid-configuration")).json()
    assert described["tls_client_certificate_bound_access_tokens"] is False
    assert "tls_client_auth" not in described["token_endpoint_auth_methods_supported"]
    assert "mtls_endpoint_aliases" not in described
    await built.database.close()


@pytest.mark.parametrize("address", [f"{ALIAS}/", f"{ALIAS}/x", "ftp://a.example", "a.example"])
def test_alias_is_a_bare_address(database_url: str, address: str) -> None:
    with pytest.raises(ValueError, match="mtls_address"):
        settings_for(
            database_url,
            trusted_proxies=f"{PROXY}/32",
            mtls_certificate_header=HEADER,
            mtls_address=address,
        )


def test_alias_without_the_header_is_half_a_configuration(database_url: str) -> None:
    with pytest.raises(ValueError, match="CITIZEN_MTLS_CERTIFICATE_HEADER"):
        settings_for(database_url, mtls_address=ALIAS)


def test_header_without_proxies_is_half_a_configuration(database_url: str) -> None:
    with pytest.raises(ValueError, match="CITIZEN_TRUSTED_PROXIES"):
        settings_for(database_url, mtls_certificate_header=HEADER)
