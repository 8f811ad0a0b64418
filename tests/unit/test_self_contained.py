"""RFC 9068 section 4: what of all that strangers bring is read as a client's own token."""

import base64
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from joserfc import jws
from joserfc.jwk import ECKey, OctKey

from citizen_account.domain.grants import TokenKind
from citizen_account.domain.keys import (
    LONGEST_TOKEN,
    PUBLISH_LEAD,
    RETIREMENT,
    KeyUse,
    StoredKey,
)
from citizen_account.openid.provider import Provider
from citizen_account.openid.self_contained import has_ended_with, read_self_contained
from citizen_account.security.signing import BadTokenError, build_ring, generate_key, verify
from citizen_account.security.tokens import digest
from tests.factories import ISSUER, START
from tests.resource_servers import PARKING
from tests.services import LIBRARY, provider

NOW = int(START.timestamp())
CLAIMS: Mapping[str, object] = {
    "iss": ISSUER,
    "aud": PARKING,
    "sub": "library",
    "client_id": "library",
    "iat": NOW,
    "exp": NOW + 600,
    "jti": str(UUID(int=7)),
    "scope": "parking.read",
}


def signed(typ: str = "at+jwt", algorithm: str = "ES256", **changes: Any) -> str:  # noqa: ANN401  # claims of each type
    """Return a token that our own key signs; a change to None leaves a claim out."""
    changed = {**CLAIMS, **changes}
    claims = {name: value for name, value in changed.items() if value is not None}
    return provider().keys.signer(KeyUse.ACCESS, algorithm).sign(claims, typ)


def part(value: object) -> str:
    text = value if isinstance(value, str) else json.dumps(value)
    return base64.urlsafe_b64encode(text.encode()).rstrip(b"=").decode()


@pytest.mark.parametrize("algorithm", ["RS256", "PS256", "ES256", "EdDSA"])
def test_token_says_what_a_row_would(algorithm: str) -> None:
    text = signed(algorithm=algorithm)
    presented = read_self_contained(provider(), text)
    assert presented is not None
    token, grant = presented.token, presented.grant
    assert (grant.id, grant.client_id, grant.account_id) == (UUID(int=7), "library", None)
    assert (token.digest, token.grant_id, token.kind) == (digest(text), grant.id, TokenKind.ACCESS)
    assert (token.scope, token.resource, token.confirmation) == ("parking.read", PARKING, None)
    assert (token.issued_at, token.expires_at) == (START, START + timedelta(minutes=10))
    assert presented.is_alive(START)
    assert not presented.is_alive(START + timedelta(minutes=10))


@pytest.mark.parametrize("cnf", [{"jkt": "x" * 43}, {"x5t#S256": "y" * 43, "jkt": "x" * 43}])
def test_rfc7800_3_bound_token_stays_bound(cnf: dict[str, str]) -> None:
    presented = read_self_contained(provider(), signed(cnf=cnf))
    assert presented is not None
    assert presented.token.confirmation == cnf


@pytest.mark.parametrize("typ", ["JWT", "logout+jwt", "token-introspection+jwt", "AT+JWT", ""])
def test_rfc8725_3_11_other_kind_of_token_is_no_access_token(typ: str) -> None:
    """ID tokens, logout tokens and answers are signed by the same keys."""
    assert read_self_contained(provider(), signed(typ)) is None


@pytest.mark.parametrize(
    "change",
    [
        {"iss": "https://elsewhere.example"},
        {"iss": None},
        {"iss": [ISSUER]},
        {"aud": None},
        {"aud": [PARKING]},
        {"sub": None},
        {"sub": "6dXKGLXzUTzxGxGn0WR3SAzi3PZ2VJLuuI4Ysj4Yx0M"},
        {"client_id": None},
        {"client_id": "museum"},
        {"sub": ["library"], "client_id": ["library"]},
        {"iat": None},
        {"iat": str(NOW)},
        {"iat": NOW + 0.5},
        {"exp": None},
        {"exp": "never"},
        {"exp": 10**30},
        {"iat": -(10**15)},
        {"jti": None},
        {"jti": "6dXKGLXzUTzxGxGn0WR3SAzi3PZ2VJLuuI4Ysj4Yx0M"},
        {"jti": 7},
        {"scope": None},
        {"scope": ["parking.read"]},
        {"cnf": []},
        {"cnf": {}},
        {"cnf": "jkt"},
        {"cnf": {"jkt": {"nested": True}}},
    ],
    ids=str,
)
def test_rfc9068_2_2_claim_that_is_wrong_or_missing_makes_it_nothing(
    change: dict[str, Any],  # Any: claims of each type
) -> None:
    assert read_self_contained(provider(), signed(**change)) is None


def test_rfc7515_5_2_payload_that_nobody_signed_is_nothing() -> None:
    header, payload, signature = signed().split(".")
    wider = part(dict(CLAIMS) | {"scope": "parking.read parking.write"})
    for forged in (
        f"{header}.{wider}.{signature}",
        f"{header}.{payload}.",
        f"{header}.{payload}.{signature[:-4]}AAAA",
        f"{header}.{payload}.{signature}.{signature}",
        f"{header}.{payload}",
    ):
        assert read_self_contained(provider(), forged) is None


