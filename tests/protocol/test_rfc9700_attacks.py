"""RFC 9700 section 4: what an attacker between resident, service and provider tries."""

import httpx2
import pytest
from joserfc.jwk import ECKey

from citizen_account.bootstrap import Runtime
from citizen_account.domain.accounts import AccountId
from tests.authorizing import address, allow, answer_in, sign_in
from tests.factories import ISSUER, REDIRECT_URI, Clock
from tests.pages import Visitor
from tests.proofs import Prover, code_fields, encode, send_proven
from tests.relying_party import Party
from tests.services import authorize, register

OTHER_CHALLENGE = "a-challenge-of-another-session-0123456789ab"
OTHER_VERIFIER = "another-verifier-of-the-right-length-0123456789"


def error_of(answer: httpx2.Response) -> str:
    assert answer.status_code in {400, 401}, answer.text
    return str(answer.json()["error"])


# --- Section 4.4: mix-up ---


@pytest.mark.parametrize(
    "changes",
    [
        {"prompt": "none"},
        {"response_type": "token"},
        {"scope": "nothing"},
        {"code_challenge_method": "plain"},
        {"max_age": "never"},
        {"response_mode": "fragment"},
        {"request": "a.b.c"},
    ],
    ids=str,
)
async def test_4_4_every_error_names_who_answers(library: Party, changes: dict[str, str]) -> None:
    answer = await library.http.get(address(changes))
    received = answer_in(answer.headers["location"])
    assert (received["iss"], "error" in received) == (ISSUER, True)


async def test_4_4_code_names_who_answers(
    runtime: Runtime, library: Party, reader: AccountId, visitor: Visitor
) -> None:
    await sign_in(runtime, library.http, reader)
    assert (await allow(visitor))["iss"] == ISSUER


# --- Section 4.5: code injection ---


async def test_4_5_stolen_code_is_worthless_in_another_session(
    runtime: Runtime, library: Party
) -> None:
    code = await authorize(runtime, code_challenge=OTHER_CHALLENGE)
    # The honest client redeems it with the verifier of the attacker's own session.
    assert error_of(await library.redeem(code)) == "invalid_grant"


async def test_4_5_stolen_code_is_worthless_to_another_client(
    runtime: Runtime, library: Party, museum: Party
) -> None:
    code = await authorize(runtime)
    assert error_of(await museum.redeem(code)) == "invalid_grant"
    # And the thief's try takes nothing from its owner.
    assert (await library.redeem(code)).status_code == 200


@pytest.mark.parametrize(
    "redirect_uri",
    [None, f"{REDIRECT_URI}/", f"{REDIRECT_URI}?a=b", "https://evil.example/callback"],
)
async def test_4_5_code_is_bound_to_the_redirect_uri(
    runtime: Runtime, library: Party, redirect_uri: str | None
) -> None:
    changes = {"redirect_uri": redirect_uri}
    assert error_of(await library.redeem(await authorize(runtime), changes)) == "invalid_grant"


async def test_4_5_code_bound_to_a_key_is_worthless_with_another(
    runtime: Runtime, library: Party, clock: Clock
) -> None:
    owner, thief = Prover(clock), Prover(clock)
    code = await authorize(runtime, confirmation={"jkt": owner.thumbprint})
    for proofs in ((), (thief.proof("/token"),)):
        stolen = await send_proven(library, code_fields(code), *proofs)
        assert error_of(stolen) == "invalid_grant"
    ours = await send_proven(library, code_fields(code), owner.proof("/token"))
    assert ours.status_code == 200


# --- Section 4.8: PKCE downgrade ---


@pytest.mark.parametrize(
    ("challenge", "verifier"),
    [(None, OTHER_VERIFIER), (OTHER_CHALLENGE, None), (OTHER_CHALLENGE, OTHER_CHALLENGE)],
    ids=["verifier alone", "challenge alone", "plain"],
)
async def test_4_8_2_challenge_and_verifier_come_together(
    runtime: Runtime, library: Party, challenge: str | None, verifier: str | None
) -> None:
    code = await authorize(runtime, code_challenge=challenge)
    answer = await library.redeem(code, {"code_verifier": verifier})
    assert error_of(answer) == "invalid_grant"


@pytest.mark.parametrize(
    "changes",
    [
        {"code_challenge": None},
        {"code_challenge": None, "code_challenge_method": None},
        {"code_challenge_method": None},
        {"code_challenge_method": "plain"},
        {"code_challenge_method": "s256"},
    ],
    ids=str,
)
async def test_4_8_2_stripped_request_gets_no_code(
    library: Party, changes: dict[str, str | None]
) -> None:
    answer = await library.http.get(address(changes))
    assert answer_in(answer.headers["location"])["error"] == "invalid_request"


# --- Section 4.10: stolen tokens ---


async def test_4_10_1_stolen_refresh_token_of_a_public_client_needs_its_key(
    runtime: Runtime, library: Party, clock: Clock
) -> None:
    await register(runtime, token_endpoint_auth_method="none", client_secret=None)
    public, owner = Party(library.http, "library"), Prover(clock)
    fields = code_fields(await authorize(runtime))
    tokens = (await send_proven(public, fields, owner.proof("/token"))).json()
    stolen = {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]}
    for proofs in ((), (Prover(clock).proof("/token"),)):
        assert error_of(await send_proven(public, stolen, *proofs)) == "invalid_grant"
    assert (await send_proven(public, stolen, owner.proof("/token"))).status_code == 200


async def test_4_10_1_bound_token_of_another_client_is_neither_renewed_nor_revoked(
    runtime: Runtime, library: Party, museum: Party, clock: Clock
) -> None:
    owner = Prover(clock)
    fields = code_fields(await authorize(runtime))
    tokens = (await send_proven(library, fields, owner.proof("/token"))).json()
    stolen = {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]}
    assert error_of(await send_proven(museum, stolen, owner.proof("/token"))) == "invalid_grant"
    for name in ("access_token", "refresh_token"):
        assert (await museum.revoke(tokens[name])).status_code == 200
        assert (await museum.introspect(tokens[name])).json() == {"active": False}
    headers = owner.headers("/userinfo", tokens["access_token"])
    assert (await library.http.get("/userinfo", headers=headers)).status_code == 200


# --- RFC 8725 sections 2 and 3: keys that the attacker brings ---


@pytest.mark.parametrize("member", ["jku", "x5u", "kid"])
async def test_rfc8725_3_10_proof_s_header_points_nowhere(
    runtime: Runtime, library: Party, clock: Clock, member: str
) -> None:
    prover, stranger = Prover(clock), ECKey.generate_key("P-256")
    forged = encode(
        {
            "typ": "dpop+jwt",
            "alg": "ES256",
            "jwk": prover.key.as_dict(private=False),
            member: "https://evil.example/keys",
        },
        {"jti": "1", "htm": "POST", "htu": f"{ISSUER}/token", "iat": int(clock.now.timestamp())},
        stranger,
    )
    answer = await send_proven(library, code_fields(await authorize(runtime)), forged)
    assert error_of(answer) == "invalid_dpop_proof"
