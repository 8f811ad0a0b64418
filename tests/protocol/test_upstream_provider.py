"""Our side of OpenID Connect towards a provider that lies, stalls or is somebody else.

OIDC Core section 3.1.3.7, OIDC Discovery section 4.3, RFC 9207; OWASP ASVS 5.0 sections 6.8, 10.5.
"""

import asyncio
import base64
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest
from joserfc import jwt
from joserfc.jwk import OctKey

from citizen_account.domain.accounts import Level
from citizen_account.domain.challenges import Onward
from citizen_account.domain.upstreams import Login, Proof, Upstream, UpstreamId
from citizen_account.upstream import transport
from citizen_account.upstream.errors import (
    UpstreamCancelledError,
    UpstreamRefusedError,
    UpstreamUnavailableError,
)
from citizen_account.upstream.file import CLAIMS, Credentials, ListedUpstream
from citizen_account.upstream.providers import Beginning, CallbackAnswer, Provider
from citizen_account.upstream.transport import BoundedTransport
from tests.mock_provider import HIGH, MockProvider, rsa_key

CALLBACK = "https://account.city.example/upstream/eid/callback"


@pytest.fixture
def eid() -> MockProvider:
    return MockProvider(id_token_changes={"acr": HIGH, "amr": ["hwk", "pin"]})


def provider_for(eid: MockProvider, wire: httpx2.AsyncBaseTransport | None = None) -> Provider:
    listed = ListedUpstream(
        upstream=Upstream(UpstreamId("eid"), eid.issuer, {"en": "eID"}, {HIGH: Level.HIGH}),
        credentials=Credentials(eid.client_id, eid.client_secret, None),
        scope="openid profile",
        claims={name: name for name in CLAIMS},
    )
    return Provider(listed, CALLBACK, BoundedTransport(wire or eid.transport))


def login_of(beginning: Beginning) -> Login:
    return Login(
        upstream_id=UpstreamId("eid"),
        browser_digest=b"",
        account_id=None,
        nonce=beginning.nonce,
        code_verifier=beginning.code_verifier,
        language="en",
        onward=Onward(),
        expires_at=datetime.now(UTC) + timedelta(minutes=10),
    )


def answer_in(address: str) -> CallbackAnswer:
    query = {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}
    return CallbackAnswer(
        query["state"], query.get("code", ""), query.get("iss"), query.get("error")
    )


async def sign_in(
    eid: MockProvider, provider: Provider | None = None, **changes: str | None
) -> Proof:
    asking = provider or provider_for(eid)
    beginning = await asking.begin("sk")
    answer = answer_in(eid.approve(beginning.address, **changes))
    return await asking.finish(login_of(beginning), answer, datetime.now(UTC).timestamp())


async def test_sound_answer_proves_who_it_is(eid: MockProvider) -> None:
    eid.claims |= {
        "given_name": "  Jana ",
        "family_name": "Skúšobná",
        "birthdate": "1984-02-29",
        "email": "jana@example.org",
        "email_verified": True,
    }
    proof = await sign_in(eid)
    assert (proof.issuer, proof.subject) == (eid.issuer, "subject-1")
    assert proof.level is Level.HIGH
    assert proof.methods == ("hwk", "pin")
    assert proof.profile.name == "Jana Skúšobná"
    assert proof.profile.birthdate == "1984-02-29"
    assert proof.email is not None


async def test_way_there_carries_all_that_binds_the_answer(eid: MockProvider) -> None:
    beginning = await provider_for(eid).begin("sk", again=True)
    query = parse_qs(urlsplit(beginning.address).query)
    assert query["code_challenge_method"] == ["S256"]
    assert query["redirect_uri"] == [CALLBACK]
    assert query["response_type"] == ["code"]
    assert query["nonce"] == [beginning.nonce]
    assert query["state"] == [beginning.state]
    assert query["prompt"] == ["login"]
    assert query["ui_locales"] == ["sk"]
    assert beginning.code_verifier not in beginning.address


WRONG_CLAIMS: list[dict[str, Any]] = [  # Any: claims of a token
    {"iss": "https://attacker.example"},
    {"iss": None},
    {"aud": "another-service"},
    {"aud": []},
    {"aud": None},
    {"aud": ["city-account", "another-service"]},
    {"aud": ["city-account", "another-service"], "azp": "another-service"},
    {"azp": "another-service"},
    {"exp": 1},
    {"exp": None},
    {"exp": "tomorrow"},
    {"exp": True},
    {"iat": 1},
    {"iat": 4_000_000_000},
    {"iat": None},
    {"nbf": 4_000_000_000},
    {"nonce": "another"},
    {"nonce": None},
    {"nonce": 5},
    {"sub": None},
    {"sub": ""},
    {"sub": 7},
    {"sub": "x" * 256},
    {"sub": "sübject"},
    {"at_hash": "AAAAAAAAAAAAAAAAAAAAAA"},
    {"events": {"http://schemas.openid.net/event/backchannel-logout": {}}},
]


