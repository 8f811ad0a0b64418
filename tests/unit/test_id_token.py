"""What an ID token says, and what is believed of one that comes back."""

import base64
import hashlib
import json
from dataclasses import replace
from uuid import UUID

import pytest
from joserfc import jwt
from joserfc.jwk import KeySet, RSAKey

from citizen_account.domain.accounts import AccountId, Level
from citizen_account.domain.clients import Client, ClientId, SubjectType
from citizen_account.domain.grants import Grant
from citizen_account.domain.keys import KeyUse
from citizen_account.openid.id_token import Hint, SignInFacts, make_id_token, read_hint
from citizen_account.openid.subjects import subject_of
from tests.factories import ISSUER, START
from tests.services import GRANT, LIBRARY, provider

FACTS = SignInFacts(LIBRARY, GRANT, "access token", {}, nonce=GRANT.nonce)
NOW = int(START.timestamp())


def claims_of(facts: SignInFacts) -> dict[str, object]:
    """Verify as a client would: with the published key set, and nothing of ours."""
    token = make_id_token(provider(), facts, now=START)
    published = KeySet.import_key_set(json.loads(provider().keys.jwks))
    algorithms = [facts.client.id_token_algorithm]
    return dict(jwt.decode(token, published, algorithms=algorithms).claims)


def test_token_says_who_signed_in_when_and_how() -> None:
    claims = claims_of(FACTS)
    assert claims == {
        "iss": ISSUER,
        "aud": "library",
        "sub": claims["sub"],
        "iat": NOW,
        "exp": NOW + 600,
        "auth_time": NOW,
        "nonce": "n-0S6_WzA2Mj",
        "acr": "http://eidas.europa.eu/LoA/low",
        "amr": ["pwd"],
        "sid": claims["sid"],
        "at_hash": claims["at_hash"],
    }


def test_at_hash_is_the_left_half_of_the_digest() -> None:
    # OIDC Core section 3.1.3.6.
    half = hashlib.sha256(b"access token").digest()[:16]
    assert claims_of(FACTS)["at_hash"] == base64.urlsafe_b64encode(half).rstrip(b"=").decode()


def test_client_that_asks_gets_es256() -> None:
    client = replace(LIBRARY, id_token_algorithm="ES256")
    assert claims_of(replace(FACTS, client=client))["aud"] == "library"


def test_only_claims_that_were_asked_for_here_are_in_it() -> None:
    assert "email" not in claims_of(FACTS)
    asked = replace(FACTS, asked={"email": "jana@example.sk"})
    assert claims_of(asked)["email"] == "jana@example.sk"


def test_asked_claims_never_replace_the_tokens_own() -> None:
    assert claims_of(replace(FACTS, asked={"iss": "https://thief.example"}))["iss"] == ISSUER


def test_nonce_is_absent_when_there_was_none() -> None:
    assert "nonce" not in claims_of(replace(FACTS, nonce=None))


@pytest.mark.parametrize("level", list(Level))
def test_acr_is_the_address_of_the_level(level: Level) -> None:
    grant: Grant = replace(GRANT, level=level)
    expected = f"http://eidas.europa.eu/LoA/{level.value}"
    assert claims_of(replace(FACTS, grant=grant))["acr"] == expected


def test_subject_is_32_hex_digits_and_differs_between_sectors() -> None:
    museum = replace(LIBRARY, sector="museum.example")
    subjects = {str(claims_of(replace(FACTS, client=each))["sub"]) for each in (LIBRARY, museum)}
    assert len(subjects) == 2
    assert all(len(subject) == 32 and int(subject, 16) >= 0 for subject in subjects)


def test_subject_is_shared_within_a_sector_but_sid_is_not() -> None:
    reading_room = replace(LIBRARY, id=ClientId("reading-room"))
    first, second = claims_of(FACTS), claims_of(replace(FACTS, client=reading_room))
    assert first["sub"] == second["sub"]
    assert first["sid"] != second["sid"]


