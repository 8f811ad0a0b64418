"""What an operator sees of the account, and what nobody may see there."""

import json
import logging
import os
import re
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from http import HTTPStatus
from pathlib import Path

import httpx2
import pytest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from citizen_account.app import create_app
from citizen_account.bootstrap import Runtime, build_runtime
from citizen_account.domain.errands import Mail
from citizen_account.settings import Network
from citizen_account.telemetry import JsonLines, configure_logging
from citizen_account.telemetry.metrics import FOLDER, counted_together
from citizen_account.telemetry.otlp import OtlpTracer
from citizen_account.telemetry.tracing import open_tracer
from tests.authorizing import allow
from tests.conftest import client_of
from tests.factories import Clock, mailbox, settings_for, work_off
from tests.journeys.steps import begin, newest_code, sign_in, sign_out, verify
from tests.journeys.test_consent import CONTRACT, EVERYTHING, offer
from tests.pages import Visitor
from tests.relying_party import Party
from tests.services import SECRET

TOKEN = "a token of thirty-two characters or so"
BEARER = {"Authorization": f"Bearer {TOKEN}"}
GIVEN_ID = {"X-Request-Id": "balancer-0000-1234"}
CANARY_EMAIL = "canary.vtak@kanarik.example"
CANARIES = {
    "#given-name": "Kanárikmeno",
    "#family-name": "Kanárikpriezvisko",
    "#password": "kanarik spieva v klietke 9",
}
PROFILE = {
    "#phone-number": "+421 905 987 654",
    "#street-address": "Kanárikova 77",
    "#postal-code": "98 765",
    "#locality": "Kanárikovo",
}


@pytest.fixture
async def watched(database_url: str, clock: Clock) -> AsyncIterator[Runtime]:
    runtime = build_runtime(settings_for(database_url, metrics_token=TOKEN), clock)
    yield runtime
    await runtime.database.close()


@pytest.fixture
async def client(watched: Runtime) -> AsyncIterator[httpx2.AsyncClient]:
    async with client_of(create_app(watched)) as client:
        yield client


