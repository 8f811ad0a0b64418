"""A city's colours keep WCAG AA, and the vendored files are what they say they are."""

import json
import re
from base64 import b64encode
from collections.abc import Iterator, Mapping
from hashlib import sha384
from pathlib import Path

import pytest

from citizen_account.resources import STATIC

BRANDS = sorted((STATIC / "brand").glob("*.css"))
VENDORED = sorted((STATIC / "vendor").iterdir())
COLOUR = re.compile(r"--([\w-]+):\s*(#[0-9a-fA-F]{3,6})")
# What every brand shares: set in city.css.
SHARED = {
    "focus-text": "#14120b",
    "white": "#ffffff",
    "error": "#b3121f",
    "success": "#0b6b43",
    "input-border": "#5d6270",
    "warning": "#7a4b00",
    "banner": "#fff4d6",
    "banner-text": "#3d2c00",
}
# WCAG 2.2 sections 1.4.3 (text: 4.5) and 1.4.11 (parts of controls, graphics: 3).
TEXT, GRAPHIC = 4.5, 3.0
PAIRS = (
    ("city-text", "white", TEXT),
    ("city-text", "city-paper", TEXT),
    ("city-text-2", "white", TEXT),
    ("city-text-2", "city-paper", TEXT),
    ("city-link", "white", TEXT),
    ("city-link", "city-paper", TEXT),
    ("city-link-hover", "white", TEXT),
    ("city-on-ink", "city-ink", TEXT),
    ("city-on-ink", "city-ink-hover", TEXT),
    ("city-ink", "city-paper-2", TEXT),
    ("white", "city-accent", TEXT),
    ("focus-text", "city-focus", TEXT),
    ("error", "white", TEXT),
    ("warning", "white", TEXT),
    ("banner-text", "banner", TEXT),
    ("city-accent", "white", GRAPHIC),
    ("city-mark", "white", GRAPHIC),
    ("input-border", "white", GRAPHIC),
    ("success", "white", GRAPHIC),
    ("success", "city-paper", GRAPHIC),
)
# GOV.UK's own identity is not ours to show (README of govuk-frontend, "Licence").
OTHERS_IDENTITY = re.compile(r"GDS Transport|govuk-crest|GOV\.UK|url\(['\"]?https?:")


def luminance(colour: str) -> float:
    """Return the relative luminance (WCAG 2.2, definition)."""
    digits = colour.lstrip("#")
    digits = "".join(digit * 2 for digit in digits) if len(digits) == 3 else digits
    parts = (int(digits[start : start + 2], 16) / 255 for start in (0, 2, 4))
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    darker, lighter = sorted((luminance(one), luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def weak_pairs(colours: Mapping[str, str]) -> Iterator[str]:
    for one, other, least in PAIRS:
        if contrast(colours[one], colours[other]) < least:
            yield f"{one} on {other}"


def colours_of(css: str) -> Mapping[str, str]:
    return {**dict(COLOUR.findall(css)), **SHARED}


@pytest.mark.parametrize("brand", BRANDS, ids=lambda path: path.stem)
def test_brand_keeps_contrast(brand: Path) -> None:
    assert not list(weak_pairs(colours_of(brand.read_text())))


def test_weak_pair_is_found() -> None:
    pale = colours_of(BRANDS[0].read_text() + ":root{--city-link:#9bbbe0}")
    assert "city-link on white" in list(weak_pairs(pale))


def test_shared_colours_are_those_of_the_sheet() -> None:
    sheet = (STATIC / "city.css").read_text()
    written = SHARED.items() - {("white", "#ffffff")}
    assert not [name for name, colour in written if colour not in sheet]


def test_every_property_that_we_set_exists() -> None:
    """Upstream may rename them: the version is pinned, and this tells at the next one."""
    set_by_us = set(re.findall(r"(--govuk-[\w-]+)\s*:", (STATIC / "city.css").read_text()))
    vendored = next(STATIC.glob("vendor/*/govuk.css")).read_text()
    assert set_by_us
    assert not set_by_us - set(re.findall(r"(--govuk-[\w-]+)\s*:", vendored))


@pytest.mark.parametrize("folder", VENDORED, ids=lambda path: path.name)
def test_vendored_files_match_their_manifest(folder: Path) -> None:
    manifest = json.loads((folder / "manifest.json").read_text())
    for name, facts in manifest["files"].items():
        digest = sha384((folder / name).read_bytes()).digest()
        assert facts["sri"] == f"sha384-{b64encode(digest).decode()}"
    assert (folder / "LICENSE.txt").is_file()


def test_nothing_of_anothers_identity_is_shown() -> None:
    root = STATIC.parents[1]
    shown = [
        *STATIC.rglob("*.css"),
        *STATIC.rglob("*.svg"),
        *(root / "templates").rglob("*.html"),
    ]
    assert not [str(path) for path in shown if OTHERS_IDENTITY.search(path.read_text())]


def test_third_parties_are_named() -> None:
    told = (STATIC.parents[1] / "THIRD_PARTY.md").read_text()
    for folder in VENDORED:
        assert folder.name in told
    for licence in ("OFL.txt", "icons.LICENSE.txt", "LICENSE.txt"):
        assert licence in told
