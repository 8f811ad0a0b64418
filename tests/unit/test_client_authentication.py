"""How a client's word and proof are read and judged, without a database."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from urllib.parse import quote

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, Key, OKPKey, RSAKey
from joserfc.jws import JWSRegistry

from citizen_account.domain.clients import AuthenticationMethod, Client, ClientId, ClientProfile
from citizen_account.openid.client_authentication import (
    ASSERTION_TYPE,
    AssertionProof,
    Authenticated,
    Credentials,
    NoProof,
    SecretProof,
    authenticate,
)
from citizen_account.openid.requests import read_presented_request, read_token_request
from citizen_account.openid.responses import Refused
from citizen_account.security.tokens import digest
from tests.factories import ISSUER, START
from tests.relying_party import basic_header
from tests.services import LIBRARY, LIBRARY_ID, SECRET, provider

NOW = START.timestamp()
UNCHANGED: Mapping[str, object] = {}
RSA, EC, ED = RSAKey.generate_key(2048), ECKey.generate_key("P-256"), OKPKey.generate_key("Ed25519")
KEYS: dict[str, Key] = {"RS256": RSA, "PS256": RSA, "ES256": EC, "EdDSA": ED}
JWKS = {
    "keys": [
        {**key.as_dict(private=False), "kid": kid}
        for kid, key in (("rsa", RSA), ("ec", EC), ("ed", ED))
    ]
}
SIGNER = replace(
    LIBRARY,
    authentication_method=AuthenticationMethod.PRIVATE_KEY_JWT,
    secret_digest=None,
    jwks=JWKS,
)
POSTER = replace(LIBRARY, authentication_method=AuthenticationMethod.POST)
PUBLIC = replace(LIBRARY, authentication_method=AuthenticationMethod.NONE, secret_digest=None)
BY_HEADER = SecretProof(LIBRARY_ID, SECRET, AuthenticationMethod.BASIC)
BY_FORM = SecretProof(LIBRARY_ID, SECRET, AuthenticationMethod.POST)
FORM = {"grant_type": "client_credentials"}


def asked(authorization: str | None = None, **fields: str) -> Credentials | str:
    """Return who is said to ask, or the error's name."""
    read = read_token_request(authorization, list({**FORM, **fields}.items()))
    return str(read.error.error) if isinstance(read, Refused) else read.credentials


def test_the_three_ways_to_name_oneself_are_read() -> None:
    assert asked(basic_header("library", SECRET)) == BY_HEADER
    assert asked(client_id="library", client_secret=SECRET) == BY_FORM
    assert asked(client_id="library") == NoProof(LIBRARY_ID)


def test_both_halves_of_the_header_are_decoded() -> None:
    # RFC 6749 section 2.3.1.
    read = asked(basic_header("a:b", "c:d/é"))
    assert read == SecretProof(ClientId("a:b"), "c:d/é", AuthenticationMethod.BASIC)


@pytest.mark.parametrize(
    ("authorization", "fields", "error"),
    [
        (None, {}, "invalid_request"),
        (None, {"client_id": "library\x00"}, "invalid_request"),
        (None, {"client_id": "ľudmila"}, "invalid_client"),
        (None, {"client_id": "x" * 256}, "invalid_client"),
        (None, {"client_id": "library", "client_secret": "\ud800"}, "invalid_request"),
        (basic_header("library", SECRET), {"client_secret": SECRET}, "invalid_request"),
        (basic_header("library", SECRET), {"client_assertion": "a.b.c"}, "invalid_request"),
        (basic_header("library", SECRET), {"client_id": "museum"}, "invalid_request"),
        ("Basic", {}, "invalid_client"),
        ("Basic  ", {}, "invalid_client"),
        ("Basic %%%", {}, "invalid_client"),
        ("Basic /w==", {}, "invalid_client"),
        ("Bearer token", {}, "invalid_client"),
        (None, {"client_assertion": "a.b.c"}, "invalid_request"),
        (None, {"client_assertion_type": ASSERTION_TYPE}, "invalid_request"),
        (
            None,
            {"client_assertion_type": ASSERTION_TYPE, "client_assertion": "a.b.c"},
            "invalid_client",
        ),
    ],
)
def test_malformed_credentials_are_refused(
    authorization: str | None, fields: dict[str, str], error: str
) -> None:
    assert asked(authorization, **fields) == error


