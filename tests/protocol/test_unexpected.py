"""A mistake of ours is answered like anything else: with all headers, and an id to find it by."""

import logging
from urllib.parse import urlsplit

import pytest
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Message

from citizen_account.app import create_app
from citizen_account.bootstrap import Runtime
from citizen_account.web.middleware import HEADERS
from tests.conftest import client_of
from tests.factories import ISSUER


async def fail(_: Request) -> Response:
    raise LookupError


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/api/v1/fails", "application/problem+json"),
        ("/.well-known/fails", "application/json"),
        ("/en/fails", "text/html; charset=utf-8"),
    ],
)
async def test_answer_has_every_header(
    runtime: Runtime, caplog: pytest.LogCaptureFixture, path: str, kind: str
) -> None:
    app = create_app(runtime, more_routes=[Route(path, fail)])
    with caplog.at_level(logging.INFO):
        async with client_of(app) as http:
            answer = await http.get(path)
    assert (answer.status_code, answer.headers["content-type"]) == (500, kind)
    assert not HEADERS.keys() - answer.headers.keys()
    assert answer.headers["x-request-id"]
    [trace] = [record for record in caplog.records if record.exc_info]
    assert trace.message == "unexpected"
    [line] = [record for record in caplog.records if record.message == "request"]
    assert vars(line)["status"] == 500


@pytest.mark.parametrize("path", ["/token", "/en/sign-in", "/en/register"])
async def test_who_hangs_up_is_no_mistake_of_ours(
    runtime: Runtime, caplog: pytest.LogCaptureFixture, path: str
) -> None:
    """In the middle of a body; nobody reads an answer, and the log says so."""
    messages = [{"type": "http.request", "body": b"a=", "more_body": True}]

    async def receive() -> Message:
        return messages.pop() if messages else {"type": "http.disconnect"}

    async def send(_: Message) -> None:
        pass

    host = urlsplit(ISSUER).netloc.encode()
    headers = [(b"host", host), (b"content-type", b"application/x-www-form-urlencoded")]
    scope = {"type": "http", "method": "POST", "path": path, "raw_path": path.encode()}
    more = {"headers": headers, "query_string": b"", "scheme": "https", "client": ("::1", 1)}
    with caplog.at_level(logging.INFO):
        await create_app(runtime)({**scope, **more}, receive, send)
    [line] = [record for record in caplog.records if record.message == "request"]
    assert vars(line)["status"] == 499
    assert not [record for record in caplog.records if record.exc_info]


async def test_each_address_is_logged_by_its_own_name(
    runtime: Runtime, caplog: pytest.LogCaptureFixture
) -> None:
    paths = ["/.well-known/openid-configuration", "/.well-known/oauth-authorization-server"]
    with caplog.at_level(logging.INFO):
        async with client_of(create_app(runtime)) as http:
            for path in paths:
                await http.get(path)
    lines = [record for record in caplog.records if record.message == "request"]
    assert [vars(line)["route"] for line in lines] == paths
