"""Texts, dates and money in the reader's language, and the choice of the language."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from citizen_account.i18n import Speech, Translations, m, mn
from tests.examples import our_translations

HEADER = (
    'msgid ""\nmsgstr ""\n"Content-Type: text/plain; charset=utf-8\\n"\n'
    '"Plural-Forms: nplurals=3; plural=((n==1) ? 0 : (n>=2 && n<=4) ? 1 : 2);\\n"\n\n'
)
TASK = ("You have %(num)s thing to do.", "You have %(num)s things to do.")
MONDAY = datetime(2026, 11, 23, 8, 5, tzinfo=UTC)


@dataclass(frozen=True)
class Euros:
    amount_minor: int
    currency: str = "EUR"


@pytest.fixture(scope="module")
def translations() -> Translations:
    return our_translations()


@pytest.fixture(scope="module")
def slovak(translations: Translations) -> Speech:
    return translations.speech("sk")


@pytest.fixture(scope="module")
def english(translations: Translations) -> Speech:
    return translations.speech("en")


def write(folder: Path, catalogues: Mapping[str, str]) -> Path:
    for name, entries in catalogues.items():
        path = folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(HEADER + entries)
    return folder


@pytest.mark.parametrize(
    ("count", "said"),
    [
        (0, "Máte 0 vecí na vybavenie."),
        (1, "Máte 1 vec na vybavenie."),
        (2, "Máte 2 veci na vybavenie."),
        (4, "Máte 4 veci na vybavenie."),
        (5, "Máte 5 vecí na vybavenie."),
        (21, "Máte 21 vecí na vybavenie."),
        (22, "Máte 22 vecí na vybavenie."),
    ],
)
def test_slovak_counts(slovak: Speech, count: int, said: str) -> None:
    assert slovak.say(mn(*TASK, count)) == said


def test_english_needs_no_catalogue(english: Speech) -> None:
    assert english.say(mn(*TASK, 1)) == "You have 1 thing to do."


def test_facts_of_a_text_are_in_its_language(slovak: Speech, english: Speech) -> None:
    text = m("due %(date)s", date=date(2026, 11, 30))
    assert slovak.say(text) == "do 30.\u00a0novembra 2026"
    assert english.say(text) == "due 30 November 2026"


def test_text_within_a_text_is_translated(slovak: Speech) -> None:
    text = m("Answer the offer: %(title)s", title=m("Overview"))
    assert slovak.say(text) == "Odpovedzte na ponuku: Prehľad"


def test_slovak_dates_never_break_after_their_dot(slovak: Speech) -> None:
    assert slovak.day(date(2026, 11, 30)) == "30.\u00a0novembra 2026"
    assert slovak.day_and_time(MONDAY) == "23.\u00a011.\u00a02026, 9:05"
    assert slovak.full_day(date(2026, 11, 23)) == "Pondelok 23.\u00a0novembra 2026"


def test_english_is_british(english: Speech) -> None:
    assert english.day(date(2026, 11, 30)) == "30 November 2026"


def test_time_is_the_citys(slovak: Speech) -> None:
    late = datetime(2026, 7, 1, 22, 30, tzinfo=UTC)
    assert slovak.time(late) == "0:30"
    assert slovak.local_day(late) == date(2026, 7, 2)


def test_near_times_are_told_by_their_day(slovak: Speech) -> None:
    assert slovak.near(MONDAY, MONDAY) == "dnes 9:05"
    assert slovak.near(MONDAY, MONDAY.replace(day=24)) == "včera 9:05"
    assert slovak.near(MONDAY, MONDAY.replace(day=28)) == "23.\u00a011.\u00a02026"


def test_money(slovak: Speech, english: Speech) -> None:
    assert slovak.money(Euros(128_460)) == "1\u00a0284,60\u00a0€"
    assert english.money(Euros(128_460)) == "€1,284.60"
    assert slovak.money(Euros(500, "JPY")) == "500\u00a0JPY"


@pytest.mark.parametrize(
    ("accept", "chosen"),
    [
        ("sk-SK,sk;q=0.9,en;q=0.8", "sk"),
        ("cs-CZ,cs;q=0.9", "sk"),
        ("en-US,en;q=0.9", "en"),
        ("de;q=0.4,en;q=0.3", "en"),
        ("fr-FR", "sk"),
        ("", "sk"),
        ("*", "sk"),
        ("en;q=0,sk", "sk"),
        ("xx;q=abc", "sk"),
        ("en" * 5000, "sk"),
    ],
)
def test_browser_chooses(translations: Translations, accept: str, chosen: str) -> None:
    assert translations.negotiate(accept=accept[:40_000]) == chosen


def test_wishes_are_heard_in_order(translations: Translations) -> None:
    assert translations.negotiate(ui_locales="fr en", saved="sk", cookie="sk", accept="sk") == "en"
    assert translations.negotiate(saved="en", cookie="sk", accept="sk") == "en"
    assert translations.negotiate(cookie="en", accept="sk") == "en"
    assert translations.negotiate(ui_locales="not_a_language!", accept="en") == "en"


def test_half_translated_language_is_not_offered(tmp_path: Path) -> None:
    folder = write(
        tmp_path,
        {
            "sk/one.po": 'msgid "Yes"\nmsgstr "Áno"\n\nmsgid "No"\nmsgstr "Nie"\n',
            "hu/one.po": 'msgid "Yes"\nmsgstr "Igen"\n',
            "de/one.po": 'msgid "Yes"\nmsgstr "Ja"\n\nmsgid "No"\nmsgstr ""\n',
        },
    )
    assert list(Translations.read(folder, default="sk", time_zone="UTC").names) == ["sk", "en"]


def test_catalogues_of_one_language_are_read_together(tmp_path: Path) -> None:
    folder = write(
        tmp_path,
        {
            "sk/one.po": 'msgid "Yes"\nmsgstr "Áno"\n',
            "sk/two.po": 'msgid "No"\nmsgstr "Nie"\n',
        },
    )
    speech = Translations.read(folder, default="sk", time_zone="UTC").speech("sk")
    assert (speech.gettext("Yes"), speech.gettext("No")) == ("Áno", "Nie")


def test_whole_third_language_is_offered_by_its_own_name(tmp_path: Path) -> None:
    folder = write(
        tmp_path,
        {
            "sk/one.po": 'msgid "Yes"\nmsgstr "Áno"\n',
            "hu/one.po": 'msgid "Yes"\nmsgstr "Igen"\n',
        },
    )
    translations = Translations.read(folder, default="sk", time_zone="UTC")
    assert translations.names == {"sk": "Slovenčina", "en": "English", "hu": "Magyar"}


def test_default_without_a_catalogue_falls_back_to_english(tmp_path: Path) -> None:
    assert Translations.read(tmp_path, default="sk", time_zone="UTC").default == "en"
