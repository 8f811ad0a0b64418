"""Read what is to be translated from the sources, and what is translated from the catalogues."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from gettext import NullTranslations
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import polib
from babel.messages.extract import extract

from citizen_account.i18n import Amount, Speech, Translations
from citizen_account.resources import LOCALE

ROOT = Path(__file__).parents[1]
KEYWORDS: Mapping[str, Any] = {  # Any: as Babel wants it
    "_": None,
    "gettext": None,
    "ngettext": (1, 2),
    "m": None,
    "mn": (1, 2),
}
TEMPLATE_OPTIONS = {"extensions": "jinja2.ext.i18n", "trimmed": "true", "newstyle_gettext": "true"}
SOURCES = (
    ("templates", "**/*.html", "jinja2"),
    ("templates", "**/*.txt", "jinja2"),
    ("citizen_account", "**/*.html", "jinja2"),
    ("citizen_account", "**/*.py", "python"),
)
PLACEHOLDER = re.compile(r"%\((\w+)\)[sd]")
PSEUDO = "xx"


@dataclass(frozen=True, slots=True)
class Marked:
    """A text that a source marks for translation."""

    msgid: str
    plural: str
    where: str


class PseudoCatalogue(NullTranslations):
    """Put brackets around each text: whatever stands outside of them was never marked."""

    def gettext(self, message: str) -> str:
        return f"⟦{message}⟧"

    def ngettext(self, msgid1: str, msgid2: str, n: int) -> str:
        return f"⟦{msgid1 if n == 1 else msgid2}⟧"


class PseudoSpeech(Speech):
    """Write dates and money in brackets too: no locale of Babel's is asked for them."""

    __slots__ = ()

    @property
    def _locale(self) -> str:
        return "en_GB"

    def _dated(self, value: date, pattern: str) -> str:
        return f"⟦{super()._dated(value, pattern)}⟧"

    def money(self, amount: Amount) -> str:
        return f"⟦{super().money(amount)}⟧"


class PseudoTranslations(Translations):
    """Offer the pseudo-language beside English."""

    def __init__(self, zone: str) -> None:
        super().__init__({"en": NullTranslations()}, "en", ZoneInfo(zone))
        self._speeches[PSEUDO] = PseudoSpeech(PSEUDO, PseudoCatalogue(), ZoneInfo(zone))
        self.names = {"en": "English", PSEUDO: "⟦Pseudo⟧"}


def marked(root: Path = ROOT) -> Iterator[Marked]:
    for folder, pattern, method in SOURCES:
        for path in sorted((root / folder).glob(pattern)):
            yield from _marked_in(path, method, root)


def _marked_in(path: Path, method: str, root: Path) -> Iterator[Marked]:
    options = TEMPLATE_OPTIONS if method == "jinja2" else {}
    with path.open("rb") as source:
        for line, found, _, _ in extract(method, source, KEYWORDS, options=options):
            words = (found,) if isinstance(found, str) else found
            plural = words[1] if len(words) > 1 else ""
            yield Marked(words[0], plural, f"{path.relative_to(root)}:{line}")


def catalogues(language: str) -> Mapping[str, Sequence[polib.POEntry]]:
    """Return the entries of the language by the catalogue's name."""
    return {path.name: polib.pofile(str(path)) for path in sorted((LOCALE / language).glob("*.po"))}
