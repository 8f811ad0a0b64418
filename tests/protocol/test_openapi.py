"""The HTTP API by its OpenAPI document: schemathesis finds no 5xx and no undocumented answer."""

import asyncio
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis import Case
from schemathesis.core.failures import FailureGroup
from schemathesis.core.result import Ok
from schemathesis.schemas import APIOperation
from schemathesis.specs.openapi.schemas import OpenApiSchema

from citizen_account.bootstrap import build_runtime, utc_now
from tests.factories import REDIRECT_URI, VERIFIER, settings_for
from tests.servers import Server, serve
from tests.services import GRANT, LIBRARY_ID, SECRET, authorize, open_account, register

DOCUMENT = "/api/v1/openapi.json"
SERVICE = "statistics"
# The same examples each time: a new one would be found by a change of ours alone.
EXPLORE = settings(
    max_examples=40,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
)


@dataclass(frozen=True, slots=True)
class Api:
    server: Server
    tokens: Mapping[str, str]
    """A living access token of a service, of a resident, and of nobody."""


@pytest.fixture(scope="module")
def api(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    file = shutil.copy(sqlite_template, tmp_path_factory.mktemp("api"))
    url = f"sqlite:///{file}"
    code = asyncio.run(prepare(url))
    with serve(url) as [server], httpx2.Client(base_url=server.url) as http:
        by_itself = {"grant_type": "client_credentials", "scope": "consents:read"}
        by_code = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": REDIRECT_URI,
            "code_verifier": VERIFIER,
        }
        tokens = {
            "service": ask_token(http, SERVICE, by_itself),
            "resident": ask_token(http, LIBRARY_ID, by_code),
            "nobody": "an-invented-token",
        }
        yield Api(server, tokens)


async def prepare(url: str) -> str:
    """Leave a service that asks for itself, and a code that a resident gave to the library."""
    runtime = build_runtime(settings_for(url), utc_now)
    await register(runtime)
    await register(
        runtime,
        client_id=SERVICE,
        client_name="Statistics",
        redirect_uris=None,
        grant_types=["client_credentials"],
        scope="consents:read",
    )
    assert GRANT.account_id is not None
    await open_account(runtime, GRANT.account_id)
    code = await authorize(runtime, session_id=None)
    await runtime.database.close()
    return code


def ask_token(http: httpx2.Client, client_id: str, fields: Mapping[str, str]) -> str:
    answer = http.post("/token", data=fields, auth=httpx2.BasicAuth(client_id, SECRET))
    assert answer.status_code == 200, answer.text
    token: str = answer.json()["access_token"]
    return token


@pytest.fixture(scope="module")
def api_schema(api: Api) -> OpenApiSchema:
    return schemathesis.openapi.from_url(f"{api.server.url}{DOCUMENT}")


def explore(operation: APIOperation[Any, Any, Any, Any], token: str) -> list[int]:
    """Ask in all the ways that the document allows and does not; return the statuses."""
    statuses: list[int] = []

    @EXPLORE
    @given(case=operation.as_strategy())
    def ask(case: Case[Any]) -> None:
        answer = case.call_and_validate(headers={"Authorization": f"Bearer {token}"})
        statuses.append(answer.status_code)

    ask()
    return statuses


@pytest.mark.parametrize("who", ["service", "resident", "nobody"])
def test_every_answer_is_documented(api: Api, api_schema: OpenApiSchema, who: str) -> None:
    found = [result.ok() for result in api_schema.get_all_operations() if isinstance(result, Ok)]
    assert len(found) >= 3
    for operation in found:
        assert explore(operation, api.tokens[who])


def test_document_describes_the_api_and_nothing_else(api: Api) -> None:
    document = httpx2.get(f"{api.server.url}{DOCUMENT}").json()
    assert document["openapi"].startswith("3.1")
    assert document["paths"]
    assert all(path.startswith("/api/v1/") for path in document["paths"])


@pytest.mark.parametrize(
    ("who", "path"), [("service", "/api/v1/consents"), ("resident", "/api/v1/me/permission")]
)
def test_tokens_of_these_tests_open_something(api: Api, who: str, path: str) -> None:
    headers = {"Authorization": f"Bearer {api.tokens[who]}"}
    answer = httpx2.get(f"{api.server.url}{path}", headers=headers)
    assert answer.status_code in {200, 403}, answer.text


def test_undocumented_answer_is_found(api: Api) -> None:
    document = httpx2.get(f"{api.server.url}{DOCUMENT}").json()
    del document["paths"]["/api/v1/consents"]["get"]["responses"]["401"]
    case = schemathesis.openapi.from_dict(document)["/api/v1/consents"]["GET"].Case()
    answer = case.call(base_url=api.server.url)
    assert answer.status_code == 401
    with pytest.raises(FailureGroup) as refused:
        case.validate_response(answer)
    assert "Undocumented status code" in str(refused.value.exceptions)
