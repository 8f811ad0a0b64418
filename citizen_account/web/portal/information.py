"""Show what anybody may read: help, accessibility statement, privacy notice, terms."""

from dataclasses import dataclass
from typing import ClassVar

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from citizen_account.web.dependencies import InLanguage, InRuntime, MaybeSignedIn
from citizen_account.web.frames import frame_of, show

router = APIRouter(prefix="/{language}", include_in_schema=False)


@dataclass(frozen=True, slots=True)
class HelpPage:
    template: ClassVar = "portal/help.html"
    session_minutes: int


@dataclass(frozen=True, slots=True)
class AccessibilityPage:
    template: ClassVar = "portal/accessibility.html"


@dataclass(frozen=True, slots=True)
class PrivacyNoticePage:
    template: ClassVar = "portal/privacy_notice.html"


@dataclass(frozen=True, slots=True)
class TermsPage:
    template: ClassVar = "portal/terms.html"


@router.get("/help")
async def show_help(
    request: Request, _: InLanguage, resident: MaybeSignedIn, runtime: InRuntime
) -> Response:
    minutes = int(runtime.session_limits.idle.total_seconds() // 60)
    return show(request, frame_of(request, resident), HelpPage(minutes))


@router.get("/accessibility")
async def show_accessibility(request: Request, _: InLanguage, resident: MaybeSignedIn) -> Response:
    return show(request, frame_of(request, resident), AccessibilityPage())


@router.get("/privacy-notice")
async def show_privacy_notice(request: Request, _: InLanguage, resident: MaybeSignedIn) -> Response:
    return show(request, frame_of(request, resident), PrivacyNoticePage())


@router.get("/terms")
async def show_terms(request: Request, _: InLanguage, resident: MaybeSignedIn) -> Response:
    return show(request, frame_of(request, resident), TermsPage())
