"""OpenID Connect Core 1.0: the UserInfo endpoint and the ID token."""

from dataclasses import replace
from datetime import timedelta

import httpx2
import pytest

from citizen_account.bootstrap import Runtime
from citizen_account.domain.accounts import AccountId, Address, Profile
from citizen_account.domain.claims import CLAIMS_OF_SCOPE
from tests.factories import ISSUER, START, Clock
from tests.relying_party import Party, bearer
from tests.services import FURTHER, GRANT, authorize, register
from tests.verifying import ALGORITHMS, verified

EVERYTHING = frozenset(
    {
        "name",
        "given_name",
        "family_name",
        "locale",
        "updated_at",
        "email",
        "email_verified",
        "phone_number",
        "phone_number_verified",
        "address",
        "birthdate",
    }
)


async def access_token(runtime: Runtime, library: Party, **changes: object) -> str:
    answer = await library.redeem(await authorize(runtime, **changes))
    return str(answer.json()["access_token"])


async def id_token(answer: httpx2.Response, library: Party) -> dict[str, object]:
    """Verify with the published keys, as a client does."""
    return dict((await verified(library.http, answer.json()["id_token"])).claims)


async def test_5_3_2_only_granted_claims_are_told(runtime: Runtime, library: Party) -> None:
    told = (await library.userinfo(await access_token(runtime, library))).json()
    assert told == {
        "sub": told["sub"],
        "name": "Jana Nováková",
        "email": "jana@example.sk",
        "email_verified": True,
    }


async def test_5_1_claims_have_their_types(
    runtime: Runtime, library: Party, reader: AccountId
) -> None:
    address = Address("Hlavná 1", "811 01", "Dunajské Mesto", "Slovensko")
    profile = Profile("Jana", "Nováková", "+421900000000", address)
    async with runtime.database.begin() as uow:
        account = await uow.accounts.find(reader)
        assert account is not None
        await uow.accounts.save_profile(account, profile, "sk", uow.now)
    told = (await library.userinfo(await access_token(runtime, library, claims=EVERYTHING))).json()
    # What the account does not know is left out, and never null (section 5.3.2).
    assert "birthdate" not in told
    assert told["updated_at"] == int(START.timestamp())
    assert told["email_verified"] is True
    assert told["phone_number_verified"] is False
    assert told["locale"] == "sk"
    assert told["address"]["formatted"] == "Hlavná 1\n811 01 Dunajské Mesto\nSlovensko"


async def test_5_4_scope_profile_is_all_fourteen_of_who_has_them(
    runtime: Runtime, library: Party, reader: AccountId
) -> None:
    async with runtime.database.begin() as uow:
        account = await uow.accounts.find(reader)
        assert account is not None
        full = replace(account.profile, birthdate="1988-04-12", further=FURTHER)
        await uow.accounts.save_profile(account, full, "sk", uow.now)
    profile = EVERYTHING & CLAIMS_OF_SCOPE["profile"] | FURTHER.keys()
    answer = await library.redeem(await authorize(runtime, claims=profile))
    told = (await library.userinfo(answer.json()["access_token"])).json()
    assert told.keys() == profile | {"sub"}
    assert len(profile) == 14
    assert FURTHER.items() <= told.items()
    assert isinstance(told.pop("updated_at"), int)
    assert all(isinstance(value, str) for value in told.values())
    # Section 5.4: userinfo is where they are told, not the ID token.
    assert not profile & (await id_token(answer, library)).keys()


async def test_5_3_2_values_are_those_of_now(
    runtime: Runtime, library: Party, reader: AccountId
) -> None:
    token = await access_token(runtime, library)
    async with runtime.database.begin() as uow:
        account = await uow.accounts.find(reader)
        assert account is not None
        await uow.accounts.save_profile(account, Profile("Jana", "Horváthová"), "sk", uow.now)
    assert (await library.userinfo(token)).json()["name"] == "Jana Horváthová"


async def test_5_3_1_token_may_come_by_post(runtime: Runtime, library: Party) -> None:
    token = await access_token(runtime, library)
    in_header = await library.http.post("/userinfo", headers=bearer(token))
    in_body = await library.http.post("/userinfo", data={"access_token": token})
    in_get = await library.userinfo(token)
    assert in_header.json() == in_body.json() == in_get.json()
    assert in_get.headers["cache-control"] == "no-store"


async def test_rfc_6750_2_scheme_has_no_case(runtime: Runtime, library: Party) -> None:
    token = await access_token(runtime, library)
    answer = await library.http.get("/userinfo", headers={"Authorization": f"bEARER {token}"})
    assert answer.status_code == 200


async def test_rfc_6750_2_3_token_in_the_query_is_not_read(
    runtime: Runtime, library: Party
) -> None:
    token = await access_token(runtime, library)
    answer = await library.http.get("/userinfo", params={"access_token": token})
    assert answer.status_code == 401


async def test_rfc_6750_2_two_tokens_are_refused(runtime: Runtime, library: Party) -> None:
    token = await access_token(runtime, library)
    answer = await library.http.post(
        "/userinfo", data={"access_token": token}, headers=bearer(token)
    )
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")


