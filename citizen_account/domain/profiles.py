"""Read what a resident writes of herself: one line each, in letters that show what they are."""

import re
import unicodedata
from collections.abc import Container
from urllib.parse import urlsplit

MAX_NAME = 100
MAX_LINE = 150
MAX_ADDRESS = 500
ADDRESSES = frozenset({"profile", "picture", "website"})
"""The claims that are addresses of web pages (OIDC Core section 5.1)."""
# ITU-T E.164: a country code, and fifteen digits at most.
_PHONE = re.compile(r"\+[1-9][0-9]{6,14}")
_PUNCTUATION = re.compile(r"[\s().\-/\u00a0]+")


def read_line(given: str, limit: int = MAX_LINE) -> str | None:
    """Return the text with single blanks, or None when it is too long or holds hidden characters.

    Hidden ones turn a text around or stand for nothing: a name would not be what it looks like.
    """
    line = " ".join(unicodedata.normalize("NFC", given).split())
    if len(line) > limit or any(_is_hidden(character) for character in line):
        return None
    return line


def read_phone(given: str) -> str | None:
    """Return the number as E.164 writes it, an empty one as it is, or None for no number."""
    bare = _PUNCTUATION.sub("", given)
    if bare.startswith("00"):
        bare = "+" + bare[2:]
    return bare if not bare or _PHONE.fullmatch(bare) else None


def read_further(name: str, given: str, zones: Container[str]) -> str | None:
    """Return the value of a claim that comes with an account, or None when it has another form.

    `zones` are the names of the IANA time zones.
    """
    line = read_line(given, MAX_ADDRESS if name in ADDRESSES else MAX_LINE)
    if not line:
        return line
    is_good = _is_web_address(line) if name in ADDRESSES else name != "zoneinfo" or line in zones
    return line if is_good else None


def _is_web_address(text: str) -> bool:
    try:
        parts = urlsplit(text)
        is_there = bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        return False
    is_bare = parts.username is None and parts.password is None
    return parts.scheme == "https" and is_there and is_bare and text.isascii() and " " not in text


def _is_hidden(character: str) -> bool:
    # Control, format (bidirectional marks among them), surrogate, private and unassigned.
    return unicodedata.category(character).startswith("C")
