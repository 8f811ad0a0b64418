"""RFC 7591 and OpenID Connect Dynamic Client Registration 1.0: services register themselves."""

import asyncio
from datetime import timedelta
from typing import Any

import httpx2
import pytest
from joserfc.jwk import ECKey
from sqlalchemy import select

from citizen_account.bootstrap import Runtime
from citizen_account.domain.registrations import REGISTRATION_RULE, RegistrationMode
from citizen_account.domain.throttling import Counter, address_block
from citizen_account.storage.registrations import ClientRegistrationRow, InitialTokenRow
from tests.authorizing import address, allow, answer_in, error_code
from tests.factories import ISSUER, REDIRECT_URI, VERIFIER, Clock
from tests.journeys.steps import register as open_account
from tests.pages import Visitor
from tests.registering import MINIMAL, Metadata, Registered, initial_token, opened, send
from tests.relying_party import Party

RACERS = 16
PUBLIC_JWK = ECKey.generate_key("P-256").as_dict(private=False)
KEYED = {"token_endpoint_auth_method": "private_key_jwt", "jwks": {"keys": [PUBLIC_JWK]}}
HIGH = {"profile": "high", **KEYED}
OPENID = "/.well-known/openid-configuration"


@pytest.fixture
def mode() -> RegistrationMode:
    return RegistrationMode.OPEN


@pytest.fixture
def requires_pkce() -> bool:
    return True


@pytest.fixture
def runtime(runtime: Runtime, mode: RegistrationMode, requires_pkce: bool) -> Runtime:  # noqa: FBT001  # a fixture
    return opened(runtime, mode, requires_pkce=requires_pkce)


def error_of(answer: httpx2.Response) -> tuple[int, str]:
    assert answer.headers["cache-control"] == "no-store"
    body = answer.json()
    # RFC 6749 section 5.2: ASCII, and it says what to do.
    assert body["error_description"].isascii()
    assert not {'"', "\\"} & set(body["error_description"])
    return answer.status_code, body["error"]


# --- section 3: request and answer ----------------------------------------------------------------


async def test_3_2_1_answer_says_all_that_is_registered(
    runtime: Runtime, http: httpx2.AsyncClient, clock: Clock
) -> None:
    asked = {
        **MINIMAL,
        "client_name": "Library",
        "client_name#sk": "Knižnica",
        "logo_uri": "https://library.example/logo.png",
        "tos_uri#sk": "https://library.example/podmienky",
        "contacts": ["team@library.example"],
        "default_max_age": 3600,
        "require_auth_time": True,
        "default_acr_values": ["http://eidas.europa.eu/LoA/low"],
        "initiate_login_uri": "https://library.example/login",
        "post_logout_redirect_uris": ["https://library.example/bye"],
        "backchannel_logout_uri": "https://library.example/out",
        "backchannel_logout_session_required": True,
        "frontchannel_logout_uri": "https://library.example/out-by-browser",
        "userinfo_signed_response_alg": "RS256",
        "grant_types": ["authorization_code", "refresh_token"],
    }
    answer = await send(http, asked)
    assert answer.status_code == 201
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["cache-control"] == "no-store"
    body = answer.json()
    assert {name: body[name] for name in asked} == asked
    assert body["client_id_issued_at"] == int(clock.now.timestamp())
    assert body["client_secret_expires_at"] == 0
    assert len(body["client_secret"]) >= 43
    # RFC 7591 section 2: defaults are told, and so is what the server chose.
    assert body["token_endpoint_auth_method"] == "client_secret_basic"
    assert body["response_types"] == ["code"]
    assert body["id_token_signed_response_alg"] == "RS256"
    assert body["subject_type"] == "pairwise"
    assert body["scope"] == "openid profile email phone address offline_access"
    assert body["registration_client_uri"] == f"{ISSUER}/register/{body['client_id']}"
    async with runtime.database.read() as uow:
        client = await uow.clients.find(body["client_id"])
    assert client is not None
    assert client.userinfo_signed_response_alg == "RS256"


