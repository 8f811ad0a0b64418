"""A mistake of ours is answered like anything else: with all headers, and an id to find it by."""

import logging

import pytest
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from citizen_account.app import create_app
from citizen_account.bootstrap import Runtime
from citizen_account.web.middleware import HEADERS
from tests.conftest import client_of


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
