"""Every text is marked, translated whole, and counted as Slovak counts."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html.parser import HTMLParser
from pathlib import Path
from typing import ClassVar

import polib
import pytest

from citizen_account.i18n import LANGUAGES, m
from citizen_account.resources import LOCALE
from citizen_account.web.pages import Page, Pages
from tests.catalogues import (
    PLACEHOLDER,
    PSEUDO,
    Marked,
    PseudoTranslations,
    catalogues,
    marked,
)
from tests.examples import CITY, DATUM, frame, full, our_translations, page_types, pages_with

TRANSLATED = [language for language in LANGUAGES if language != "en"]
SLOVAK_PLURALS = "nplurals=3; plural=((n==1) ? 0 : (n>=2 && n<=4) ? 1 : 2);"
SPOKEN_ATTRIBUTES = ("aria-label", "title", "alt", "placeholder", "data-label", "content")
SILENT = frozenset({"script", "style", "svg", "code", "pre"})
VOID = frozenset({"meta", "link", "input", "br", "use", "path", "rect", "circle", "img", "hr"})
# What is nobody's language: names, addresses, and what the head says to browsers.
NAMES = re.compile(
    f"{CITY.name}|{CITY.support_email}|English|Pseudo|xx|XX|JSON"
    "|width=device-width, initial-scale=1|#ffffff"
)


def faults_of_entry(entry: polib.POEntry) -> Iterator[str]:
    """Say what is wrong with one translation."""
    texts = list(entry.msgstr_plural.values()) if entry.msgid_plural else [entry.msgstr]
    if entry.fuzzy:
        yield f"fuzzy: {entry.msgid}"
    if not all(texts):
        yield f"untranslated: {entry.msgid}"
    if entry.msgid_plural and len(texts) != 3:
        yield f"not three plural forms: {entry.msgid}"
    wanted = set(PLACEHOLDER.findall(entry.msgid)) | set(PLACEHOLDER.findall(entry.msgid_plural))
    for text in texts:
        found = set(PLACEHOLDER.findall(text))
        # A plural form may leave its number out, as "one day" does.
        if not (wanted - {"num"} <= found <= wanted):
            yield f"other placeholders: {entry.msgid}"


def differences(sources: Sequence[Marked], translated: set[str]) -> Iterator[str]:
    wanted = {text.msgid: text.where for text in sources}
    yield from (f"missing: {msgid!r} ({wanted[msgid]})" for msgid in wanted.keys() - translated)
    yield from (f"stale: {msgid!r}" for msgid in translated - wanted.keys())


class Words(HTMLParser):
    """Collect what a page says, to the eye and to the ear."""

    def __init__(self) -> None:
        super().__init__()
        self.said: list[str] = []
        self._open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.said += [value for name, value in attrs if name in SPOKEN_ATTRIBUTES and value]
        if tag not in VOID:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag in self._open:
            while self._open.pop() != tag:
                pass

    def handle_data(self, data: str) -> None:
        if data.strip() and not SILENT.intersection(self._open):
            self.said.append(data)


def hard_coded(html: str) -> list[str]:
    """Return what the page says in no language of ours."""
    words = Words()
    words.feed(html)
    return [said for said in words.said if re.search(r"[^\W\d_]{2}", _outside(said))]


def _outside(text: str) -> str:
    """Take away what is in brackets, the innermost first: a text may stand in another."""
    shorter = re.sub("⟦[^⟦⟧]*⟧", "", text)
    return NAMES.sub("", shorter) if shorter == text else _outside(shorter)


@pytest.fixture(scope="module")
def pseudo_pages() -> Pages:
    return pages_with(PseudoTranslations(CITY.time_zone))


@pytest.mark.parametrize("language", TRANSLATED)
def test_catalogues_hold_what_the_sources_mark(language: str) -> None:
    translated = {entry.msgid for found in catalogues(language).values() for entry in found}
    assert not sorted(differences(list(marked()), translated))


def test_missing_and_stale_texts_are_found() -> None:
    sources = [Marked("New", "", "page.html:1")]
    assert list(differences(sources, {"Old"})) == ["missing: 'New' (page.html:1)", "stale: 'Old'"]


@pytest.mark.parametrize("language", TRANSLATED)
def test_every_text_is_translated_whole(language: str) -> None:
    entries = (entry for found in catalogues(language).values() for entry in found)
    assert not [fault for entry in entries for fault in faults_of_entry(entry)]


def test_faults_are_found() -> None:
    wrong = polib.POEntry(msgid="%(num)s day of %(name)s", msgid_plural="%(num)s days of %(name)s")
    wrong.msgstr_plural = {0: "%(num)s deň", 1: ""}
    wrong.flags = ["fuzzy"]
    faults = " ".join(faults_of_entry(wrong))
    for fault in ("fuzzy", "untranslated", "not three plural forms", "other placeholders"):
        assert fault in faults


@pytest.mark.parametrize("language", TRANSLATED)
def test_a_text_has_one_translation(language: str) -> None:
    translations: dict[str, set[str]] = {}
    for found in catalogues(language).values():
        for entry in found:
            texts = "|".join(entry.msgstr_plural.values()) or entry.msgstr
            translations.setdefault(entry.msgid, set()).add(texts)
    assert not {msgid: texts for msgid, texts in translations.items() if len(texts) > 1}


def test_slovak_counts_in_three_forms() -> None:
    for path in (LOCALE / "sk").glob("*.po"):
        assert polib.pofile(str(path)).metadata["Plural-Forms"] == SLOVAK_PLURALS, path.name


def test_our_languages_are_whole_and_offered() -> None:
    assert tuple(our_translations().names) == LANGUAGES


@pytest.mark.parametrize("page", page_types(), ids=lambda page: page.__name__)
def test_page_has_no_hard_coded_text(pseudo_pages: Pages, page: type[Page]) -> None:
    html = bytes(pseudo_pages.render(frame(PSEUDO), full(page)).body).decode()
    assert not hard_coded(html)


@dataclass(frozen=True, slots=True)
class Spoilt:
    template: ClassVar = "spoilt.html"
    text: object = m("Overview")


def test_hard_coded_text_is_found(tmp_path: Path) -> None:
    (tmp_path / "spoilt.html").write_text(
        '{% extends "layout.html" %}{% block content %}<p>{{ page.text|say }} '
        f"{DATUM}</p><p title='Forgotten'>Written here</p>{{% endblock %}}"
    )
    pages = pages_with(PseudoTranslations(CITY.time_zone), tmp_path)
    html = bytes(pages.render(frame(PSEUDO), Spoilt()).body).decode()
    assert hard_coded(html) == ["Forgotten", "Written here"]
