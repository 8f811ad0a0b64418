"""A connector in a process of its own behaves as it does in ours."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx2
import jsonschema
import pytest
from starlette.applications import Starlette

from citizen_account.cli.connector import serving_of
from citizen_account.cli.failures import CommandError
from citizen_account.connector_host.configuration import read_configurations
from citizen_account.connector_host.registry import load_registry
from citizen_account.connector_host.remote import build_remote
from citizen_account.connector_host.serving import Caller, create_serving
from citizen_account.connector_sdk import errors, example
from citizen_account.connector_sdk.acceptance import AcceptanceTarget, Source
from citizen_account.connector_sdk.auth import ApiKey, Credentials, JwtClient
from citizen_account.connector_sdk.checks import BRONZE
from citizen_account.connector_sdk.example.connector import build
from citizen_account.connector_sdk.example.emulator import (
    FIRST,
    KEY,
    SECOND,
    ExampleOfficeEmulator,
)
from citizen_account.connector_sdk.http import ConnectorHttp
from citizen_account.connector_sdk.manifest import read_manifest
from citizen_account.connector_sdk.models import Answer, Case, Condition, Context
from citizen_account.connector_sdk.openapi import connector_openapi
from citizen_account.connector_sdk.operations import OPERATIONS, error_of_problem, problem_of
from citizen_account.connector_sdk.protocol import Connector

FOLDER = Path(example.__file__).parent
MANIFEST = read_manifest(FOLDER / "manifest.toml")
SECRET = "an invented secret that both sides know"
BASE = "http://connector.example/"
OPENAPI = Path(__file__).parents[2] / "docs" / "connector-http.openapi.json"
CONTEXT = Context(subject=FIRST, claims={"given_name": "Zuzana"})


def now() -> datetime:
    return datetime.now(UTC)


def local(office: ExampleOfficeEmulator) -> Connector:
    source = ConnectorHttp(
        "http://office.example/", httpx2.ASGITransport(office), credentials=ApiKey(KEY)
    )
    return build({"office": "7"}, source)


def served(connector: Connector | None = None) -> Starlette:
    made = connector or local(ExampleOfficeEmulator())
    return create_serving(MANIFEST, made, Caller("account", SECRET, now))


def signed(secret: str = SECRET) -> Credentials:
    return JwtClient("account", secret, now)


def remote(app: Starlette, credentials: Credentials | None = None) -> Connector:
    http = ConnectorHttp(
        BASE, httpx2.ASGITransport(app), credentials=credentials or signed(), timeout_seconds=5
    )
    return build_remote(MANIFEST, http)


@pytest.mark.parametrize("check", BRONZE)
async def test_served_connector_passes_the_same_checks(check: str) -> None:
    office = ExampleOfficeEmulator()

    def build_here(_: Mapping[str, str], http: ConnectorHttp) -> Connector:
        return build_remote(MANIFEST, http)

    target = AcceptanceTarget(
        name="example",
        folder=FOLDER,
        build=build_here,
        transport=httpx2.ASGITransport(served(local(office))),
        source=Source(BASE, signed()),
        settings={"office": "7"},
        inject=office.inject,
        residents=(CONTEXT, Context(subject=SECOND)),
        secrets=frozenset({KEY, SECRET}),
    )
    await BRONZE[check](target)


async def test_both_forms_give_equal_answers() -> None:
    office = ExampleOfficeEmulator()
    here, there = local(office), remote(served(local(office)))
    for connector in (here, there):
        assert connector.capabilities == MANIFEST.capabilities.keys()
    mine, same = [await _asked(connector) for connector in (here, there)]
    assert mine == same
    assert (await there.health.check()).condition is Condition.OK


async def _asked(connector: Connector) -> list[object]:
    assert connector.cases is not None
    assert connector.gdpr is not None
    assert connector.recognition is not None
    cases: Answer[Case] = await connector.cases.list_cases(CONTEXT)
    one = await connector.cases.get_case(CONTEXT, cases.records[0].ref)
    erasure = await connector.gdpr.erase(CONTEXT, dry_run=True)
    export = await connector.gdpr.export(CONTEXT)
    link = await connector.recognition.recognise(CONTEXT)
    await connector.recognition.unlink(CONTEXT)
    return [cases.records, cases.subject, one.records, erasure, export.nodes, link]


RAISED: list[errors.ConnectorError] = [
    errors.Unavailable("away", retry_after=7),
    errors.Unavailable("away"),
    errors.RateLimited(40),
    errors.OutcomeUnknown("POST"),
    errors.Refused("closed", {"en": "Closed", "sk": "Zatvorené"}, {"field": "No"}),
    errors.NeedsRelink("expired"),
    errors.Gone(),
    errors.Misconfigured("401"),
]


@pytest.mark.parametrize("error", RAISED, ids=[error.code for error in RAISED])
async def test_error_arrives_as_it_was_raised(error: errors.ConnectorError) -> None:
    class Raising:
        async def list_cases(self, context: Context, cursor: str | None = None) -> Answer[Case]:
            del context, cursor
            raise error

        async def get_case(self, context: Context, ref: str) -> Answer[Case]:
            return await self.list_cases(context, ref)

    good = local(ExampleOfficeEmulator())
    there = remote(
        served(
            Connector(
                health=good.health, recognition=good.recognition, cases=Raising(), gdpr=good.gdpr
            )
        )
    )
    assert there.cases is not None
    with pytest.raises(type(error)) as caught:
        await there.cases.list_cases(CONTEXT)
    assert vars(caught.value) == vars(error)
    assert str(caught.value) == str(error)
    assert vars(error_of_problem(problem_of(error))) == vars(error)


async def test_bug_of_a_served_connector_is_told_without_its_words() -> None:
    class Broken(ExampleOfficeEmulator):
        pass

    good = local(Broken())

    class Raising:
        async def list_cases(self, context: Context, cursor: str | None = None) -> Answer[Case]:
            raise ValueError(context.subject, cursor)

        async def get_case(self, context: Context, ref: str) -> Answer[Case]:
            raise SystemExit(context.subject, ref)

    app = served(
        Connector(health=good.health, recognition=good.recognition, cases=Raising(), gdpr=good.gdpr)
    )
    for path in ("/v1/cases:list", "/v1/cases:get"):
        answer = await posted(app, path, {"context": {"subject": FIRST}, "ref": "a"})
        assert answer.status_code == 500
        assert answer.json()["type"].endswith(":broken")
        assert FIRST not in answer.text


# --- who may call, and with what ----------------------------------------------------------------


async def posted(
    app: Starlette, path: str, body: object, authorization: str | None = None
) -> httpx2.Response:
    async def nothing(*_: object) -> object:
        return None

    headers = dict(await signed().headers(nothing))
    if authorization is not None:
        headers["Authorization"] = authorization
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app), base_url=BASE) as client:
        return await client.post(path, content=raw, headers=headers)


async def token(secret: str, client_id: str = "account", age: int = 0) -> str:
    async def nothing(*_: object) -> object:
        return None

    then = JwtClient(client_id, secret, lambda: now() - timedelta(seconds=age))
    return dict(await then.headers(nothing))["Authorization"]


async def test_only_a_fresh_token_of_the_caller_opens() -> None:
    app = served()
    none = "Bearer eyJhbGciOiJub25lIn0.eyJjbGllbnRfaWQiOiJhY2NvdW50IiwiaWF0IjoxfQ."
    strange = [
        "", "Bearer", "Bearer x", f"Bearer {KEY}", none, "Basic YWNjb3VudDp4",
        await token("another invented secret of some length"),
        await token(SECRET, client_id="other"), await token(SECRET, age=120),
        await token(SECRET, age=-120),
        # With `crit` null in its header.
        "Bearer eyJhbGciOiJIUzI1NiIsImNyaXQiOm51bGx9.e30.AAAA",
    ]  # fmt: skip
    for authorization in strange:
        for path in OPERATIONS:
            answer = await posted(app, path, {}, authorization)
            assert answer.status_code in {401, 404}
    assert (await posted(app, "/v1/health", {}, await token(SECRET))).status_code == 200


BODIES: list[tuple[object, int]] = [
    (b"", 400), (b"{", 400), ([], 400), ({}, 400), ({"context": {}}, 400),
    ({"context": {"subject": 7}}, 400), (b"\xff", 400), (b'{"context": "\\ud800"}', 400),
    (b" " * 70_000, 413), ({"context": {"subject": FIRST}, "more": 1}, 200),
]  # fmt: skip


@pytest.mark.parametrize(("body", "status"), BODIES, ids=range(len(BODIES)))
async def test_bad_body_is_a_clear_refusal(body: object, status: int) -> None:
    answer = await posted(served(), "/v1/cases:list", body)
    assert answer.status_code == status
    if status != 200:
        assert answer.headers["content-type"] == "application/problem+json"


async def test_what_is_not_declared_is_not_served() -> None:
    assert (await posted(served(), "/v1/places:near", {})).status_code == 404


async def test_changed_manifest_must_be_accepted_again() -> None:
    changed = MANIFEST.model_copy(update={"version": "2.0.0"})
    app = create_serving(changed, local(ExampleOfficeEmulator()), Caller("account", SECRET, now))
    report = await remote(app).health.check()
    assert report.condition is Condition.MISCONFIGURED
    assert "accepted" in report.capabilities["cases"].detail


# --- configuration ------------------------------------------------------------------------------


def written(tmp_path: Path, text: str) -> Path:
    file = tmp_path / "connectors.toml"
    file.write_text(text, encoding="utf-8")
    return file


def test_remote_connector_is_installed_by_its_accepted_manifest(tmp_path: Path) -> None:
    manifest = FOLDER / "manifest.toml"
    entry = f'base_url = "{BASE}"\nmanifest_file = "{manifest}"\n'
    right = f'auth = {{ kind = "jwt_client", client_id = "account", secret = "{SECRET}" }}\n'
    for text, problem in (
        (f"[example]\n{entry}{right}", ""),
        (f"[example]\n{entry}", "it does not take auth of the kind none"),
    ):
        registry = load_registry(
            read_configurations(written(tmp_path, text)),
            lambda _: httpx2.MockTransport(lambda _: httpx2.Response(503)),
            now,
            [],
        )
        assert registry.connectors["example"].problem == problem
    text = f"[other]\n{entry}{right}"
    registry = load_registry(
        read_configurations(written(tmp_path, text)),
        lambda _: httpx2.ASGITransport(served()),
        now,
        [],
    )
    assert "the table is 'other'" in registry.refused["other"]


def test_serve_needs_a_caller(tmp_path: Path) -> None:
    permits = """
