"""Say things in the reader's language: messages, catalogues, dates and money."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from gettext import GNUTranslations, NullTranslations
from io import BytesIO
from pathlib import Path
from typing import Protocol, Self, TypeAlias
from zoneinfo import ZoneInfo

from babel import Locale, negotiate_locale
from babel.dates import format_date, format_time
from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.numbers import format_currency, get_currency_precision

LANGUAGES = ("sk", "en")
"""What the account itself brings; a folder of catalogues adds a language once it is whole."""
SOURCE_LANGUAGE = "en"
# Plain "en" is American in CLDR: "November 23, 2026".
REGIONS = {"en": "en_GB"}
SHORT_DAYS = {"sk": "d. M. y", "en": "d MMM y"}
NEIGHBOURS = {"cs": "sk"}
"""Who reads which of ours with ease."""
NO_BREAK_SPACE = "\u00a0"
MAX_WISHES = 20

Fact: TypeAlias = "str | int | date | Message"


class Amount(Protocol):
    """Money in its smallest unit, for instance cents."""

    @property
    def amount_minor(self) -> int: ...
    @property
    def currency(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Message:
    """A text that has no language yet. Dates and messages among its facts get the reader's too."""

    msgid: str
    facts: Mapping[str, Fact] = field(default_factory=dict)
    plural: str | None = None
    count: int = 1


def m(msgid: str, /, **facts: Fact) -> Message:
    """Mark a text for translation.

    For instance: m("Due on %(day)s", day=bill.due_on)
    """
    return Message(msgid, facts)


def mn(singular: str, plural: str, n: int, /, **facts: Fact) -> Message:
    """Mark a text that counts; the number is its fact `num`.

    For instance: mn("%(num)s day left", "%(num)s days left", 3)
    """
    return Message(singular, {"num": n, **facts}, plural, n)


@dataclass(frozen=True, slots=True)
class Speech:
    """One language: its texts, and how it writes dates and money."""

    language: str
    catalogue: NullTranslations
    zone: ZoneInfo

    def gettext(self, msgid: str) -> str:
        return self.catalogue.gettext(msgid)

    def ngettext(self, singular: str, plural: str, n: int) -> str:
        return self.catalogue.ngettext(singular, plural, n)

    def say(self, message: Message) -> str:
        facts = {name: self._fact(fact) for name, fact in message.facts.items()}
        if message.plural is None:
            return self.gettext(message.msgid) % facts
        return self.ngettext(message.msgid, message.plural, message.count) % facts

    def day(self, value: date) -> str:
        """Write "30. novembra 2026"."""
        return self._dated(value, "long")

    def full_day(self, value: date) -> str:
        """Write "Pondelok 30. novembra 2026", fit to begin a sentence."""
        text = self._dated(value, "full")
        return text[:1].upper() + text[1:]

    def day_and_time(self, value: datetime) -> str:
        """Write "30. 11. 2026, 9:05"."""
        return f"{self._short(value)}, {self.time(value)}"

    def time(self, value: datetime) -> str:
        """Write "9:05"."""
        return format_time(value.astimezone(self.zone), "H:mm", locale=self._locale)

    def near(self, value: datetime, now: datetime) -> str:
        """Write "dnes 9:05", "včera 9:05", and for anything else the day."""
        days = (self.local_day(now) - self.local_day(value)).days
        if days not in {0, 1}:
            return self._short(value)
        # Beside the f-string: Babel finds no text inside of one.
        day = self.gettext("today") if days == 0 else self.gettext("yesterday")
        return f"{day} {self.time(value)}"

    def money(self, amount: Amount) -> str:
        """Write "84,60 €"."""
        digits = get_currency_precision(amount.currency)
        value = Decimal(amount.amount_minor).scaleb(-digits)
        return format_currency(value, amount.currency, locale=self._locale)

    def local_day(self, value: date) -> date:
        """Return the day in the city's time zone."""
        return value.astimezone(self.zone).date() if isinstance(value, datetime) else value

    @property
    def _locale(self) -> str:
        return REGIONS.get(self.language, self.language)

    def _short(self, value: date) -> str:
        return self._dated(value, SHORT_DAYS.get(self.language, "d. MMM y"))

    def _dated(self, value: date, pattern: str) -> str:
        text = format_date(self.local_day(value), pattern, locale=self._locale)
        # "14." never stays alone at the end of a line.
        return text.replace(". ", f".{NO_BREAK_SPACE}")

    def _fact(self, fact: Fact) -> str | int:
        match fact:
            case Message():
                return self.say(fact)
            case datetime():
                return self.day_and_time(fact)
            case date():
                return self.day(fact)
            case _:
                return fact


