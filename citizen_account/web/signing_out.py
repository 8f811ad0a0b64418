"""Take the session from the browser, and let it tell the services on its way out."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import Response

from citizen_account.web.authorization import leave_for
from citizen_account.web.cookies import clear_session, session_secret
from citizen_account.web.dependencies import runtime_of
from citizen_account.web.frames import frame_of, show

# Time for the services' pages to be loaded, and no longer than browsers without a window wait.
WAIT_SECONDS = 2


@dataclass(frozen=True, slots=True)
class SigningOutPage:
    """A page that loads the services' own logout pages, then goes on (Front-Channel Logout 1.0)."""

    template: ClassVar = "oidc/signing_out.html"
    addresses: Sequence[str]
    place: str


def leave(request: Request, front_channels: Sequence[str], place: str) -> Response:
    """Lead the browser on, without its session, past the services that want to be told by it."""
    runtime = runtime_of(request)
    response = _show(request, front_channels, place) if front_channels else leave_for(place)
    if not session_secret(request, runtime):
        return response
    clear_session(response, runtime)
    # OWASP ASVS 5.0 14.3.1: what a page left in the browser goes with the session.
    response.headers["Clear-Site-Data"] = '"cache", "storage"'
    return response


def _show(request: Request, front_channels: Sequence[str], place: str) -> Response:
    framed = tuple(sorted({_origin_of(address) for address in front_channels}))
    frame = replace(frame_of(request, is_focused=True), framed=framed)
    response = show(request, frame, SigningOutPage(front_channels, place))
    # Works without JavaScript; the page has a link that says the same.
    response.headers["Refresh"] = f"{WAIT_SECONDS};url={place}"
    return response


def _origin_of(address: str) -> str:
    parts = urlsplit(address)
    return f"{parts.scheme}://{parts.netloc}"