@pytest.mark.parametrize(
    "registered",
    [
        {"post_logout_redirect_uris": ("https://library.example/out",)},
        {"backchannel_logout_uri": "https://library.example/back"},
        {"metadata": {"frontchannel_logout_uri": "https://library.example/front"}},
    ],
)
def test_session_is_named_to_clients_that_take_part_in_logout(
    registered: dict[str, object],
) -> None:
    nothing = replace(
        LIBRARY, post_logout_redirect_uris=(), backchannel_logout_uri=None, metadata={}
    )
    assert "sid" not in claims_of(replace(FACTS, client=nothing))
    client: Client = replace(nothing, **registered)  # type: ignore[arg-type]  # fields of each type
    assert "sid" in claims_of(replace(FACTS, client=client))


@pytest.mark.parametrize("subject_type", list(SubjectType))
def test_two_residents_never_share_a_subject(subject_type: SubjectType) -> None:
    client: Client = replace(LIBRARY, subject_type=subject_type)
    residents = [AccountId(UUID(int=number)) for number in range(50)]
    subjects = {subject_of(resident, client, b"key") for resident in residents}
    assert len(subjects) == len(residents)


def test_public_subject_is_one_for_all_sectors() -> None:
    both = [
        replace(LIBRARY, subject_type=SubjectType.PUBLIC, sector=sector)
        for sector in ("library.example", "museum.example")
    ]
    resident = AccountId(UUID(int=1))
    assert len({subject_of(resident, client, b"key") for client in both}) == 1


def hint_of(token: str) -> Hint | None:
    return read_hint(token, provider().keys, ISSUER)


def test_hint_is_read_however_old() -> None:
    hint = hint_of(make_id_token(provider(), FACTS, now=START.replace(year=2020)))
    assert hint is not None
    assert (hint.client_id, hint.authenticated_at) == ("library", NOW)
    assert hint.subject == claims_of(FACTS)["sub"]
    assert hint.session == claims_of(FACTS)["sid"]


def test_hint_of_another_issuer_is_not_believed() -> None:
    token = make_id_token(provider(), FACTS, now=START)
    assert read_hint(token, provider().keys, "https://other.example") is None


def forged(header: dict[str, object], claims: dict[str, object]) -> str:
    parts = [json.dumps(part).encode() for part in (header, claims)]
    return ".".join(base64.urlsafe_b64encode(part).rstrip(b"=").decode() for part in parts) + "."


CLAIMS: dict[str, object] = {"iss": ISSUER, "sub": "a", "aud": "library"}


def foreign_key_token() -> str:
    key = RSAKey.generate_key(2048)
    header = {"alg": "RS256", "typ": "JWT", "jwk": key.as_dict(private=False)}
    return jwt.encode(header, dict(CLAIMS), key)


@pytest.mark.parametrize(
    "token",
    [
        "",
        "a.b.c",
        "é.é.é",
        forged({"alg": "none", "typ": "JWT"}, CLAIMS),
        forged({"alg": "HS256", "typ": "JWT"}, CLAIMS) + "AAAA",
        make_id_token(provider(), FACTS, now=START)[:-8] + "AAAAAAAA",
        provider().keys.signer(KeyUse.IDENTITY, "RS256").sign(CLAIMS, "logout+jwt"),
        provider().keys.signer(KeyUse.IDENTITY, "RS256").sign(dict(CLAIMS) | {"sub": 1}),
        provider().keys.signer(KeyUse.ANSWER, "RS256").sign(CLAIMS),
        provider().keys.signer(KeyUse.ACCESS, "RS256").sign(CLAIMS),
        foreign_key_token(),
        "e30." + "A" * 20_000 + ".AAAA",
    ],
    ids=[
        "empty",
        "no JSON",
        "no ASCII",
        "alg none",
        "HMAC",
        "altered",
        "a logout token",
        "a number as subject",
        "signed as an answer",
        "signed as an access token",
        "a key of its own in the header",
        "oversized",
    ],
)
def test_hint_is_not_believed(token: str) -> None:
    assert hint_of(token) is None
