"""Check a resident's letter and write her reference on what the letter opens.

No standard covers this step: a city puts such a desk beside its systems. A caller shows the key
of the system that he speaks for, and can use that system's letters only. Bodies are JSON, so that
no reference stands in an address or a log.
"""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from citizen_account.demo.city_facts import letters
from citizen_account.demo.emulators.access import Access
from citizen_account.demo.emulators.faults import Json
from citizen_account.demo.emulators.register import Register, Verdict

SUBJECT = re.compile(r"[A-Za-z0-9_-]{1,17}")
ANSWERS = {
    Verdict.WRONG: (403, "wrong_secret"),
    Verdict.BLOCKED: (423, "too_many_tries"),
    Verdict.USED: (409, "already_used"),
}


def desk_error(status: int, code: str, detail: str) -> Json:
    return {"status": status, "code": code, "detail": detail}


@dataclass(frozen=True, slots=True)
class Desk:
    register: Register
    access: Access
    clock: Callable[[], datetime]

    def routes(self) -> list[Route]:
        return [
            Route("/letters.json", self.letters, methods=["GET"]),
            Route("/reset", self.reset, methods=["POST"]),
            Route("/link", self.link, methods=["POST"]),
            Route("/unlink", self.unlink, methods=["POST"]),
            Route("/forget", self.forget, methods=["POST"]),
            Route("/status", self.status, methods=["POST"]),
        ]

    async def letters(self, _: Request) -> Response:
        """Show the city's paper mail: the demonstration's substitute for a letter box."""
        return JSONResponse(letters())

    async def reset(self, _: Request) -> Response:
        """Take back every link and every wrong try: the paper mail is as new."""
        self.register.reset()
        return Response(status_code=204)

    async def link(self, request: Request) -> Response:
        asked = await self._asked(request, "subject", "reference", "secret")
        if isinstance(asked, Response):
            return asked
        service, (subject, reference, secret) = asked
        verdict = self.register.link(service, reference, secret, subject)
        if verdict is not Verdict.LINKED:
            status, code = ANSWERS[verdict]
            return _error(status, code)
        email = (await request.json()).get("email")
        if isinstance(email, str):
            self.register.set_email(service, subject, email)
        return self._state(service, subject)

    async def unlink(self, request: Request) -> Response:
        asked = await self._asked(request, "subject")
        if isinstance(asked, Response):
            return asked
        service, (subject,) = asked
        self.register.unlink(service, subject)
        return Response(status_code=204)

    async def forget(self, request: Request) -> Response:
        asked = await self._asked(request, "subject")
        if isinstance(asked, Response):
            return asked
        service, (subject,) = asked
        self.register.set_email(service, subject, "")
        return Response(status_code=204)

    async def status(self, request: Request) -> Response:
        asked = await self._asked(request, "subject")
        if isinstance(asked, Response):
            return asked
        service, (subject,) = asked
        return self._state(service, subject)

    def _state(self, service: str, subject: str) -> Response:
        label = ", ".join(letter.reference for letter in self.register.letters_of(service, subject))
        state = "linked" if label else "not_linked"
        email = self.register.email_of(service, subject)
        return JSONResponse({"state": state, "label": label} | ({"email": email} if email else {}))

    async def _asked(self, request: Request, *names: str) -> tuple[str, tuple[str, ...]] | Response:
        """Return the caller's service and the named members of the body, or what to answer."""
        service = self.access.service_of(request, self.clock())
        if not service:
            return _error(401, "not_authenticated")
        try:
            body = json.loads(await request.body())
        except ValueError:
            return _error(400, "malformed")
        members = body if isinstance(body, dict) else {}
        values = tuple(str(members.get(name) or "") for name in names)
        if not all(values):
            return _error(400, "missing_member")
        if not SUBJECT.fullmatch(values[0]):
            return _error(400, "max_length")
        return service, values


def _error(status: int, code: str) -> Response:
    return JSONResponse(desk_error(status, code, code.replace("_", " ")), status)
