"""Every setting, command, route and error code is documented, and nothing that is not there."""

import re

import pytest

from tests.structure import reference


@pytest.fixture(scope="module")
def document() -> str:
    return reference.DOCUMENT.read_text(encoding="utf-8")


@pytest.mark.parametrize("title", ["Settings", "Commands", "Routes", "Error codes"])
def test_reference_lists_what_the_code_has(document: str, title: str) -> None:
    _, entries = reference.sections()[title]
    documented = {key for key in reference.words_of(document) if key.startswith(f"{title}/")}
    assert documented == {f"{title}/{entry.key}" for entry in entries}


def test_reference_is_as_the_code_would_write_it(document: str) -> None:
    assert reference.render(document) == document, "run: python -m tests.structure.reference"


def test_operators_read_the_same_table_of_settings(document: str) -> None:
    operating = reference.OPERATING.read_text(encoding="utf-8")
    same = reference.with_settings(operating, document)
    assert same == operating, "run: python -m tests.structure.reference"
    row = next(line for line in operating.splitlines() if line.startswith("| `CITIZEN_BRAND` "))
    assert reference.with_settings(operating.replace(f"{row}\n", ""), document) == operating


def test_every_row_has_words(document: str) -> None:
    assert not reference.unexplained(document)


def test_missing_and_invented_rows_are_found(document: str) -> None:
    first = next(line for line in document.splitlines() if line.startswith("| `CITIZEN_"))
    assert reference.render(document.replace(f"{first}\n", "")) != document.replace(
        f"{first}\n", ""
    )
    invented = document.replace(first, f"{first}\n| `CITIZEN_INVENTED` |  | Nothing. |")
    assert reference.render(invented) == document


def test_row_without_words_is_found(document: str) -> None:
    silent = re.sub(r"\| [^|]+ \|$", "|  |", document, count=0, flags=re.MULTILINE)
    assert reference.unexplained(silent)