def test_repeated_parameter_is_refused_at_every_endpoint() -> None:
    twice = [("token", "a"), ("token", "a"), ("client_id", "library")]
    read = read_presented_request(None, twice)
    assert isinstance(read, Refused)
    assert read.error.error == "invalid_request"


def is_let_in(client: Client | None, credentials: Credentials) -> bool:
    outcome = authenticate(client, credentials, provider(), now=START)
    if isinstance(outcome, Refused):
        assert outcome.error.error == "invalid_client"
    return isinstance(outcome, Authenticated)


@pytest.mark.parametrize(
    ("client", "credentials"),
    [(LIBRARY, BY_HEADER), (POSTER, BY_FORM), (PUBLIC, NoProof(LIBRARY_ID))],
)
def test_right_proof_is_accepted(client: Client, credentials: Credentials) -> None:
    assert is_let_in(client, credentials)


@pytest.mark.parametrize(
    ("client", "credentials"),
    [
        (None, BY_HEADER),
        (replace(LIBRARY, is_disabled=True), BY_HEADER),
        (replace(LIBRARY, secret_digest=digest("another")), BY_HEADER),
        (replace(LIBRARY, secret_digest=None), BY_HEADER),
        (POSTER, BY_HEADER),
        (LIBRARY, BY_FORM),
        (LIBRARY, NoProof(LIBRARY_ID)),
        (PUBLIC, BY_FORM),
        (SIGNER, BY_HEADER),
    ],
    ids=[
        "stranger",
        "disabled",
        "wrong secret",
        "no secret",
        "header for form",
        "form for header",
        "no proof",
        "public with a secret",
        "secret for a key",
    ],
)
def test_wrong_proof_is_refused(client: Client | None, credentials: Credentials) -> None:
    assert not is_let_in(client, credentials)


def assertion(
    algorithm: str = "ES256", changes: Mapping[str, object] = UNCHANGED, key: Key | None = None
) -> str:
    """Return a client assertion of RFC 7523; a change to None leaves a claim out."""
    claims: dict[str, object] = {
        "iss": "library",
        "sub": "library",
        "aud": ISSUER,
        "iat": NOW,
        "exp": NOW + 60,
        "jti": "1",
        **changes,
    }
    present = {name: value for name, value in claims.items() if value is not None}
    registry = JWSRegistry(algorithms=[algorithm])
    return jwt.encode({"alg": algorithm}, present, key or KEYS[algorithm], registry=registry)


def is_signer(token: str, client: Client = SIGNER) -> bool:
    return is_let_in(client, AssertionProof(LIBRARY_ID, token))


@pytest.mark.filterwarnings("ignore:EdDSA is deprecated")
@pytest.mark.parametrize("algorithm", KEYS)
def test_assertion_of_each_algorithm_is_accepted(algorithm: str) -> None:
    assert is_signer(assertion(algorithm))


@pytest.mark.parametrize(
    "changes",
    [
        {"aud": f"{ISSUER}/token"},
        {"aud": [ISSUER]},
        {"aud": [ISSUER, f"{ISSUER}/token"]},
        {"iat": NOW + 9, "nbf": NOW + 9},
        {"iat": None},
        {"exp": NOW - 9},
        {"exp": NOW + 3600},
    ],
)
def test_assertion_within_the_rules_is_accepted(changes: dict[str, object]) -> None:
    assert is_signer(assertion("ES256", changes))


