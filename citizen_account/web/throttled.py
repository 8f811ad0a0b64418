"""The page that tells a person to wait, and until when."""

from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from typing import ClassVar

from starlette.requests import Request
from starlette.responses import Response

from citizen_account.domain.errors import ErrorCode
from citizen_account.domain.throttling import Throttled
from citizen_account.web.dependencies import Resident, runtime_of
from citizen_account.web.frames import frame_of, show


@dataclass(frozen=True, slots=True)
class ThrottledPage:
    template: ClassVar = "portal/too_many_tries.html"
    code: str
    until: datetime
    now: datetime


def ask_to_wait(
    request: Request, throttled: Throttled, resident: Resident | None = None
) -> Response:
    """Return 429 with the time when the next try is welcome."""
    now = runtime_of(request).clock()
    page = ThrottledPage(ErrorCode.TOO_MANY_TRIES, throttled.until, now)
    frame = frame_of(request, resident, is_focused=True)
    response = show(request, frame, page, HTTPStatus.TOO_MANY_REQUESTS)
    # RFC 6585 section 4, RFC 9110 section 10.2.3.
    response.headers["Retry-After"] = str(throttled.seconds_from(now))
    return response
