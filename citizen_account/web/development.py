"""Show the mail of a development machine. The routes do not exist in production."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from citizen_account.storage.mailbox import Letter
from citizen_account.web.dependencies import runtime_of
from citizen_account.web.frames import frame_of, show


@dataclass(frozen=True, slots=True)
class MailboxPage:
    template: ClassVar = "development/mailbox.html"
    letters: Sequence[Letter]


async def mailbox(request: Request) -> Response:
    letters = await _newest(request)
    return show(request, frame_of(request, is_focused=True), MailboxPage(letters))


async def mailbox_json(request: Request) -> Response:
    """List the mail, newest first."""
    letters = [
        {
            "to": letter.to,
            "subject": letter.subject,
            "text": letter.text,
            "html": letter.html,
            "at": letter.at.isoformat(),
        }
        for letter in await _newest(request)
    ]
    return JSONResponse(letters)


async def _newest(request: Request) -> Sequence[Letter]:
    async with runtime_of(request).database.read() as uow:
        return await uow.mailbox.newest()


ROUTES = (
    Route("/dev/mailbox", mailbox),
    Route("/dev/mailbox.json", mailbox_json),
)
