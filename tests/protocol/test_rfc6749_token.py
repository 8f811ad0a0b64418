"""RFC 6749: the token endpoint."""

from datetime import timedelta

import httpx2
import pytest

from citizen_account.bootstrap import Runtime
from citizen_account.usecases.client_authentication import FAILURE_LIMIT
from tests.factories import Clock
from tests.relying_party import Party, basic_header
from tests.services import SECRET, authorize, register

CODE_LIFETIME = timedelta(seconds=60)
FORM = "application/x-www-form-urlencoded"


@pytest.fixture
async def code(runtime: Runtime, library: Party) -> str:
    assert library
    return await authorize(runtime)


def error_of(answer: httpx2.Response) -> tuple[int, str]:
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["cache-control"] == "no-store"
    return answer.status_code, answer.json()["error"]


async def test_5_1_tokens_are_issued_and_never_cached(library: Party, code: str) -> None:
    answer = await library.redeem(code)
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["content-type"] == "application/json"
    issued = answer.json()
    assert (issued["token_type"], issued["expires_in"]) == ("Bearer", 600)
    assert issued["scope"] == "openid profile email"
    assert (await library.userinfo(issued["access_token"])).status_code == 200


async def test_4_1_2_reused_code_ends_its_tokens(library: Party, code: str) -> None:
    issued = (await library.redeem(code)).json()
    assert error_of(await library.redeem(code)) == (400, "invalid_grant")
    assert (await library.userinfo(issued["access_token"])).status_code == 401
    assert error_of(await library.refresh(issued["refresh_token"])) == (400, "invalid_grant")


async def test_4_1_2_code_reused_by_another_client_harms_nobody(
    library: Party, museum: Party, code: str
) -> None:
    issued = (await library.redeem(code)).json()
    assert error_of(await museum.redeem(code)) == (400, "invalid_grant")
    assert (await library.userinfo(issued["access_token"])).status_code == 200


async def test_4_1_2_expired_code_is_refused(library: Party, code: str, clock: Clock) -> None:
    clock.now += CODE_LIFETIME
    assert error_of(await library.redeem(code)) == (400, "invalid_grant")


async def test_4_1_3_refused_attempt_leaves_the_code_usable(library: Party, code: str) -> None:
    for changes in (
        {"redirect_uri": "https://thief.example/"},
        {"redirect_uri": None},
        {"code_verifier": "x" * 43},
    ):
        assert error_of(await library.redeem(code, changes)) == (400, "invalid_grant")
    thief = Party(library.http, "library", "x" * 40)
    assert error_of(await thief.redeem(code)) == (401, "invalid_client")
    assert (await library.redeem(code)).status_code == 200


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"grant_type": "password"}, "unsupported_grant_type"),
        ({"grant_type": "urn:example:unknown"}, "unsupported_grant_type"),
        ({"grant_type": None}, "invalid_request"),
        ({"code": None}, "invalid_request"),
        ({"code": ""}, "invalid_request"),
        ({"code": "unknown"}, "invalid_grant"),
        ({"code": "\x00"}, "invalid_request"),
        ({"code": "é"}, "invalid_request"),
        ({"grant_type": "refresh_token"}, "invalid_request"),
        ({"grant_type": "client_credentials"}, "unauthorized_client"),
        ({"grant_type": "refresh_token", "refresh_token": "x", "scope": "a  b"}, "invalid_scope"),
        ({"client_secret": "x"}, "invalid_request"),
    ],
)
async def test_5_2_malformed_request_is_refused(
    library: Party, changes: dict[str, str | None], error: str
) -> None:
    assert error_of(await library.redeem("code", changes)) == (400, error)


async def test_3_2_unknown_parameter_is_ignored(library: Party, code: str) -> None:
    assert (await library.redeem(code, {"resource_owner": "jana"})).status_code == 200


