"""RFC 9101 and FAPI 2.0 Message Signing section 5.3.1: which request objects are believed."""

import base64
import hmac
import json
from dataclasses import replace
from typing import Any

import pytest
from authlib.oauth2 import OAuth2Error
from joserfc.jwk import ECKey, RSAKey

from citizen_account.domain.clients import Client, ClientProfile
from citizen_account.openid.request_object import read_request_object
from tests.authorization_facts import FIELDS, ISSUER, LIBRARY, START
from tests.proofs import encode

EC = ECKey.generate_key("P-256")
RSA = RSAKey.generate_key(2048)
STRANGER = ECKey.generate_key("P-256")
JWKS = {"keys": [{**EC.as_dict(private=False), "kid": "1"}, RSA.as_dict(private=False)]}
SIGNING = replace(LIBRARY, jwks=JWKS)
HIGH = replace(SIGNING, profile=ClientProfile.HIGH)
NOW = int(START.timestamp())


def an_object(
    header: dict[str, Any] | None = None,
    key: ECKey | RSAKey = EC,
    **changes: Any,  # noqa: ANN401  # any claim
) -> str:
    claims = {
        **FIELDS,
        "iss": "library",
        "aud": ISSUER,
        "nbf": NOW,
        "exp": NOW + 300,
        "jti": "1",
        **changes,
    }
    given = {name: value for name, value in claims.items() if value is not None}
    return encode({"alg": "ES256", **(header or {})}, given, key)


def read(token: str, client: Client = HIGH, *more: tuple[str, str]) -> dict[str, str]:
    return dict(read_request_object([("request", token), *more], client, ISSUER, now=START))


def refusal(token: str, client: Client = HIGH, *more: tuple[str, str]) -> str:
    with pytest.raises(OAuth2Error) as caught:
        read(token, client, *more)
    return str(caught.value.error)


def unsigned(alg: str) -> str:
    header = base64.urlsafe_b64encode(json.dumps({"alg": alg}).encode()).rstrip(b"=").decode()
    return f"{header}.{an_object().split('.')[1]}."


def by_public_key() -> str:
    """Return an object with an HMAC by the client's public key in PEM."""
    header, payload, _ = an_object().split(".")
    header = base64.urlsafe_b64encode(b'{"alg":"HS256"}').rstrip(b"=").decode()
    mac = hmac.new(EC.as_pem(private=False), f"{header}.{payload}".encode(), "sha256").digest()
    return f"{header}.{payload}.{base64.urlsafe_b64encode(mac).rstrip(b'=').decode()}"


def test_6_3_parameters_are_those_of_the_object_alone() -> None:
    outside = (("state", "outside"), ("prompt", "none"), ("redirect_uri", "https://evil.example"))
    assert read(an_object(), HIGH, *outside) == dict(FIELDS)


def test_4_numbers_and_json_arrive_as_parameters() -> None:
    asked = {"userinfo": {"name": {"essential": True}}}
    found = read(an_object(max_age=60, claims=asked))
    assert found["max_age"] == "60"
    assert json.loads(found["claims"]) == asked


def test_rfc8707_2_resources_may_be_many() -> None:
    token = an_object(resource=["https://a.example", "https://b.example"])
    found = read_request_object([("request", token)], HIGH, ISSUER, now=START)
    assert [value for name, value in found if name == "resource"] == [
        "https://a.example",
        "https://b.example",
    ]


@pytest.mark.parametrize(
    "changes",
    [
        {"aud": [ISSUER, "https://other.example"]},
        {"nbf": NOW + 8},
        {"nbf": NOW - 3590, "exp": NOW + 5},
        {"jti": None},
        {"client_id": None},
    ],
    ids=str,
)
def test_object_that_keeps_the_rules_is_believed(changes: dict[str, Any]) -> None:
    assert read(an_object(**changes))["redirect_uri"] == FIELDS["redirect_uri"]


@pytest.mark.parametrize(
    "changes",
    [
        {"exp": None},
        {"nbf": None},
        {"exp": NOW - 11},
        {"exp": NOW + 3601},
        {"nbf": NOW + 61},
        {"nbf": NOW - 3661, "exp": NOW - 61},
        {"nbf": True},
        {"aud": "https://evil.example"},
        {"aud": [f"{ISSUER}/par"]},
        {"aud": None},
        {"iss": "museum"},
        {"iss": None},
        {"client_id": "museum"},
        {"request": "another"},
        {"request_uri": "https://evil.example"},
        {"scope": True},
        {"scope": [1]},
    ],
    ids=str,
)
def test_object_that_breaks_a_rule_is_refused(changes: dict[str, Any]) -> None:
    assert refusal(an_object(**changes)) == "invalid_request_object"


def test_10_8_client_assertion_does_not_pass_as_a_request() -> None:
    assert refusal(an_object(sub="library")) == "invalid_request_object"


@pytest.mark.parametrize("typ", ["dpop+jwt", "at+jwt", "logout+jwt"])
def test_10_8_jwt_of_another_kind_does_not_pass(typ: str) -> None:
    assert refusal(an_object({"typ": typ})) == "invalid_request_object"


def test_key_of_another_client_does_not_sign() -> None:
    assert refusal(an_object(key=STRANGER)) == "invalid_request_object"


def test_rfc8725_2_1_algorithm_is_never_the_attacker_s_choice() -> None:
    # The public key as a secret: what RFC 8725 section 2.1 warns of.
    assert refusal(by_public_key()) == "invalid_request_object"
    assert refusal(unsigned("none")) == "invalid_request_object"
    assert refusal(unsigned("ES256")) == "invalid_request_object"


@pytest.mark.parametrize("member", ["jwk", "jku", "x5u"])
def test_rfc8725_3_10_keys_in_the_header_are_never_looked_at(member: str) -> None:
    value = STRANGER.as_dict(private=False) if member == "jwk" else "https://evil.example/jwks"
    assert refusal(an_object({member: value}, key=STRANGER)) == "invalid_request_object"


@pytest.mark.parametrize("kid", ["2", "../../etc/passwd", "' OR 1=1 --", ""])
def test_rfc8725_3_10_kid_only_chooses_among_the_client_s_keys(kid: str) -> None:
    assert refusal(an_object({"kid": kid}, key=STRANGER)) == "invalid_request_object"


def test_fapi_5_4_1_rs256_is_not_for_the_profile_high() -> None:
    token = an_object({"alg": "RS256"}, key=RSA)
    assert refusal(token) == "invalid_request_object"
    assert read(token, SIGNING)["state"] == FIELDS["state"]
    assert read(an_object({"alg": "PS256"}, key=RSA))["state"] == FIELDS["state"]


def test_registered_algorithm_is_the_only_one() -> None:
    client = replace(HIGH, metadata={"request_object_signing_alg": "PS256"})
    assert refusal(an_object(), client) == "invalid_request_object"


def test_10_5_client_that_must_sign_is_held_to_it() -> None:
    client = replace(HIGH, metadata={"require_signed_request_object": True})
    with pytest.raises(OAuth2Error) as caught:
        read_request_object(list(FIELDS.items()), client, ISSUER, now=START)
    assert caught.value.error == "invalid_request"


def test_other_client_id_beside_the_object_is_refused() -> None:
    assert refusal(an_object(), HIGH, ("client_id", "museum")) == "invalid_request"
