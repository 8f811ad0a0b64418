"""Every template compiles, has a title, and is fed by exactly one frozen dataclass."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import pytest
from jinja2 import UndefinedError

from citizen_account.web.pages import Page, Pages
from tests.examples import (
    TEMPLATES,
    empty,
    frame,
    full,
    our_translations,
    page_types,
    pages_with,
)

# What pages are built from; mails are rendered by the mailer, and tried with it.
PARTS = re.compile(r"^(layout\.html|macros\.html|(.*/)?_[\w-]+\.(html|svg)|email/.*)$")
TITLE = re.compile(r"<title>(?P<words>.*?) \u2013 .*?</title>", re.DOTALL)


@pytest.fixture(scope="module")
def pages() -> Pages:
    return pages_with(our_translations())


def templates() -> Iterable[str]:
    paths = (path.relative_to(TEMPLATES).as_posix() for path in TEMPLATES.rglob("*.*"))
    return sorted(name for name in paths if not PARTS.match(name))


def mistakes(found: Iterable[str], fed: Iterable[str]) -> Iterator[str]:
    fed_times = Counter(fed)
    for name in found:
        if fed_times[name] != 1:
            yield f"{name} is fed by {fed_times[name]} dataclasses"
    yield from (f"{name} does not exist" for name in fed_times if name not in set(found))


def fed_templates() -> list[str]:
    return [vars(page)["template"] for page in page_types()]


def test_each_template_is_fed_by_one_dataclass() -> None:
    assert not list(mistakes(templates(), fed_templates()))


def test_unused_template_is_found() -> None:
    assert list(mistakes(["portal/nobody.html"], [])) == [
        "portal/nobody.html is fed by 0 dataclasses"
    ]


@pytest.mark.parametrize("page", page_types(), ids=lambda page: page.__name__)
def test_page_is_frozen(page: type) -> None:
    assert page.__dataclass_params__.frozen  # type: ignore[attr-defined]  # every dataclass has it


@pytest.mark.parametrize("language", ["sk", "en"])
@pytest.mark.parametrize("page", page_types(), ids=lambda page: page.__name__)
def test_page_renders_with_a_title(pages: Pages, page: type, language: str) -> None:
    examples: list[Page] = [full(page), empty(page)]
    for example in examples:
        for is_signed_in in (True, False):
            response = pages.render(frame(language, is_signed_in=is_signed_in), example)
            html = bytes(response.body).decode()
            title = TITLE.search(html)
            assert title is not None
            assert f'<html lang="{language}"' in html
            if example is examples[0]:
                assert title["words"].strip(), "the title says nothing of the page"


@dataclass(frozen=True, slots=True)
class Misspelt:
    template: ClassVar = "misspelt.html"


def test_misspelt_variable_is_found(tmp_path: Path) -> None:
    (tmp_path / "misspelt.html").write_text("{{ page.titel }}")
    with pytest.raises(UndefinedError):
        pages_with(our_translations(), tmp_path).render(frame("en"), Misspelt())