@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [
        (b"grant_type=authorization_code&code=a&code=b", FORM, 400),
        (b"grant_type=authorization_code&code=%00", FORM, 400),
        (b"grant_type=authorization_code&code=%ED%A0%80", FORM, 400),
        (b"grant_type=authorization_code&code=\xff", FORM, 400),
        (b'{"grant_type": "client_credentials"}', "application/json", 415),
        (b"grant_type=client_credentials", "text/plain", 415),
        (b"grant_type=client_credentials", "", 415),
        (b"", FORM, 400),
        (b"code=" + b"x" * 70_000, FORM, 413),
        (b"&".join(b"p%d=1" % number for number in range(300)), FORM, 400),
    ],
    ids=[
        "repeated",
        "NUL",
        "surrogate",
        "no UTF-8",
        "JSON",
        "plain text",
        "no type",
        "empty",
        "large",
        "many",
    ],
)
async def test_3_2_unreadable_body_is_refused(
    library: Party, body: bytes, kind: str, status: int
) -> None:
    headers = {"Authorization": basic_header("library", SECRET), "Content-Type": kind}
    answer = await library.http.post("/token", content=body, headers=headers)
    assert error_of(answer) == (status, "invalid_request")


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
async def test_3_2_post_is_the_only_method(library: Party, method: str) -> None:
    answer = await library.http.request(method, "/token")
    assert error_of(answer) == (405, "invalid_request")
    assert "POST" in answer.headers["allow"]


@pytest.mark.parametrize("form", [{}, {"client_id": ""}])
async def test_5_2_request_of_nobody_is_incomplete(
    http: httpx2.AsyncClient, form: dict[str, str]
) -> None:
    refresh = {"grant_type": "refresh_token", "refresh_token": "any", **form}
    assert error_of(await http.post("/token", data=refresh)) == (400, "invalid_request")


@pytest.mark.parametrize("header", ["Basic \xff", "Basic /w==", "Basic Og==", "Basic AGE6Yg=="])
async def test_5_2_broken_basic_header_is_answered_with_a_challenge(
    http: httpx2.AsyncClient, header: str
) -> None:
    form = {"grant_type": "authorization_code", "code": "code"}
    headers = {b"Authorization": header.encode("latin-1")}
    answer = await http.post("/token", data=form, headers=headers)
    assert error_of(answer) == (401, "invalid_client")
    assert answer.headers["www-authenticate"].startswith('Basic realm="')


async def test_2_3_1_stranger_and_wrong_secret_look_alike(library: Party) -> None:
    guesses = [Party(library.http, "library", "x" * 40), Party(library.http, "nobody", "x" * 40)]
    wrong, unknown = [await party.ask_for_itself() for party in guesses]
    assert wrong.status_code == unknown.status_code == 401
    assert wrong.content == unknown.content
    assert wrong.headers["www-authenticate"] == unknown.headers["www-authenticate"]


async def test_2_3_1_wrong_secrets_are_throttled_but_the_right_one_passes(
    runtime: Runtime, library: Party, code: str
) -> None:
    thief = Party(library.http, "library", "x" * 40)
    answers = [await thief.redeem(code) for _ in range(FAILURE_LIMIT + 1)]
    assert {answer.status_code for answer in answers[:-1]} == {401}
    assert answers[-1].status_code == 429
    assert int(answers[-1].headers["retry-after"]) > 0
    assert (await library.redeem(await authorize(runtime))).status_code == 200


@pytest.mark.parametrize("method", ["client_secret_post", "none"])
async def test_2_3_client_may_prove_itself_in_the_form(
    runtime: Runtime, library: Party, method: str
) -> None:
    secret = SECRET if method == "client_secret_post" else None
    await register(runtime, token_endpoint_auth_method=method, client_secret=secret)
    public = Party(library.http, "library")
    answer = await public.redeem(await authorize(runtime), {"client_secret": secret})
    assert answer.status_code == 200


async def test_2_3_registered_method_is_the_only_one(library: Party, code: str) -> None:
    public = Party(library.http, "library")
    assert error_of(await public.redeem(code)) == (400, "invalid_client")
    by_form = await public.redeem(code, {"client_secret": SECRET})
    assert error_of(by_form) == (400, "invalid_client")