@contextmanager
def every_line() -> Iterator[list[str]]:
    """Collect the lines of all loggers, on all levels, as the program would write them."""
    lines: list[str] = []

    class Collector(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            lines.append(JsonLines().format(record))

    root = logging.getLogger()
    level, handlers = root.level, root.handlers
    configure_logging(logging.DEBUG)
    root.handlers = [Collector()]
    try:
        yield lines
    finally:
        root.handlers = handlers
        root.setLevel(level)


async def live_as_a_canary(runtime: Runtime, visitor: Visitor) -> set[str]:
    """Go through the account with values that nobody else has; return all of them."""
    await offer(runtime, CONTRACT)
    await begin(visitor, CANARY_EMAIL)
    code = await newest_code(runtime, CANARY_EMAIL)
    await verify(visitor, code)
    visitor.fill(CANARIES)
    await visitor.press("#create-account")
    await visitor.open("/en/profile")
    visitor.fill(PROFILE)
    await visitor.press("#save-profile")
    library = Party(visitor.http, "library", SECRET)
    given = (await allow(visitor, EVERYTHING))["code"]
    tokens = (await library.redeem(given)).json()
    await library.userinfo(tokens["access_token"])
    await library.redeem(given)
    await sign_out(visitor)
    await sign_in(visitor, CANARY_EMAIL, "kanarik spieva nespravne 9")
    await visitor.open(f"/en/sign-in?next=/{CANARY_EMAIL}")
    await visitor.open(f"/en/{CANARIES['#given-name']}")
    letters = await mailbox(runtime)
    return {
        CANARY_EMAIL,
        code,
        given,
        *CANARIES.values(),
        *PROFILE.values(),
        *(tokens[name] for name in ("access_token", "refresh_token", "id_token")),
        *(visitor.http.cookies.get(name) or "" for name in visitor.http.cookies),
        *(letter.subject for letter in letters if code in letter.subject),
        "kanarik",
    } - {""}


async def test_no_log_line_on_any_level_holds_a_personal_value(
    watched: Runtime, client: httpx2.AsyncClient
) -> None:
    """OWASP ASVS 5.0 16.2.5."""
    with every_line() as lines:
        values = await live_as_a_canary(watched, Visitor(client))
    assert len(lines) > 20
    whole = "\n".join(lines).lower()
    escaped = {json.dumps(value.lower())[1:-1] for value in values}
    assert not [value for value in escaped | {each.lower() for each in values} if value in whole]


async def test_no_series_holds_a_personal_value(
    watched: Runtime, client: httpx2.AsyncClient
) -> None:
    values = await live_as_a_canary(watched, Visitor(client))
    text = (await client.get("/metrics", headers=BEARER)).text
    assert not [value for value in values if value in text]


async def test_every_answer_names_its_request_and_so_does_the_log(
    client: httpx2.AsyncClient,
) -> None:
    with every_line() as lines:
        answer = await client.get("/health/live", headers=GIVEN_ID)
    name = answer.headers["x-request-id"]
    # Nobody whom we trust has said so.
    assert name != GIVEN_ID["X-Request-Id"]
    [line] = [json.loads(line) for line in lines if '"route":"/health/live"' in line]
    assert (line["request_id"], line["status"], line["method"]) == (name, 200, "GET")


@pytest.mark.parametrize(
    ("given", "is_taken"),
    [("balancer-0000-1234", True), ("short", False), ("a b c d e f g h", False), ("x" * 65, False)],
)
async def test_name_of_a_trusted_proxy_is_taken_if_it_is_a_word(
    watched: Runtime, given: str, *, is_taken: bool
) -> None:
    trusting = replace(watched, trusted_proxies=(_network("127.0.0.0/8"),))
    async with client_of(create_app(trusting)) as client:
        answer = await client.get("/health/live", headers={"X-Request-Id": given})
    assert (answer.headers["x-request-id"] == given) is is_taken


def _network(text: str) -> Network:
    return settings_for("sqlite:///x.db", trusted_proxies=text).trusted_proxies[0]


async def test_metrics_are_for_who_holds_the_token(
    client: httpx2.AsyncClient, runtime: Runtime
) -> None:
    assert (await client.get("/metrics")).status_code == HTTPStatus.UNAUTHORIZED
    wrong = {"Authorization": "Bearer another"}
    assert (await client.get("/metrics", headers=wrong)).status_code == HTTPStatus.UNAUTHORIZED
    assert (await client.get("/metrics", headers=BEARER)).status_code == HTTPStatus.OK
    async with client_of(create_app(runtime)) as without:
        assert (await without.get("/metrics", headers=BEARER)).status_code == HTTPStatus.NOT_FOUND


async def test_metrics_say_what_is_going_on(
    watched: Runtime, client: httpx2.AsyncClient, clock: Clock
) -> None:
    async with watched.database.begin() as uow:
        await uow.send_mail(Mail("x@example.sk", "sk", "closing", {}))
        await uow.outbox.park(await uow.outbox.add("nobodys", {}, uow.now), "why")
    clock.now += timedelta(seconds=90)
    await client.get("/en/sign-in")
    await client.request("BREW", "/en/sign-in")
    text = (await client.get("/metrics", headers=BEARER)).text
    for line in (
        'citizen_request_seconds_count{method="GET",route="/{language}/sign-in",status="200"} 1.0',
        'citizen_outbox{state="pending"} 1.0',
        'citizen_outbox{state="parked"} 1.0',
        "citizen_outbox_overdue_seconds 90.0",
        "citizen_hashes_under_way 0.0",
        'citizen_database_connections_in_use{pool="writer"} 0.0',
        "citizen_database_up 1.0",
    ):
        assert line in text
    assert 'method="other"' in text
    assert "BREW" not in text


async def test_traces_follow_a_request_and_an_errand(watched: Runtime) -> None:
    exporter = InMemorySpanExporter()
    tracer = OtlpTracer(SimpleSpanProcessor(exporter))
    proxied = replace(watched, tracer=tracer, trusted_proxies=(_network("127.0.0.0/8"),))
    trace = "4bf92f3577b34da6a3ce929d0e0e4736"
    async with client_of(create_app(proxied)) as client:
        parent = {"traceparent": f"00-{trace}-00f067aa0ba902b7-01", **GIVEN_ID}
        await client.get("/en/sign-in?next=/secret", headers=parent)
    async with watched.database.begin() as uow:
        await uow.outbox.add("nobodys", {}, uow.now)
    await work_off(proxied)
    asked, errand = exporter.get_finished_spans()
    assert asked.name == "GET /{language}/sign-in"
    assert f"{asked.context.trace_id:032x}" == trace
    facts = asked.attributes or {}
    assert facts["http.response.status_code"] == 200
    assert facts["citizen.request_id"] == GIVEN_ID["X-Request-Id"]
    assert errand.name == "errand nobodys"
    assert not [span for span in (asked, errand) if "secret" in _text(span)]
    tracer.close()


async def test_strangers_do_not_choose_the_trace(watched: Runtime) -> None:
    exporter = InMemorySpanExporter()
    tracer = OtlpTracer(SimpleSpanProcessor(exporter))
    trace = "4bf92f3577b34da6a3ce929d0e0e4736"
    async with client_of(create_app(replace(watched, tracer=tracer))) as client:
        await client.get("/health/live", headers={"traceparent": f"00-{trace}-00f067aa0ba902b7-01"})
    [span] = exporter.get_finished_spans()
    assert f"{span.context.trace_id:032x}" != trace
    tracer.close()


def _text(span: ReadableSpan) -> str:
    return str(span.to_json())


def test_no_traces_are_collected_unless_asked_for() -> None:
    assert open_tracer("") is None
    tracer = open_tracer("http://127.0.0.1:9/v1/traces")
    assert tracer is not None
    tracer.close()


async def test_security_text_says_whom_to_tell(
    client: httpx2.AsyncClient, watched: Runtime
) -> None:
    """RFC 9116 sections 2.5.3 to 2.5.7."""
    answer = await client.get("/.well-known/security.txt")
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    fields = dict(re.findall(r"^([\w-]+): (.+)$", answer.text, re.MULTILINE))
    assert fields == {
        "Contact": "mailto:help@city.example",
        "Expires": "2026-08-28T00:00:00Z",
        "Preferred-Languages": "sk, en",
        "Canonical": f"{watched.issuer}/.well-known/security.txt",
    }


async def test_security_text_names_the_city_s_own_contact_and_policy(database_url: str) -> None:
    settings = settings_for(
        database_url,
        security_contact="https://city.example/security",
        security_policy="https://city.example/disclosure",
    )
    runtime = build_runtime(settings, Clock())
    async with client_of(create_app(runtime)) as client:
        text = (await client.get("/.well-known/security.txt")).text
    assert "Contact: https://city.example/security\n" in text
    assert "Policy: https://city.example/disclosure\n" in text
    await runtime.database.close()


COUNT = """
import os
from citizen_account.telemetry.metrics import Metrics
metrics = Metrics()
metrics.note_request("GET", "/token", 200, 0.01)
metrics.note_load(2, {"writer": 1})
"""


def test_processes_of_one_machine_are_added_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(FOLDER, str(tmp_path))
    ask = f"{COUNT}print(metrics.render(None).decode())"
    for program in (COUNT, COUNT):
        subprocess.run([sys.executable, "-c", program], check=True)
    done = subprocess.run([sys.executable, "-c", ask], check=True, capture_output=True, text=True)
    counted = 'citizen_request_seconds_count{method="GET",route="/token",status="200"} 3.0'
    assert counted in done.stdout
    # Two of the three have ended, and are busy with nothing.
    assert "citizen_hashes_under_way 2.0" in done.stdout
    assert "citizen_database_up 0.0" in done.stdout


def test_serve_gives_its_processes_a_folder_and_takes_it_away() -> None:
    with counted_together(1):
        assert FOLDER not in os.environ
    with counted_together(2):
        folder = Path(os.environ[FOLDER])
        assert folder.is_dir()
    assert FOLDER not in os.environ
    assert not folder.exists()