async def test_secrets_are_kept_as_digests(runtime: Runtime, http: httpx2.AsyncClient) -> None:
    token = await initial_token(runtime)
    registered = await Registered.new(http, token=token)
    async with runtime.database.engines.reader.connect() as connection:
        for table in (ClientRegistrationRow, InitialTokenRow):
            [row] = (await connection.execute(select(*table.__table__.columns))).all()
            assert token not in str(row)
            assert registered.body["registration_access_token"] not in str(row)


async def test_2_what_only_the_operator_may_say_is_ignored(http: httpx2.AsyncClient) -> None:
    # Section 2: what is not understood is ignored. Section 5: what a client says is unproven.
    claimed: Metadata = {
        "client_id": "library",
        "client_secret": "chosen-by-the-client-itself-and-long-enough",
        "first_party": True,
        "operator": "The City",
        "purposes": [{"id": "x", "legal_basis": "public_task"}],
        "service_url": "https://city.example/",
        "software_statement": "a.b.c",
        "shoe_size": 42,
    }
    body = (await Registered.new(http, {**MINIMAL, **claimed})).body
    assert not claimed.keys() - {"client_id", "client_secret"} & body.keys()
    assert body["client_id"] != "library"
    assert body["client_secret"] != claimed["client_secret"]


async def test_2_null_counts_as_left_out(http: httpx2.AsyncClient) -> None:
    body = (await Registered.new(http, {**MINIMAL, "client_name": None, "jwks": None})).body
    assert body["client_name"] == "library.example"


async def test_scope_of_an_api_is_the_operators_to_give(http: httpx2.AsyncClient) -> None:
    body = (await Registered.new(http, {**MINIMAL, "scope": "openid consents:read email"})).body
    assert body["scope"] == "openid email"
    refused = await send(http, {**MINIMAL, "scope": "consents:read"})
    assert error_of(refused) == (400, "invalid_client_metadata")