async def test_rfc_6750_3_1_who_sends_no_token_is_asked_for_one(library: Party) -> None:
    answer = await library.http.get("/userinfo")
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == (
        'Bearer realm="userinfo", DPoP realm="userinfo", algs="PS256 ES256 EdDSA"'
    )


@pytest.mark.parametrize("token", ["unknown", "", "é", "x" * 10_000])
async def test_rfc_6750_3_1_unknown_token_is_invalid(library: Party, token: str) -> None:
    headers = {b"Authorization": b"Bearer " + token.encode()}
    answer = await library.http.get("/userinfo", headers=headers)
    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_token")
    assert 'error="invalid_token"' in answer.headers["www-authenticate"]


async def test_rfc_6750_3_1_expired_token_is_invalid(
    runtime: Runtime, library: Party, clock: Clock
) -> None:
    token = await access_token(runtime, library)
    clock.now += timedelta(minutes=10)
    assert (await library.userinfo(token)).status_code == 401


async def test_8_subject_is_the_same_everywhere_and_differs_between_sectors(
    runtime: Runtime, library: Party, museum: Party
) -> None:
    answer = await library.redeem(await authorize(runtime))
    here = (await library.userinfo(answer.json()["access_token"])).json()["sub"]
    assert (await id_token(answer, library))["sub"] == here
    museum_code = await authorize(runtime, client_id="museum")
    redirect = {"redirect_uri": "https://library.example/callback"}
    there = (await museum.redeem(museum_code, redirect)).json()["access_token"]
    assert (await museum.userinfo(there)).json()["sub"] != here


async def test_2_id_token_holds_no_profile_claims(runtime: Runtime, library: Party) -> None:
    claims = await id_token(await library.redeem(await authorize(runtime)), library)
    assert not EVERYTHING & set(claims)
    assert claims["nonce"] == GRANT.nonce


async def test_5_5_claims_asked_for_in_the_id_token_are_there(
    runtime: Runtime, library: Party
) -> None:
    code = await authorize(runtime, id_token_claims=frozenset({"email", "phone_number"}))
    claims = await id_token(await library.redeem(code), library)
    # The telephone number was not granted, whatever was asked for.
    assert EVERYTHING & set(claims) == {"email"}


@pytest.mark.parametrize("algorithm", ALGORITHMS)
async def test_2_client_gets_the_algorithm_that_it_registered(
    runtime: Runtime, library: Party, algorithm: str
) -> None:
    await register(runtime, id_token_signed_response_alg=algorithm)
    issued = (await library.redeem(await authorize(runtime))).json()
    claims = (await verified(library.http, issued["id_token"], algorithm)).claims
    assert (claims["iss"], claims["aud"]) == (ISSUER, "library")


@pytest.mark.parametrize("algorithm", ALGORITHMS)
async def test_5_3_2_signed_answer_names_its_parties_and_the_same_subject(
    runtime: Runtime, library: Party, algorithm: str
) -> None:
    await register(runtime, userinfo_signed_response_alg=algorithm)
    issued = await library.redeem(await authorize(runtime))
    answer = await library.userinfo(issued.json()["access_token"])
    assert answer.headers["content-type"] == "application/jwt"
    assert answer.headers["cache-control"] == "no-store"
    assert (await verified(library.http, answer.text, algorithm)).claims == {
        "iss": ISSUER,
        "aud": "library",
        # The ID token keeps an algorithm of its own.
        "sub": (await id_token(issued, library))["sub"],
        "name": "Jana Nováková",
        "email": "jana@example.sk",
        "email_verified": True,
    }


async def test_3_1_3_3_without_openid_there_is_no_id_token(
    runtime: Runtime, library: Party
) -> None:
    code = await authorize(runtime, scope="profile", claims=frozenset())
    assert "id_token" not in (await library.redeem(code)).json()


async def test_12_2_refreshed_id_token_speaks_of_the_same_sign_in(
    runtime: Runtime, library: Party, clock: Clock
) -> None:
    first = await library.redeem(await authorize(runtime))
    before = await id_token(first, library)
    clock.now += timedelta(minutes=5)
    second = await library.refresh(first.json()["refresh_token"])
    after = await id_token(second, library)
    same = ("iss", "sub", "aud", "auth_time", "sid", "acr", "amr")
    assert {name: after[name] for name in same} == {name: before[name] for name in same}
    assert "nonce" not in after
    assert after["iat"] == int(clock.now.timestamp())


async def test_release_is_in_the_residents_access_log(
    runtime: Runtime, library: Party, reader: AccountId
) -> None:
    token = await access_token(runtime, library)
    await library.userinfo(token)
    await library.userinfo(token)
    async with runtime.database.read() as uow:
        entries = await uow.ledger.page(reader, since=START, before=None, size=10)
    # One row for the token, none for each look.
    [entry] = entries
    assert (entry.actor, entry.what) == ("library", ("email", "name"))
