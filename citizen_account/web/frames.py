"""Build what surrounds a page: the language, the city, who is signed in."""

from starlette.requests import Request
from starlette.responses import Response

from citizen_account.bootstrap import Runtime
from citizen_account.domain.accounts import Role
from citizen_account.security.tokens import form_token, new_secret
from citizen_account.web.cookies import saved_language, set_browser_secret
from citizen_account.web.dependencies import Resident, pages_of, proof_secret, runtime_of
from citizen_account.web.pages import Frame, FrameUser, Page


def frame_of(
    request: Request,
    resident: Resident | None = None,
    *,
    is_focused: bool = False,
    has_pending_authorization: bool = False,
) -> Frame:
    """Return the frame of this request's page. A browser's first form gives it a secret."""
    runtime = runtime_of(request)
    secret = proof_secret(request, runtime)
    if not secret:
        if not hasattr(request.state, "new_browser_secret"):
            request.state.new_browser_secret = new_secret()
        secret = request.state.new_browser_secret
    language, path = split_path(request)
    return Frame(
        language=language,
        path=path,
        city=runtime.city,
        token_for=lambda action: form_token(
            runtime.derived_keys.form, secret, action.partition("?")[0]
        ),
        user=None if resident is None else _user_of(resident),
        unread=0 if resident is None else resident.unread,
        idle_minutes=int(runtime.session_limits.idle.total_seconds() // 60),
        is_focused=is_focused,
        has_pending_authorization=has_pending_authorization,
    )


def show(request: Request, frame: Frame, page: Page, status: int = 200) -> Response:
    """Render the page, and give the browser its secret where it had none."""
    response = pages_of(request).render(frame, page, status)
    keep_browser_secret(request, response)
    return response


def keep_browser_secret(request: Request, response: Response) -> None:
    secret = getattr(request.state, "new_browser_secret", None)
    if secret is not None:
        set_browser_secret(response, runtime_of(request), secret)


def split_path(request: Request) -> tuple[str, str]:
    """Return the page's language and its address without it."""
    known = pages_of(request).translations.names
    first, _, rest = request.url.path.lstrip("/").partition("/")
    query = f"?{request.url.query}" if request.url.query else ""
    if first in known:
        return first, f"/{rest}{query}"
    return wished_language(request), "/dashboard"


def wished_language(request: Request, *, ui_locales: str = "") -> str:
    """Return the language for an address that names none."""
    runtime: Runtime = runtime_of(request)
    resident: Resident | None = getattr(request.state, "resident", None)
    return pages_of(request).translations.negotiate(
        ui_locales=ui_locales,
        saved="" if resident is None else resident.account.language,
        cookie=saved_language(request, runtime),
        accept=request.headers.get("accept-language", "")[:500],
    )


def _user_of(resident: Resident) -> FrameUser:
    profile = resident.account.profile
    name = profile.name or resident.account.email or ""
    is_administrator = not resident.roles.isdisjoint(Role)
    return FrameUser(name, profile.given_name, is_administrator)