[housing]
base_url = "http://127.0.0.1:9/"
auth = { kind = "api_key", secret = "x" }
[housing.peers.desk]
base_url = "http://127.0.0.1:9/"
auth = { kind = "api_key", secret = "x" }
"""
    with pytest.raises(CommandError, match=r"\[housing.serve\]"):
        serving_of("housing", written(tmp_path, permits))
    with pytest.raises(CommandError, match="not installed"):
        serving_of("nothing", written(tmp_path, permits))
    with pytest.raises(CommandError, match="not configured"):
        serving_of("permits", written(tmp_path, permits))
    called = f'{permits}[housing.serve]\nclient_id = "account"\nsecret = "{SECRET}"\n'
    app = serving_of("housing", written(tmp_path, called))
    assert len(app.routes) > 3


# --- its description ----------------------------------------------------------------------------


def test_published_description_is_the_codes() -> None:
    assert OPENAPI.read_text(encoding="utf-8") == connector_openapi()


async def test_answers_are_what_the_description_says() -> None:
    described = json.loads(connector_openapi())
    body = {"context": {"subject": FIRST}, "ref": "a17", "dry_run": True}
    for path, methods in described["paths"].items():
        if "post" not in methods or OPERATIONS[path].capability not in MANIFEST.capabilities:
            continue
        answer = await posted(served(), path, body)
        content = methods["post"]["responses"][str(answer.status_code)]["content"]
        [(kind, media)] = content.items()
        assert answer.headers["content-type"] == kind
        schema = {**media["schema"], "components": described["components"]}
        jsonschema.Draft202012Validator(schema).validate(answer.json())
