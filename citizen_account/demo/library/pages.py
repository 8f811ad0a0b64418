"""Render the Library's pages: one frozen dataclass is the context of one template."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Protocol

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.responses import HTMLResponse

from citizen_account.i18n import Message, Speech, Translations

TEMPLATES = Path(__file__).parent.parent / "templates"
STATIC = Path(__file__).parent.parent / "static"
# The sign-in and sign-out forms end at the account, which may send the browser on: no
# `form-action` here, since Chromium applies it to every redirect that follows.
CONTENT_SECURITY_POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "Cache-Control": "no-store",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
}


class Page(Protocol):
    template: ClassVar[str]


@dataclass(frozen=True, slots=True)
class Frame:
    """What surrounds every page."""

    language: str
    other_language: str
    other_language_name: str
    city_account: str


@dataclass(frozen=True, slots=True)
class WelcomePage:
    """The Library to somebody who is not signed in."""

    template: ClassVar[str] = "library/welcome.html"
    notice: Message | None
    is_good_news: bool
    error: str
    answers: Mapping[str, str]
    form_token: str


@dataclass(frozen=True, slots=True)
class ReaderPage:
    """The Library to a reader, with all that it received about her."""

    template: ClassVar[str] = "library/reader.html"
    notice: Message | None
    name: str
    received: str
    answers: Mapping[str, str]
    form_token: str


@dataclass(frozen=True, slots=True)
class LostPage:
    """There is no such page."""

    template: ClassVar[str] = "library/lost.html"
    text: Message


class Pages:
    def __init__(self, translations: Translations) -> None:
        self._translations = translations
        self._environments = {
            language: _environment(translations.speech(language)) for language in translations.names
        }

    @property
    def languages(self) -> tuple[str, ...]:
        return tuple(self._environments)

    def name_of(self, language: str) -> str:
        """Return the language's name in itself."""
        return self._translations.names[language]

    def negotiate(self, accept: str) -> str:
        return self._translations.negotiate(accept=accept)

    def render(self, frame: Frame, page: Page, status: int = 200) -> HTMLResponse:
        environment = self._environments[frame.language]
        html = environment.get_template(page.template).render(page=page, frame=frame)
        return HTMLResponse(html, status, headers=HEADERS)


def _environment(speech: Speech) -> Environment:
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        extensions=["jinja2.ext.i18n"],
        auto_reload=False,
    )
    environment.install_gettext_callables(  # type: ignore[attr-defined]  # put there by the extension
        speech.gettext, speech.ngettext, newstyle=True
    )
    environment.filters["say"] = speech.say
    return environment
