"""Read what a resident writes of herself: one line each, in letters that show what they are."""

import re
import unicodedata

MAX_NAME = 100
MAX_LINE = 150
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


def _is_hidden(character: str) -> bool:
    # Control, format (bidirectional marks among them), surrogate, private and unassigned.
    return unicodedata.category(character).startswith("C")
