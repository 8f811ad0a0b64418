"""Render templates: one frozen dataclass is the context of one template."""

import hashlib
from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar, Protocol
from urllib.parse import quote, urlencode

from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined, pass_context
from jinja2.runtime import Context
from markupsafe import Markup, escape

from citizen_account.domain.texts import LocalText, in_language
from citizen_account.i18n import Message, Speech, Translations
from citizen_account.web.components import load_components
from citizen_account.web.static_files import StaticFiles

PROOF_FIELD = "form_token"
_HERE = "/place-of-this-page"
# Run before the first paint, so that nothing moves: classes tell the styles what the browser can.
STARTING_SCRIPT = (
    "document.body.className += ' js-enabled'"
    " + ('noModule' in HTMLScriptElement.prototype ? ' govuk-frontend-supported' : '');"
)
STARTING_SCRIPT_DIGEST = b64encode(hashlib.sha256(STARTING_SCRIPT.encode()).digest()).decode()
POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self'; font-src 'self'; connect-src 'self'; "
    "base-uri 'none'; frame-ancestors 'none'; "
    f"script-src 'self' 'sha256-{STARTING_SCRIPT_DIGEST}'"
)


class City(Protocol):
    """Who runs the account, and whom to ask."""

    @property
    def name(self) -> str: ...
    @property
    def product(self) -> Message: ...
    @property
    def brand(self) -> str: ...
    @property
    def support_email(self) -> str: ...
    @property
    def support_phone(self) -> str: ...


@dataclass(frozen=True, slots=True)
class FrameUser:
    name: str
    given_name: str = ""
    is_administrator: bool = False

    @property
    def initials(self) -> str:
        words = self.name.split()
        return "".join(word[0] for word in (*words[:1], *words[1:][-1:])).upper()


@dataclass(frozen=True, slots=True)
class Frame:
    """What surrounds every page: the language, the city, who is signed in."""

    language: str
    path: str
    """Without the language, with the query, for the menu of languages: "/privacy?page=2"."""
    city: City
    token_for: Callable[[str], str]
    """The form token of an action, that is of the path that a form is sent to."""
    user: FrameUser | None = None
    unread: int = 0
    idle_minutes: int = 30
    """After so long without a click the session ends."""
    is_focused: bool = False
    """No navigation: the page asks for one decision."""
    has_pending_authorization: bool = False
    framed: tuple[str, ...] = ()
    """Origins of services that the page may show in frames; elsewhere there are none."""

    @property
    def section(self) -> str:
        """The first word of the path: which entry of the navigation is the current one."""
        return self.path.strip("/").partition("?")[0].partition("/")[0]


@dataclass(frozen=True, slots=True)
class FieldError:
    field: str
    """The id of the input that it stands at."""
    message: Message


class Page(Protocol):
    """A frozen dataclass. One with `errors: tuple[FieldError, ...]` gets them told in its title."""

    template: ClassVar[str]