@pytest.mark.parametrize(
    "changes",
    [
        {"iss": "museum"},
        {"sub": "museum"},
        {"sub": None},
        {"aud": None},
        {"aud": []},
        {"aud": "https://other.example"},
        {"aud": [ISSUER, "https://other.example"]},
        {"aud": f"{ISSUER}/par"},
        {"exp": None},
        {"exp": "soon"},
        {"exp": True},
        {"exp": NOW - 11},
        {"exp": NOW + 3700},
        {"iat": NOW + 60},
        {"nbf": NOW + 60},
        {"jti": None},
        {"jti": ""},
        {"jti": 1},
        {"jti": "x" * 256},
    ],
)
def test_assertion_outside_the_rules_is_refused(changes: dict[str, object]) -> None:
    assert not is_signer(assertion("ES256", changes))


def header_key() -> str:
    key = ECKey.generate_key("P-256")
    header = {"alg": "ES256", "jwk": key.as_dict(private=False), "jku": "https://thief.example"}
    claims = {"iss": "library", "sub": "library", "aud": ISSUER, "exp": NOW + 60, "jti": "1"}
    return jwt.encode(header, claims, key)


ATTACKS: dict[str, Callable[[], str]] = {
    "another key": lambda: assertion(key=ECKey.generate_key("P-256")),
    "a key of its own in the header": header_key,
    "altered": lambda: assertion()[:-6] + "AAAAAA",
    "no signature": lambda: assertion().rpartition(".")[0] + ".",
    "nested": lambda: assertion() + ".AAAA",
    "oversized": lambda: assertion() + "A" * 20_000,
}


@pytest.mark.parametrize("attack", ATTACKS.values(), ids=ATTACKS)
def test_forged_assertion_is_refused(attack: Callable[[], str]) -> None:
    assert not is_signer(attack())


def test_key_is_used_for_its_own_algorithm_only() -> None:
    keys = [{**RSA.as_dict(private=False), "alg": "PS256"}]
    assert is_signer(assertion("PS256"), replace(SIGNER, jwks={"keys": keys}))
    assert not is_signer(assertion("RS256"), replace(SIGNER, jwks={"keys": keys}))


@pytest.mark.parametrize("member", [{"use": "enc"}, {"kty": "oct", "k": "AAAA"}, {"n": "AQAB"}])
def test_unfit_key_is_not_used(member: dict[str, str]) -> None:
    keys = [{**RSA.as_dict(private=False), **member}]
    assert not is_signer(assertion("RS256"), replace(SIGNER, jwks={"keys": keys}))


def test_registered_algorithm_is_the_only_one() -> None:
    client = replace(SIGNER, metadata={"token_endpoint_auth_signing_alg": "ES256"})
    assert is_signer(assertion("ES256"), client)
    assert not is_signer(assertion("PS256"), client)


@pytest.mark.parametrize(
    ("algorithm", "changes", "is_accepted"),
    [
        ("ES256", UNCHANGED, True),
        ("RS256", UNCHANGED, False),
        ("ES256", {"aud": [ISSUER]}, False),
        ("ES256", {"aud": f"{ISSUER}/token"}, False),
        ("ES256", {"exp": NOW + 3600}, False),
    ],
)
def test_high_client_is_held_to_fapi(
    algorithm: str,
    changes: Mapping[str, object],
    is_accepted: bool,  # noqa: FBT001  # a column of the table
) -> None:
    client = replace(SIGNER, profile=ClientProfile.HIGH)
    assert is_signer(assertion(algorithm, changes), client) is is_accepted


def test_assertion_is_remembered_until_it_cannot_come_again() -> None:
    outcome = authenticate(SIGNER, AssertionProof(LIBRARY_ID, assertion()), provider(), now=START)
    assert isinstance(outcome, Authenticated)
    assert outcome.assertion is not None
    assert outcome.assertion.expires_at >= START + timedelta(seconds=70)


def test_secret_with_every_visible_character_survives_the_header() -> None:
    secret = "".join(map(chr, range(0x21, 0x7F)))
    client = replace(LIBRARY, secret_digest=digest(secret))
    read = asked(basic_header(quote("library"), secret))
    assert not isinstance(read, str)
    assert is_let_in(client, read)
