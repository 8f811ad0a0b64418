"""Set and read our cookies: the session, the pre-session of forms, the language."""

from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import Response

from citizen_account.bootstrap import Runtime

LANGUAGE_SECONDS = 365 * 24 * 3600
MAX_SECRET_CHARACTERS = 128


def name_of(runtime: Runtime, kind: str) -> str:
    """Return the cookie's name.

    On https the prefix binds it to this host and the whole site (RFC 6265bis section 4.1.3.2). On
    http, in development, the port stands in the name, because browsers share cookies between ports.
    """
    if runtime.is_https:
        return f"__Host-{kind}"
    return f"{kind}-{urlsplit(runtime.issuer).port or 80}"


def session_secret(request: Request, runtime: Runtime) -> str:
    """Return what the browser sent as its session, or nothing."""
    return _read(request, runtime, "session")


def browser_secret(request: Request, runtime: Runtime) -> str:
    """Return the secret of a browser that has not signed in, or nothing."""
    return _read(request, runtime, "csrf")


def saved_language(request: Request, runtime: Runtime) -> str:
    return _read(request, runtime, "language")


def set_session(response: Response, runtime: Runtime, secret: str) -> None:
    _set(response, runtime, "session", secret)


def clear_session(response: Response, runtime: Runtime) -> None:
    _set(response, runtime, "session", "", max_age=0)


def set_browser_secret(response: Response, runtime: Runtime, secret: str) -> None:
    _set(response, runtime, "csrf", secret)


def set_language(response: Response, runtime: Runtime, language: str) -> None:
    _set(response, runtime, "language", language, max_age=LANGUAGE_SECONDS)


def _read(request: Request, runtime: Runtime, kind: str) -> str:
    value = request.cookies.get(name_of(runtime, kind), "")
    is_plausible = len(value) <= MAX_SECRET_CHARACTERS and value.isascii() and "\x00" not in value
    return value if is_plausible else ""


def _set(
    response: Response, runtime: Runtime, kind: str, value: str, max_age: int | None = None
) -> None:
    # OWASP ASVS 5.0 section 3.3: out of reach for scripts, sent over TLS only, not from elsewhere.
    # Lax, not Strict: a resident who comes back from a city service is still signed in.
    response.set_cookie(
        name_of(runtime, kind),
        value,
        max_age=max_age,
        path="/",
        secure=runtime.is_https,
        httponly=True,
        samesite="lax",
    )