class Pages:
    def __init__(
        self,
        *folders: Path,
        static_files: StaticFiles,
        translations: Translations,
    ) -> None:
        """Look in the folders in turn, so that a city's own template hides ours."""
        self.translations = translations
        self.static_files = static_files
        self._bound: ContextVar[Speech] = ContextVar("speech")
        self._environment = self._build_environment(folders)
        self._alike: dict[tuple[str, str], str] = {}

    def render(self, frame: Frame, page: Page, status: int = 200) -> HTMLResponse:
        return HTMLResponse(self._html(frame, page), status, headers=_headers(frame))

    def render_alike(self, frame: Frame, page: Page, status: int, *, name: str) -> HTMLResponse:
        """Render what is the same for every stranger: it is kept by its name and language.

        Only the address, of which the menu of languages is made, is each visitor's own.
        """
        html = self._alike.get((name, frame.language))
        if html is None:
            alike = replace(frame, path=_HERE, token_for=_refuse_token, user=None)
            html = self._alike[name, frame.language] = self._html(alike, page)
        path = str(escape(frame.path))
        return HTMLResponse(html.replace(_HERE, path), status, headers=_headers(frame))

    def _html(self, frame: Frame, page: Page) -> str:
        template = self._environment.get_template(page.template)
        with self._speaking(frame.language):
            return template.render(page=page, frame=frame)

    @contextmanager
    def _speaking(self, language: str) -> Iterator[None]:
        token = self._bound.set(self.translations.speech(language))
        try:
            yield
        finally:
            self._bound.reset(token)

    def _build_environment(self, folders: tuple[Path, ...]) -> Environment:
        environment = Environment(
            loader=FileSystemLoader(folders),
            autoescape=True,
            undefined=StrictUndefined,
            extensions=["jinja2.ext.i18n"],
            trim_blocks=True,
            lstrip_blocks=True,
            auto_reload=False,
        )
        environment.policies["ext.i18n.trimmed"] = True
        environment.install_gettext_callables(  # type: ignore[attr-defined]  # put there by the extension
            lambda msgid: self._bound.get().gettext(msgid),
            lambda singular, plural, n: self._bound.get().ngettext(singular, plural, n),
            newstyle=True,
        )
        environment.filters.update(self._filters())
        environment.globals.update(load_components())
        environment.globals.update(self._globals())
        return environment

    def _filters(self) -> Mapping[str, Callable[..., str]]:
        def spoken(way: Callable[..., str]) -> Callable[..., str]:
            return lambda value, *facts: way(self._bound.get(), value, *facts)

        return {
            "say": spoken(Speech.say),
            "day": spoken(Speech.day),
            "full_day": spoken(Speech.full_day),
            "datetime": spoken(Speech.day_and_time),
            "near": spoken(Speech.near),
            "money": spoken(Speech.money),
            "local": spoken(_in_language_of),
        }

    def _globals(self) -> Mapping[str, object]:
        return {
            "url": self._url,
            "error_for": self._error_for,
            "error_list": self._error_list,
            "static": self.static_files.url,
            "integrity": self.static_files.integrity,
            "open_form": open_form,
            "close_form": close_form,
            "languages": self.translations.names,
            "starting_script": Markup(STARTING_SCRIPT),  # noqa: S704  # our own constant
        }

    def _url(self, *parts: object, **query: object) -> str:
        """Return the address of our own page in the bound language; a query of None is left out."""
        path = "/".join(quote(str(part), safe="/") for part in parts)
        asked = urlencode({name: value for name, value in query.items() if value is not None})
        return f"/{self._bound.get().language}/{path}" + (f"?{asked}" if asked else "")

    def _error_for(self, errors: Sequence[FieldError], field: str) -> Mapping[str, str] | None:
        """Return what govuk's inputs take as `errorMessage`."""
        speech = self._bound.get()
        for error in errors:
            if error.field == field:
                told = speech.say(error.message)
                return {"text": told, "visuallyHiddenText": speech.gettext("Error")}
        return None

    def _error_list(self, errors: Sequence[FieldError]) -> Sequence[Mapping[str, str]]:
        """Return what govuk's error summary takes as `errorList`."""
        speech = self._bound.get()
        return [{"text": speech.say(error.message), "href": f"#{error.field}"} for error in errors]


def _refuse_token(action: str) -> str:
    raise ValueError(f"a page for every stranger has no form: {action}")


def _in_language_of(speech: Speech, text: LocalText) -> str:
    return in_language(text, speech.language)


@pass_context
def open_form(context: Context, action: str, frame: Frame | None = None) -> Markup:
    """Begin a form that only our page can send; a macro hands over its caller's frame."""
    token = (frame or context["frame"]).token_for(action)
    return Markup(
        '<form method="post" action="{}" novalidate><input type="hidden" name="{}" value="{}">'
    ).format(action, PROOF_FIELD, token)


def close_form() -> Markup:
    return Markup("</form>")


def _headers(frame: Frame) -> Mapping[str, str]:
    # Chromium applies form-action to every redirect behind a form: after a pending authorization
    # they lead to the service and on to wherever its own sign-in goes.
    policy = POLICY if frame.has_pending_authorization else f"{POLICY}; form-action 'self'"
    if frame.framed:
        policy = f"{policy}; frame-src {' '.join(frame.framed)}"
    return {"Content-Security-Policy": policy, "Cache-Control": "no-store"}
