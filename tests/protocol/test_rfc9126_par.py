"""RFC 9126 and FAPI 2.0: requests pushed by a client that proves itself, signed and bound."""

import asyncio
from datetime import timedelta

import httpx2
import pytest

from citizen_account.bootstrap import Runtime
from citizen_account.domain.accounts import AccountId
from citizen_account.openid.metadata_members import RegistrationError
from tests.authorizing import address, answer_in, error_code, request_fields, sign_in
from tests.factories import ISSUER, Clock
from tests.fapi_party import Changes, HighParty
from tests.pages import Visitor
from tests.proofs import Prover, code_fields
from tests.relying_party import Party
from tests.services import register

CLICKS = 16


@pytest.fixture
async def high(runtime: Runtime, library: Party, reader: AccountId, clock: Clock) -> HighParty:
    """Return the library as a service of the profile `high`; its browser is signed in."""
    party = HighParty(library.http, clock, Prover(clock))
    await register(
        runtime,
        profile="high",
        client_secret=None,
        token_endpoint_auth_method="private_key_jwt",
        jwks={"keys": [party.key.as_dict(private=False)]},
    )
    await sign_in(runtime, library.http, reader)
    return party


def error_of(answer: httpx2.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["error"]


async def code_of(visitor: Visitor, place: str) -> str:
    await visitor.open(place)
    # Who has allowed it before is not asked again.
    if visitor.left_for is None:
        await visitor.press("#allow")
    return answer_in(visitor.left_for)["code"]


@pytest.mark.parametrize("is_signed", [False, True], ids=["plain", "signed"])
async def test_fapi_pushed_request_ends_in_bound_tokens(
    high: HighParty, visitor: Visitor, *, is_signed: bool
) -> None:
    fields = high.signed() if is_signed else request_fields()
    code = await code_of(visitor, await high.pushed(fields))
    tokens = (await high.redeem(code)).json()
    assert tokens["token_type"] == "DPoP"
    headers = high.prover.headers("/userinfo", tokens["access_token"])
    assert (await high.http.get("/userinfo", headers=headers)).status_code == 200
    # The nonce is asked for at resources too.
    high.prover.nonce = None
    headers = high.prover.headers("/userinfo", tokens["access_token"])
    refused = await high.http.get("/userinfo", headers=headers)
    assert 'error="use_dpop_nonce"' in refused.headers["www-authenticate"]


async def test_fapi_5_3_2_1_4_code_without_proof_of_possession_gives_nothing(
    high: HighParty, visitor: Visitor
) -> None:
    code = await code_of(visitor, await high.pushed(request_fields()))
    fields = {**code_fields(code), **high.assertion()}
    answer = await high.http.post("/token", data=fields)
    assert error_of(answer) == (400, "invalid_request")


async def test_rfc9126_2_2_answer_is_a_name_for_a_short_time(high: HighParty) -> None:
    answer = await high.push(request_fields())
    assert answer.status_code == 201
    assert answer.headers["cache-control"] == "no-store"
    described = answer.json()
    assert described["request_uri"].startswith("urn:ietf:params:oauth:request_uri:")
    assert 0 < described["expires_in"] < 600


async def test_rfc9126_2_2_name_is_the_client_s_own_and_expires(
    high: HighParty, visitor: Visitor, museum: Party, clock: Clock
) -> None:
    place = await high.pushed(request_fields())
    await visitor.open(place.replace("client_id=library", f"client_id={museum.client_id}"))
    assert error_code(visitor) == "request_uri_invalid"
    clock.now += timedelta(seconds=91)
    await visitor.open(place)
    assert error_code(visitor) == "request_uri_invalid"


async def test_fapi_name_is_used_up_by_the_answer_and_not_by_a_visit(
    high: HighParty, visitor: Visitor
) -> None:
    place = await high.pushed(request_fields())
    await visitor.open(place)
    await visitor.open(place)
    await visitor.press("#allow")
    assert "code" in answer_in(visitor.left_for)
    await visitor.open(place)
    assert error_code(visitor) == "request_uri_invalid"


async def test_fapi_5_3_2_2_3_request_that_was_not_pushed_is_refused(high: HighParty) -> None:
    answer = await high.http.get(address())
    assert answer_in(answer.headers["location"])["error"] == "invalid_request"


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"code_challenge": None, "code_challenge_method": None}, "invalid_request"),
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"redirect_uri": None}, "invalid_request"),
        ({"redirect_uri": "https://evil.example"}, "invalid_request"),
        ({"response_type": "code id_token"}, "unsupported_response_type"),
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"request_uri": "urn:ietf:params:oauth:request_uri:x"}, "invalid_request"),
        ({"resource": "https://unknown.example"}, "invalid_target"),
        ({"dpop_jkt": "short"}, "invalid_request"),
    ],
    ids=str,
)
async def test_rfc9126_2_3_wrong_request_is_refused_at_once(
    high: HighParty, changes: Changes, error: str
) -> None:
    answer = await high.push({**request_fields(), **changes})
    assert error_of(answer) == (400, error)


