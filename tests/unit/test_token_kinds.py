"""RFC 8725 section 3.11, OP-19: each kind of JWT opens its own door and no other."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from uuid import UUID

import pytest
from authlib.oauth2 import OAuth2Error
from authlib.oauth2.rfc6749.errors import AccessDeniedError
from joserfc.jwk import ECKey

from citizen_account.domain.accounts import AccountId, SessionId
from citizen_account.domain.clients import AuthenticationMethod, ClientId
from citizen_account.openid.authorization import ResponseMode, Target
from citizen_account.openid.authorization_response import answer_with_code, answer_with_error
from citizen_account.openid.client_authentication import AssertionProof, Authenticated, authenticate
from citizen_account.openid.id_token import SignInFacts, make_id_token, read_hint
from citizen_account.openid.logout_token import make_logout_token
from citizen_account.openid.request_object import read_request_object
from citizen_account.openid.sender import Presentation, check_proof
from citizen_account.openid.signed_answers import sign_introspection
from tests.factories import ISSUER, REDIRECT_URI, START, Clock
from tests.proofs import Prover, encode
from tests.services import GRANT, LIBRARY, LIBRARY_ID, provider

KEY = ECKey.generate_key("P-256")
SIGNER = replace(
    LIBRARY,
    authentication_method=AuthenticationMethod.PRIVATE_KEY_JWT,
    jwks={"keys": [KEY.as_dict(private=False)]},
)
NOW = int(START.timestamp())
OURS = {"iss": LIBRARY_ID, "aud": ISSUER, "exp": NOW + 60, "nbf": NOW, "iat": NOW, "jti": "1"}


def jarm(*, is_error: bool) -> str:
    target = Target(REDIRECT_URI, ResponseMode.JWT, "state", ClientId(LIBRARY_ID), "RS256")
    if is_error:
        answer = answer_with_error(target, AccessDeniedError(), provider(), now=START)
    else:
        answer = answer_with_code(target, "code", provider(), now=START)
    return answer.fields[0][1]


def logout_token() -> str:
    account, session = AccountId(UUID(int=1)), SessionId(UUID(int=2))
    return make_logout_token(provider(), LIBRARY, account, session, now=START)


def introspection() -> str:
    described = {"active": True, "sub": "s", "client_id": LIBRARY_ID}
    return sign_introspection(provider(), LIBRARY, described, now=START)


MADE: Mapping[str, Callable[[], str]] = {
    "hint": lambda: make_id_token(
        provider(), SignInFacts(LIBRARY, GRANT, "token", {}, None), now=START
    ),
    "assertion": lambda: encode({"alg": "ES256"}, {**OURS, "sub": LIBRARY_ID}, KEY),
    "request": lambda: encode({"alg": "ES256"}, {**OURS, "response_type": "code"}, KEY),
    "proof": lambda: Prover(Clock(), KEY).proof("/token"),
    "logout token": logout_token,
    "signed answer": lambda: jarm(is_error=False),
    "signed error": lambda: jarm(is_error=True),
    "introspection": introspection,
}


def is_hint(token: str) -> bool:
    return read_hint(token, provider().keys, ISSUER) is not None


def is_assertion(token: str) -> bool:
    outcome = authenticate(SIGNER, AssertionProof(LIBRARY_ID, token), provider(), now=START)
    return isinstance(outcome, Authenticated)


def is_request(token: str) -> bool:
    try:
        return bool(read_request_object([("request", token)], SIGNER, ISSUER, now=START))
    except OAuth2Error:
        return False


def is_proof(token: str) -> bool:
    presentation = Presentation("POST", f"{ISSUER}/token", proofs=(token,))
    try:
        return check_proof(presentation, b"key", needs_nonce=False, now=START) is not None
    except OAuth2Error:
        return False


DOORS: Mapping[str, Callable[[str], bool]] = {
    "hint": is_hint,
    "assertion": is_assertion,
    "request": is_request,
    "proof": is_proof,
}


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("kind", MADE)
def test_token_opens_its_own_door_and_no_other(kind: str, door: str) -> None:
    assert DOORS[door](MADE[kind]()) is (kind == door)


def test_same_jwt_never_proves_and_asks() -> None:
    # A client assertion replayed as a request would say what the client never asked for.
    both = encode({"alg": "ES256"}, {**OURS, "sub": LIBRARY_ID, "response_type": "code"}, KEY)
    assert is_assertion(both)
    assert not is_request(both)


@pytest.mark.parametrize(
    "header",
    [{"typ": "dpop+jwt"}, {"typ": "oauth-authz-req+jwt"}, {"typ": "at+jwt"}, {"typ": "logout+jwt"}],
    ids=str,
)
def test_assertion_of_another_type_is_refused(header: dict[str, str]) -> None:
    assert not is_assertion(encode({"alg": "ES256", **header}, {**OURS, "sub": LIBRARY_ID}, KEY))