BAD_METADATA: list[tuple[str, dict[str, Any]]] = [
    ("invalid_redirect_uri", {"redirect_uris": ["https://library.example/#part"]}),
    ("invalid_redirect_uri", {"redirect_uris": ["https://library.example/cb#"]}),
    ("invalid_redirect_uri", {"redirect_uris": ["http://library.example/"]}),
    ("invalid_redirect_uri", {"redirect_uris": ["javascript:alert(1)"]}),
    ("invalid_redirect_uri", {"redirect_uris": ["data:text/html,x"]}),
    ("invalid_redirect_uri", {"redirect_uris": ["https://u:p@library.example/"]}),
    ("invalid_redirect_uri", {"redirect_uris": ["https://library.example\\@thief.example/"]}),
    ("invalid_redirect_uri", {"redirect_uris": ["com.example.app:/cb"]}),
    ("invalid_redirect_uri", {"redirect_uris": ["https://*.library.example/"]}),
    ("invalid_redirect_uri", {"redirect_uris": [f"https://a.example/{n}" for n in range(101)]}),
    ("invalid_redirect_uri", {"redirect_uris": []}),
    ("invalid_redirect_uri", {"redirect_uris": "https://library.example/"}),
    ("invalid_redirect_uri", {"redirect_uris": [["https://library.example/"]]}),
    ("invalid_redirect_uri", {"redirect_uris": None}),
    ("invalid_client_metadata", {"response_types": ["code token"]}),
    ("invalid_client_metadata", {"response_types": ["id_token"]}),
    ("invalid_client_metadata", {"grant_types": ["implicit"]}),
    ("invalid_client_metadata", {"grant_types": {"a": 1}}),
    ("invalid_client_metadata", {"token_endpoint_auth_method": "client_secret_jwt"}),
    ("invalid_client_metadata", {"token_endpoint_auth_method": ["none"]}),
    ("invalid_client_metadata", {"token_endpoint_auth_method": "private_key_jwt"}),
    ("invalid_client_metadata", {**KEYED, "jwks_uri": "https://library.example/jwks"}),
    ("invalid_client_metadata", {**KEYED, "jwks": {"keys": [{**PUBLIC_JWK, "d": "x"}]}}),
    ("invalid_client_metadata", {"jwks": {"keys": [{"kty": "oct", "k": "c2VjcmV0"}]}}),
    ("invalid_client_metadata", {"jwks": {"keys": [PUBLIC_JWK] * 21}}),
    ("invalid_client_metadata", {"jwks": []}),
    ("invalid_client_metadata", {"id_token_signed_response_alg": "none"}),
    ("invalid_client_metadata", {"userinfo_signed_response_alg": "HS256"}),
    ("invalid_client_metadata", {"request_object_signing_alg": "none"}),
    ("invalid_client_metadata", {"subject_type": "private"}),
    ("invalid_client_metadata", {"initiate_login_uri": "http://library.example/login"}),
    ("invalid_client_metadata", {"post_logout_redirect_uris": ["http://library.example/"]}),
    ("invalid_client_metadata", {"backchannel_logout_uri": "http://library.example/"}),
    ("invalid_client_metadata", {"frontchannel_logout_uri": "https://other.example/"}),
    ("invalid_client_metadata", {"logo_uri": "javascript:alert(1)"}),
    ("invalid_client_metadata", {"policy_uri#sk": "data:text/html,x"}),
    ("invalid_client_metadata", {"default_max_age": "3600"}),
    ("invalid_client_metadata", {"default_max_age": 10**40}),
    ("invalid_client_metadata", {"contacts": [{"a": 1}]}),
    ("invalid_client_metadata", {"client_name": "Library\u202eyrarbiL"}),
    ("invalid_client_metadata", {"client_name": "x" * 101}),
    ("invalid_client_metadata", {"client_name#sk": 7}),
    ("invalid_client_metadata", {f"client_name#x{n}": "Library" for n in range(60)}),
    ("invalid_client_metadata", {"profile": "high"}),
    ("invalid_client_metadata", {**HIGH, "id_token_signed_response_alg": "RS256"}),
    ("invalid_client_metadata", {"dpop_bound_access_tokens": "yes"}),
    ("invalid_client_metadata", {"require_pushed_authorization_requests": 1}),
    ("invalid_client_metadata", {"tls_client_certificate_bound_access_tokens": True}),
    ("invalid_client_metadata", {"token_endpoint_auth_method": "tls_client_auth"}),
    ("invalid_client_metadata", {"userinfo_encrypted_response_alg": {"a": 1}}),
    ("invalid_client_metadata", {"sector_identifier_uri": "http://library.example/list"}),
    (
        "invalid_client_metadata",
        {"redirect_uris": ["https://a.example/", "https://b.example/"]},
    ),
]  # fmt: skip


async def test_3_2_2_wrong_metadata_is_refused_and_named(http: httpx2.AsyncClient) -> None:
    for error, changes in BAD_METADATA:
        answer = await send(http, {**MINIMAL, **changes})
        assert error_of(answer) == (400, error), changes
        named = next(iter(changes)).partition("#")[0]
        if error == "invalid_redirect_uri":
            assert named in answer.json()["error_description"]


async def test_3_1_request_is_a_json_object(http: httpx2.AsyncClient) -> None:
    bodies: list[bytes] = [
        b"", b"{", b"[]", b"null", b'"x"', b"\xff", b'{"redirect_uris": NaN}', b'{"a": "\\u0000"}',
        b'{"a": "\\ud800"}', b"[" * 5000, b'{"a":' * 50 + b"1" + b"}" * 50, b"1" * 5000,
    ]  # fmt: skip
    for body in bodies:
        headers = {"Content-Type": "application/json"}
        answer = await http.post("/register", content=body, headers=headers)
        assert error_of(answer) == (400, "invalid_request"), body[:20]
    form = await http.post("/register", data={"redirect_uris": REDIRECT_URI})
    assert form.status_code == 415
    large = {**MINIMAL, "shoe_size": "4" * 70_000}
    assert (await send(http, large)).status_code == 413
    infinite = b'{"redirect_uris": ["https://a.example/"], "default_max_age": 1e999, "x": 1e999}'
    answer = await http.post(
        "/register", content=infinite, headers={"Content-Type": "application/json"}
    )
    assert answer.status_code == 400


# --- who may register -----------------------------------------------------------------------------