@pytest.mark.parametrize("audience", [[ISSUER], f"{ISSUER}/par", f"{ISSUER}/token"], ids=str)
async def test_fapi_5_3_2_1_8_audience_is_the_issuer_as_a_string(
    high: HighParty, audience: object
) -> None:
    fields = {**request_fields(), **high.assertion({"aud": audience})}
    assert error_of(await high.push(fields)) == (400, "invalid_client")


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
async def test_rfc9126_2_1_post_is_the_only_method(high: HighParty, method: str) -> None:
    assert (await high.http.request(method, "/par")).status_code == 405


# --- RFC 9449 section 10.1: the key that pushes is the key that redeems ---


async def proven(high: HighParty, fields: Changes, prover: Prover | None = None) -> httpx2.Response:
    prover = prover or high.prover
    refused = await high.push(fields, prover.proof("/par"))
    assert error_of(refused) == (400, "use_dpop_nonce")
    prover.nonce = refused.headers["dpop-nonce"]
    return await high.push(fields, prover.proof("/par"))


async def test_rfc9449_10_1_proof_at_par_binds_the_code(
    high: HighParty, visitor: Visitor, clock: Clock
) -> None:
    for prover, expected in ((Prover(clock), 400), (high.prover, 200)):
        pushed = await proven(high, request_fields())
        high.prover.nonce = None
        code = await code_of(visitor, high.address(pushed.json()["request_uri"]))
        assert (await high.redeem(code, prover)).status_code == expected
        high.prover.nonce = None


async def test_rfc9449_10_1_proof_and_thumbprint_must_agree(high: HighParty, clock: Clock) -> None:
    other = {**request_fields(), "dpop_jkt": Prover(clock).thumbprint}
    assert error_of(await proven(high, other)) == (400, "invalid_dpop_proof")
    high.prover.nonce = None
    same = {**request_fields(), "dpop_jkt": high.prover.thumbprint}
    assert (await proven(high, same)).status_code == 201


# --- RFC 9101: request objects ---


async def test_rfc9101_6_3_nothing_from_outside_the_object_counts(
    high: HighParty, visitor: Visitor
) -> None:
    outside = {"state": "outside", "prompt": "none", "redirect_uri": "https://evil.example"}
    place = await high.pushed({**high.signed(), **outside})
    # Nor does anything from beside the request URI.
    await visitor.open(f"{place}&state=beside&prompt=none&redirect_uri=https%3A%2F%2Fevil.example")
    await visitor.press("#allow")
    assert answer_in(visitor.left_for)["state"] == "a-state"


async def test_rfc9101_6_3_state_outside_alone_is_not_used(
    high: HighParty, visitor: Visitor
) -> None:
    place = await high.pushed({**high.signed({"state": None}), "state": "outside"})
    await visitor.open(place)
    await visitor.press("#allow")
    assert "state" not in (visitor.left_for or "")


@pytest.mark.parametrize(
    "changes",
    [
        {"aud": "https://evil.example"},
        {"exp": None},
        {"nbf": None},
        {"iss": "museum"},
        {"client_id": "museum"},
        {"sub": "library"},
    ],
    ids=str,
)
async def test_rfc9101_6_2_wrong_object_is_refused(high: HighParty, changes: Changes) -> None:
    answer = await high.push(high.signed(changes))
    assert error_of(answer) == (400, "invalid_request_object")


async def test_rfc9101_10_2_object_of_another_key_is_refused(high: HighParty) -> None:
    stranger = HighParty(high.http, high.clock, high.prover)
    answer = await high.push(stranger.signed())
    assert error_of(answer) == (400, "invalid_request_object")


async def test_rfc9101_client_that_must_sign_is_held_to_it(
    runtime: Runtime, high: HighParty
) -> None:
    await register(
        runtime,
        profile="high",
        client_secret=None,
        token_endpoint_auth_method="private_key_jwt",
        jwks={"keys": [high.key.as_dict(private=False)]},
        require_signed_request_object=True,
    )
    assert error_of(await high.push(request_fields())) == (400, "invalid_request")
    assert (await high.push(high.signed())).status_code == 201


# --- races ---


@pytest.mark.slow
async def test_rfc9126_of_many_answers_by_one_name_one_gives_a_code(
    high: HighParty, visitor: Visitor
) -> None:
    await code_of(visitor, await high.pushed(request_fields()))
    for _ in range(3):
        place = await high.pushed(request_fields())
        answers = await asyncio.gather(*(high.http.get(place) for _ in range(CLICKS)))
        given = [each for each in answers if "code=" in each.headers.get("location", "")]
        assert len(given) == 1
        assert all(each.status_code < 500 for each in answers)


# --- the profile ---


@pytest.mark.parametrize(
    "changes",
    [
        {"token_endpoint_auth_method": "client_secret_basic", "jwks": None},
        {"token_endpoint_auth_method": "none", "jwks": None, "client_secret": None},
        {"require_pkce": False},
        {"token_endpoint_auth_signing_alg": "RS256"},
        {"id_token_signed_response_alg": "RS256"},
        {"authorization_signed_response_alg": "RS256"},
    ],
    ids=str,
)
async def test_fapi_profile_is_whole_or_refused(
    runtime: Runtime, high: HighParty, changes: Changes
) -> None:
    whole = {
        "profile": "high",
        "client_secret": None,
        "token_endpoint_auth_method": "private_key_jwt",
        "jwks": {"keys": [high.key.as_dict(private=False)]},
    }
    with pytest.raises(RegistrationError):
        await register(runtime, **{**whole, **changes})
