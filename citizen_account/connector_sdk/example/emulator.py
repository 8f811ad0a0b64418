"""Stand in for the office while there is none: state in memory, and a lie on request."""

import json
from collections.abc import Awaitable, Callable, MutableMapping
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qs

from citizen_account.connector_sdk.acceptance import Fault

KEY = "an invented key of the example office"
FIRST, SECOND = "FIRSTPERSON22222", "SECONDPERSON2222"
Message = MutableMapping[str, Any]  # Any: a message of ASGI


def application(number: int, owner: str, state: str) -> dict[str, str]:
    return {
        "id": f"a{number}",
        "owner": owner,
        "number": f"2026/{number:04}",
        "name": "Planting a tree",
        "state": state,
        "since": "2026-02-03",
    }


class ExampleOfficeEmulator:
    """An ASGI application that answers as the office would."""

    def __init__(self) -> None:
        self.people = {
            FIRST: [application(17, FIRST, "running"), application(18, FIRST, "new")],
            SECOND: [application(23, SECOND, "decided")],
        }
        self.fault = Fault.NONE

    def inject(self, fault: Fault) -> None:
        self.fault = fault

    async def __call__(
        self,
        scope: Message,
        receive: Callable[[], Awaitable[Message]],
        send: Callable[[Message], Awaitable[None]],
    ) -> None:
        await receive()
        status, body = self._answer(scope)
        headers = [(b"content-type", b"application/json")]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": json.dumps(body).encode()})

    def _answer(self, scope: Message) -> tuple[int, object]:
        if dict(scope["headers"]).get(b"x-api-key") != KEY.encode():
            return HTTPStatus.UNAUTHORIZED, {"error": "key"}
        match scope["method"], scope["path"].strip("/").split("/"):
            case "GET", ["offices", "7"]:
                return HTTPStatus.OK, {"name": "Example office"}
            case "GET", ["offices", "7", "people", subject, "applications"]:
                return self._applications(subject)
            case "DELETE", ["offices", "7", "people", subject]:
                is_trial = parse_qs(scope["query_string"].decode())["dry_run"] == ["true"]
                return self._erase(subject, is_trial=is_trial)
            case _:
                return HTTPStatus.NOT_FOUND, {"error": "path"}

    def _applications(self, subject: str) -> tuple[int, object]:
        asked = SECOND if self.fault is Fault.OTHER_SUBJECT else subject
        found = self.people.get(asked)
        return (HTTPStatus.NOT_FOUND, {}) if found is None else (HTTPStatus.OK, found)

    def _erase(self, subject: str, *, is_trial: bool) -> tuple[int, object]:
        held = self.people.get(subject, [])
        if any(one["state"] == "decided" for one in held):
            return HTTPStatus.CONFLICT, {"error": "kept by law"}
        if not is_trial:
            self.people.pop(subject, None)
        return HTTPStatus.OK, {}