def test_rfc8725_3_1_algorithm_is_that_of_the_key() -> None:
    ours = provider().keys.signer(KeyUse.ACCESS, "ES256")
    header = {"typ": "at+jwt", "kid": ours.kid}
    payload = json.dumps(dict(CLAIMS)).encode()
    public = OctKey.import_key(json.dumps(ours.public_jwk()).encode())
    for unsigned in (
        f"{part(header | {'alg': 'none'})}.{part(dict(CLAIMS))}.",
        jws.serialize_compact(header | {"alg": "HS256"}, payload, public),
        f"{part(header | {'alg': 'RS256'})}.{signed().partition('.')[2]}",
    ):
        assert read_self_contained(provider(), unsigned) is None


def test_rfc7515_4_1_4_foreign_key_signs_nothing_of_ours() -> None:
    foreign = ECKey.generate_key("P-256")
    payload = json.dumps(dict(CLAIMS)).encode()
    header = {"typ": "at+jwt", "alg": "ES256"}
    for named in (
        {"kid": provider().keys.signer(KeyUse.ACCESS, "ES256").kid},
        {"kid": "stranger"},
        {"jwk": foreign.as_dict(private=False)},
        {},
    ):
        forged = jws.serialize_compact({**header, **named}, payload, foreign)
        assert read_self_contained(provider(), forged) is None


@pytest.mark.parametrize("kid", [[], {}, 7, "", ["a"]], ids=str)
def test_rfc7515_4_1_4_key_id_of_any_shape_is_only_unknown(kid: object) -> None:
    header = part({"typ": "at+jwt", "alg": "ES256", "kid": kid})
    text = f"{header}.{signed().partition('.')[2]}"
    assert read_self_contained(provider(), text) is None
    with pytest.raises(BadTokenError):
        verify(text, provider().keys.published[KeyUse.ACCESS])


@pytest.mark.parametrize(
    "text",
    [
        "",
        "..",
        "a.b.c",
        "é.é.é",
        f"{part('[' * 5000)}.{part('{}')}.",
        f"{part('[]')}.{part('{}')}.",
        f"{part({'typ': 'at+jwt', 'alg': ['ES256']})}.{part('[' * 5000)}.",
        f"{part({'typ': 'at+jwt', 'alg': 'ES256'})}.{part('[' * 5000)}.AAAA",
        f"{part({'typ': 'at+jwt', 'alg': 'ES256', 'crit': ['b64'], 'b64': False})}.e30.AAAA",
        f"{part({'typ': 'at+jwt', 'alg': 'ES256'})}.{'A' * 20_000}.AAAA",
        "." * 20_000,
    ],
    ids=lambda text: text[:12],
)
def test_rfc8725_2_what_strangers_bring_is_nothing_and_never_an_error(text: str) -> None:
    assert read_self_contained(provider(), text) is None


@pytest.mark.parametrize("use", [KeyUse.IDENTITY, KeyUse.ANSWER])
def test_key_of_another_use_makes_no_access_token(use: KeyUse) -> None:
    text = provider().keys.signer(use, "ES256").sign(CLAIMS, "at+jwt")
    assert read_self_contained(provider(), text) is None


def test_key_that_retired_proves_what_lives_on_and_a_revoked_one_nothing() -> None:
    """A token for an API may live for an hour: as long its key is published behind the next one."""
    first, second = _es256_key(1), _es256_key(2)
    text = _with([first], START).keys.signer(KeyUse.ACCESS, "ES256").sign(CLAIMS, "at+jwt")
    later = START + LONGEST_TOKEN
    assert read_self_contained(_with([first, second], later), text) is not None
    assert read_self_contained(_with([second], later), text) is None
    gone = _with([first, second], START + PUBLISH_LEAD + RETIREMENT)
    assert read_self_contained(gone, text) is None


def test_what_ended_at_a_client_leaves_nothing_of_that_second() -> None:
    presented = read_self_contained(provider(), signed())
    assert presented is not None
    moment = timedelta(milliseconds=1)
    with_row = replace(presented, is_self_contained=False)
    # What has a row knows its instant to the microsecond.
    for ended_at, is_ended, has_row_ended in (
        (None, False, False),
        (START - moment, False, False),
        (START, True, False),
        (START + timedelta(seconds=1) - moment, True, True),
    ):
        owner = replace(LIBRARY, grants_ended_at=ended_at)
        assert has_ended_with(owner, presented) is is_ended
        assert has_ended_with(owner, with_row) is has_row_ended
        assert has_ended_with(replace(owner, is_disabled=True), with_row)


def _es256_key(generation: int) -> StoredKey:
    kid, private_key = generate_key("ES256")
    return StoredKey(kid, KeyUse.ACCESS, "ES256", generation, private_key, START, START)


def _with(keys: Sequence[StoredKey], now: datetime) -> Provider:
    return replace(provider(), keys=build_ring(keys, now))