class Translations:
    """Every language that the account offers."""

    def __init__(
        self, catalogues: Mapping[str, NullTranslations], default: str, zone: ZoneInfo
    ) -> None:
        self.default = default if default in catalogues else SOURCE_LANGUAGE
        self._speeches = {
            language: Speech(language, catalogue, zone)
            for language, catalogue in catalogues.items()
        }
        self.names: Mapping[str, str] = {language: _own_name(language) for language in catalogues}
        """Each language's name in itself, by its code, in the order of the menu."""

    @classmethod
    def read(cls, *folders: Path, default: str, time_zone: str) -> Self:
        """Read `<folder>/<language>/*.po`. A language that is not translated whole is left out."""
        read = {language: _read_language(folders, language) for language in _languages_in(folders)}
        wanted = {entry.id for catalogue in read.values() for entry in catalogue if entry.id}
        whole = {
            language: _compiled(catalogue)
            for language, catalogue in read.items()
            if _is_whole(catalogue, len(wanted))
        }
        ordered = {language: whole[language] for language in LANGUAGES if language in whole}
        catalogues = {**ordered, SOURCE_LANGUAGE: NullTranslations(), **whole}
        return cls(catalogues, default, ZoneInfo(time_zone))

    def speech(self, language: str) -> Speech:
        """Return the language's speech, or the default's where we do not offer the language."""
        return self._speeches.get(language) or self._speeches[self.default]

    def negotiate(
        self, *, ui_locales: str = "", saved: str = "", cookie: str = "", accept: str = ""
    ) -> str:
        """Choose for a page whose address names no language: the first wish that we can meet."""
        for wishes in (ui_locales.split()[:MAX_WISHES], [saved], [cookie], list(_accepted(accept))):
            tags = [tag.replace("-", "_") for tag in wishes if tag]
            found = negotiate_locale(tags, list(self.names), aliases=NEIGHBOURS)
            if found is not None:
                return found
        return self.default


def _languages_in(folders: tuple[Path, ...]) -> list[str]:
    return sorted({path.parent.name for folder in folders for path in folder.glob("*/*.po")})


def _read_language(folders: tuple[Path, ...], language: str) -> Catalog:
    whole = Catalog(locale=language)
    for path in (path for folder in folders for path in sorted((folder / language).glob("*.po"))):
        with path.open("rb") as lines:
            for entry in read_po(lines, locale=language):
                if entry.id:
                    whole[entry.id if isinstance(entry.id, str) else entry.id[0]] = entry
    return whole


def _is_whole(catalogue: Catalog, wanted: int) -> bool:
    entries = [entry for entry in catalogue if entry.id]
    return len(entries) == wanted and all(
        entry.string and all(entry.string) and not entry.fuzzy for entry in entries
    )


def _compiled(catalogue: Catalog) -> NullTranslations:
    compiled = BytesIO()
    write_mo(compiled, catalogue)
    compiled.seek(0)
    return GNUTranslations(compiled)


def _own_name(language: str) -> str:
    name = Locale.parse(language).get_display_name(language) or language
    return name[:1].upper() + name[1:]


def _accepted(header: str) -> Iterator[str]:
    """Yield the language tags of an Accept-Language header, the most welcome first."""
    weighted = []
    for part in header.split(",")[:MAX_WISHES]:
        tag, _, weight = part.strip().partition(";q=")
        try:
            weighted.append((float(weight or 1), tag))
        except ValueError:
            continue
    yield from (tag for weight, tag in sorted(weighted, key=lambda pair: -pair[0]) if weight > 0)