@pytest.mark.parametrize("mode", [RegistrationMode.CLOSED])
async def test_closed_door_is_not_advertised(runtime: Runtime, http: httpx2.AsyncClient) -> None:
    assert "registration_endpoint" not in (await http.get(OPENID)).json()
    assert error_of(await send(http)) == (403, "access_denied")
    assert error_of(await send(http, token=await initial_token(runtime))) == (403, "access_denied")


@pytest.mark.parametrize("mode", [RegistrationMode.TOKEN])
async def test_3_initial_access_token_opens_once(
    runtime: Runtime, http: httpx2.AsyncClient, clock: Clock
) -> None:
    assert (await http.get(OPENID)).json()["registration_endpoint"] == f"{ISSUER}/register"
    for wrong in (None, "guessed"):
        answer = await send(http, token=wrong)
        assert error_of(answer) == (401, "invalid_token")
        assert answer.headers["www-authenticate"].startswith("Bearer ")
    token = await initial_token(runtime)
    # What is refused for another reason uses nothing up.
    assert error_of(await send(http, {}, token)) == (400, "invalid_redirect_uri")
    registered = await Registered.new(http, token=token)
    assert registered.body["registration_status"] == "approved"
    assert error_of(await send(http, token=token)) == (401, "invalid_token")
    late = await initial_token(runtime, days=1)
    clock.now += timedelta(days=1)
    assert error_of(await send(http, token=late)) == (401, "invalid_token")
    many = await initial_token(runtime, uses=2)
    answers = [await send(http, token=many) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [201, 201, 401]


@pytest.mark.parametrize("mode", [RegistrationMode.TOKEN])
async def test_of_many_at_once_one_registers_by_a_token(
    runtime: Runtime, http: httpx2.AsyncClient
) -> None:
    token = await initial_token(runtime)
    answers = await asyncio.gather(*(send(http, token=token) for _ in range(RACERS)))
    assert sorted(answer.status_code for answer in answers) == [201, *[401] * (RACERS - 1)]


async def test_open_door_closes_for_a_network_that_registers_without_end(
    runtime: Runtime, http: httpx2.AsyncClient
) -> None:
    counter = Counter(REGISTRATION_RULE, address_block("127.0.0.1"))
    async with runtime.database.begin() as uow:
        for _ in range(REGISTRATION_RULE.limit - 1):
            await uow.throttles.hit_all([counter])
    assert (await send(http)).status_code == 201
    refused = await send(http)
    assert error_of(refused) == (429, "temporarily_unavailable")
    assert int(refused.headers["retry-after"]) > 0
    # Who was invited is not counted with strangers.
    assert (await send(http, token=await initial_token(runtime))).status_code == 201


@pytest.mark.parametrize("mode", [RegistrationMode.QUEUE])
async def test_client_that_waits_can_do_nothing_and_is_told_why(
    runtime: Runtime, http: httpx2.AsyncClient
) -> None:
    metadata = {**MINIMAL, "grant_types": ["authorization_code", "client_credentials"]}
    waiting = await Registered.new(http, metadata)
    assert waiting.body["registration_status"] == "pending"
    party = Party(http, waiting.client_id, waiting.body["client_secret"])
    for answer in (
        await party.ask_for_itself(),
        await party.redeem("a-code"),
        await party.introspect("any"),
        await party.revoke("any"),
        await party.send("/par", {"response_type": "code", "redirect_uri": REDIRECT_URI}),
    ):
        assert error_of(answer) == (400, "unauthorized_client")
        assert "approval" in answer.json()["error_description"]
    # A stranger learns nothing of it.
    guess = Party(http, waiting.client_id, "x" * 43)
    assert error_of(await guess.ask_for_itself()) == (401, "invalid_client")
    visitor = Visitor(http)
    # RFC 7591 section 5: never a redirect to what nobody has looked at.
    await visitor.open(address({"client_id": waiting.client_id}))
    assert (visitor.status, error_code(visitor)) == (403, "client_pending")
    invited = await Registered.new(http, token=await initial_token(runtime))
    assert invited.body["registration_status"] == "approved"


# --- redirect URIs, as the conformance suite asks for them ----------------------------------------


async def test_redirect_uri_is_kept_to_the_letter(
    runtime: Runtime, http: httpx2.AsyncClient
) -> None:
    with_query = f"{REDIRECT_URI}?foo=bar"
    registered = await Registered.new(http, {"redirect_uris": [with_query]})
    visitor = Visitor(http)
    await open_account(visitor, runtime)
    client_id = registered.client_id
    for other in (REDIRECT_URI, f"{REDIRECT_URI}?foo=baz", f"{with_query}&x=1", f"{with_query}#"):
        await visitor.open(address({"client_id": client_id, "redirect_uri": other}))
        assert error_code(visitor) == "redirect_uri_unregistered"
    await visitor.open(address({"client_id": client_id, "redirect_uri": with_query}))
    await visitor.press("#allow")
    assert (visitor.left_for or "").startswith(f"{with_query}&code=")


async def test_native_program_listens_on_its_own_machine(
    runtime: Runtime, http: httpx2.AsyncClient
) -> None:
    # RFC 8252 section 7.3 and OIDC Registration section 2.
    native = {
        "application_type": "native",
        "token_endpoint_auth_method": "none",
        "redirect_uris": ["http://127.0.0.1:4711/cb", "http://[::1]:4711/cb"],
    }
    first = await Registered.new(http, native)
    assert first.body["redirect_uris"] == native["redirect_uris"]
    assert "client_secret" not in first.body
    assert first.body["require_pkce"] is True
    # At whatever port the system gives it this time, and there alone.
    here, there = "http://127.0.0.1:51004/cb", "http://127.0.0.1:51005/cb"
    visitor = Visitor(http)
    await open_account(visitor, runtime)
    asked = {"client_id": first.client_id, "redirect_uri": here, "scope": "openid"}
    await visitor.open(address(asked))
    await visitor.press("#allow")
    received = answer_in(visitor.left_for, here)
    request = {
        "grant_type": "authorization_code",
        "client_id": first.client_id,
        "code": received["code"],
        "code_verifier": VERIFIER,
    }
    refused = await http.post("/token", data={**request, "redirect_uri": there})
    assert refused.json()["error"] == "invalid_grant"
    issued = await http.post("/token", data={**request, "redirect_uri": here})
    assert issued.status_code == 200, issued.text


async def test_from_registration_to_userinfo(runtime: Runtime, http: httpx2.AsyncClient) -> None:
    registered = await Registered.new(http, {**MINIMAL, "userinfo_signed_response_alg": "RS256"})
    visitor = Visitor(http)
    await open_account(visitor, runtime)
    received = await allow(visitor, {"client_id": registered.client_id})
    party = Party(http, registered.client_id, registered.body["client_secret"])
    issued = await party.redeem(received["code"], {"code_verifier": VERIFIER})
    assert issued.status_code == 200
    answer = await party.userinfo(issued.json()["access_token"])
    assert answer.headers["content-type"] == "application/jwt"


# --- PKCE -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("requires_pkce", [False])
async def test_exemption_is_for_confidential_standard_clients_alone(
    runtime: Runtime, http: httpx2.AsyncClient
) -> None:
    plain = await Registered.new(http)
    assert plain.body["require_pkce"] is False
    public = {**MINIMAL, "token_endpoint_auth_method": "none", "require_pkce": False}
    assert (await Registered.new(http, public)).body["require_pkce"] is True
    high = {**MINIMAL, **HIGH, "require_pkce": False}
    assert (await Registered.new(http, high)).body["require_pkce"] is True
    strict = {**MINIMAL, "require_pkce": True}
    assert (await Registered.new(http, strict)).body["require_pkce"] is True
    visitor = Visitor(http)
    await open_account(visitor, runtime)
    without: dict[str, str | None] = {"code_challenge": None, "code_challenge_method": None}
    assert "code" in await allow(visitor, {"client_id": plain.client_id, **without})


async def test_without_the_setting_nobody_exempts_himself(http: httpx2.AsyncClient) -> None:
    asked = await Registered.new(http, {**MINIMAL, "require_pkce": False})
    assert asked.body["require_pkce"] is True