@pytest.mark.parametrize("changes", WRONG_CLAIMS, ids=json.dumps)
async def test_wrong_claim_is_refused(eid: MockProvider, changes: dict[str, Any]) -> None:
    eid.id_token_changes |= changes
    with pytest.raises(UpstreamRefusedError):
        await sign_in(eid)
    assert "userinfo" not in eid.requests


async def test_several_audiences_with_us_as_party_are_accepted(eid: MockProvider) -> None:
    eid.id_token_changes |= {"aud": ["another", eid.client_id], "azp": eid.client_id}
    assert (await sign_in(eid)).subject == "subject-1"


async def forged(eid: MockProvider, make: Callable[[dict[str, Any]], str]) -> None:
    """Answer with a token of the forger's making, which has the right claims."""
    asking = provider_for(eid)
    beginning = await asking.begin("sk")
    eid.id_token = make(eid.id_token_claims(beginning.nonce))
    answer = answer_in(eid.approve(beginning.address))
    with pytest.raises(UpstreamRefusedError):
        await asking.finish(login_of(beginning), answer, datetime.now(UTC).timestamp())


def encoded(part: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode()


async def test_alg_none_is_refused(eid: MockProvider) -> None:
    await forged(eid, lambda claims: f"{encoded({'alg': 'none'})}.{encoded(claims)}.")


async def test_hmac_with_the_public_key_is_refused(eid: MockProvider) -> None:
    public = rsa_key("key-1").as_pem(private=False)
    key = OctKey.import_key(base64.b64encode(public))
    header = {"alg": "HS256", "kid": "key-1"}
    await forged(eid, lambda claims: jwt.encode(header, claims, key))


async def test_key_of_a_stranger_is_refused(eid: MockProvider) -> None:
    await forged(
        eid, lambda claims: jwt.encode({"alg": "RS256", "kid": "key-1"}, claims, rsa_key("evil"))
    )


async def test_key_in_the_header_is_not_looked_at(eid: MockProvider) -> None:
    evil = rsa_key("evil")
    header = {"alg": "RS256", "kid": "key-1", "jwk": evil.as_dict(private=False)}
    await forged(eid, lambda claims: jwt.encode(header, claims, evil))


@pytest.mark.parametrize("typ", ["at+jwt", "logout+jwt", "dpop+jwt"])
async def test_token_of_another_kind_is_refused(eid: MockProvider, typ: str) -> None:
    await forged(eid, lambda claims: eid.sign(claims, typ=typ))


async def test_changed_claims_break_the_signature(eid: MockProvider) -> None:
    def change(claims: dict[str, Any]) -> str:
        head, _, signature = eid.sign(claims).split(".")
        return f"{head}.{encoded(claims | {'sub': 'somebody-else'})}.{signature}"

    await forged(eid, change)


@pytest.mark.parametrize("token", ["", "a.b", "a.b.c", "....", "x" * 20_000])
async def test_no_token_at_all_is_refused(eid: MockProvider, token: str) -> None:
    await forged(eid, lambda _: token or " ")


async def test_renewed_key_is_read_once(eid: MockProvider) -> None:
    provider = provider_for(eid)
    await sign_in(eid, provider)
    eid.published, eid.signed_with = ("key-1", "key-2"), "key-2"
    # The keys were read just now, and are not read again within a minute.
    with pytest.raises(UpstreamRefusedError):
        await sign_in(eid, provider)
    provider._jwks_read_at -= 61  # noqa: SLF001  # a minute passes
    assert (await sign_in(eid, provider)).subject == "subject-1"


async def test_made_up_key_ids_cause_no_storm(eid: MockProvider) -> None:
    provider = provider_for(eid)
    eid.signed_with = "made-up"
    for _ in range(20):
        with pytest.raises(UpstreamRefusedError):
            await sign_in(eid, provider)
    assert eid.requests.count("jwks") == 1
    assert eid.requests.count("discovery") == 1


@pytest.mark.parametrize("issuer", ["https://attacker.example", None])
async def test_answer_of_another_issuer_is_refused(eid: MockProvider, issuer: str | None) -> None:
    """RFC 9207: mix-up. The provider promised to name itself in every answer."""
    with pytest.raises(UpstreamRefusedError):
        await sign_in(eid, iss=issuer)
    assert "token" not in eid.requests


async def test_provider_that_never_promised_may_leave_its_name_out(eid: MockProvider) -> None:
    eid.metadata_changes = {"authorization_response_iss_parameter_supported": False}
    assert (await sign_in(eid, iss=None)).subject == "subject-1"


async def test_error_answer_of_another_issuer_is_no_cancellation(eid: MockProvider) -> None:
    with pytest.raises(UpstreamRefusedError):
        await sign_in(eid, error="access_denied", code=None, iss="https://attacker.example")


async def test_cancellation_is_told_apart(eid: MockProvider) -> None:
    with pytest.raises(UpstreamCancelledError):
        await sign_in(eid, error="access_denied", code=None)
    with pytest.raises(UpstreamRefusedError):
        await sign_in(eid, error="login_required", code=None)


@pytest.mark.parametrize(
    "changes",
    [
        {"issuer": "https://attacker.example"},
        {"issuer": "https://eid.example/"},
        {"token_endpoint": "http://eid.example/token"},
        {"token_endpoint": "https://user:secret@eid.example/token"},
        {"jwks_uri": "file:///etc/passwd"},
        {"authorization_endpoint": "javascript:alert(1)"},
        {"token_endpoint": None},
        {"userinfo_endpoint": 5},
    ],
    ids=json.dumps,
)
async def test_metadata_that_points_elsewhere_is_refused(
    eid: MockProvider, changes: dict[str, Any]
) -> None:
    eid.metadata_changes = changes
    with pytest.raises(UpstreamRefusedError):
        await provider_for(eid).begin("sk")


async def test_metadata_cannot_allow_what_we_forbid(eid: MockProvider) -> None:
    eid.metadata_changes = {"id_token_signing_alg_values_supported": ["none", "HS256"]}
    with pytest.raises(UpstreamRefusedError):
        await sign_in(eid)


async def test_userinfo_of_somebody_else_is_refused(eid: MockProvider) -> None:
    eid.userinfo_subject = "somebody-else"
    with pytest.raises(UpstreamRefusedError):
        await sign_in(eid)


@pytest.mark.parametrize("acr", [None, "unheard-of", 5, ["high"], HIGH.upper()])
async def test_unknown_acr_is_the_lowest_level(eid: MockProvider, acr: object) -> None:
    eid.id_token_changes["acr"] = acr
    assert (await sign_in(eid)).level is Level.LOW


@pytest.mark.parametrize("said", [{}, {"email_verified": False}, {"email_verified": "true"}])
async def test_address_that_nobody_verified_is_not_taken(
    eid: MockProvider, said: dict[str, object]
) -> None:
    eid.claims |= {"email": "mayor@city.example", **said}
    assert (await sign_in(eid)).email is None


@pytest.mark.parametrize("name", [5, "x" * 101, "J\u0000", "\ud800", ["Jana"], None])
async def test_odd_name_is_left_out(eid: MockProvider, name: object) -> None:
    eid.claims["given_name"] = name
    assert (await sign_in(eid)).profile.given_name == ""


@pytest.mark.parametrize("status", [302, 404, 500, 503])
async def test_provider_that_is_down_is_unavailable(eid: MockProvider, status: int) -> None:
    eid.status = status
    with pytest.raises(UpstreamUnavailableError):
        await provider_for(eid).begin("sk")


@pytest.mark.parametrize(
    "body", [b"", b"<html>", b"[]", b"null", b"[" * 100_000, b" " * (257 * 1024), b"\xff"]
)
async def test_nonsense_is_no_proof(eid: MockProvider, body: bytes) -> None:
    eid.body = body
    with pytest.raises((UpstreamUnavailableError, UpstreamRefusedError)):
        await sign_in(eid)


async def test_slow_provider_is_given_up(
    eid: MockProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Slow(httpx2.AsyncBaseTransport):
        async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
            await asyncio.sleep(60)
            return httpx2.Response(200, request=request)

    monkeypatch.setattr(transport, "TOTAL_SECONDS", 0.05)
    with pytest.raises(UpstreamUnavailableError):
        await provider_for(eid, Slow()).begin("sk")


async def test_metadata_outlives_a_short_outage(eid: MockProvider) -> None:
    provider = provider_for(eid)
    await provider.begin("sk")
    provider._metadata_until = 0  # noqa: SLF001  # an hour passes
    eid.status = 503
    assert (await provider.begin("sk")).state


async def test_wrong_verifier_is_refused_there_and_told_here(eid: MockProvider) -> None:
    provider = provider_for(eid)
    one, other = await provider.begin("sk"), await provider.begin("sk")
    answer = answer_in(eid.approve(one.address))
    with pytest.raises(UpstreamRefusedError):
        await provider.finish(login_of(other), answer, datetime.now(UTC).timestamp())
