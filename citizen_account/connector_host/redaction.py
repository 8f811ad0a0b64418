"""Keep personal values, references and secrets out of what is written about a call."""

import re
from collections.abc import Collection

WITHHELD = "[…]"
LONGEST = 300
# Short values (a language, a country) would blot out half of every sentence.
SHORTEST_VALUE = 3
PERSONAL = re.compile(
    r"""
      [^\s@<>"']+@[^\s@<>"']+\.[^\s@<>"']+        # an address of mail
    | \b(?:Bearer|Basic|Token)\s+\S+              # a credential of HTTP
    | \beyJ[\w-]+\.[\w-]+\.[\w-]*                 # a JWT
    | (?<=\?)[^\s"']+                             # the query of a URL
    | \b(?=\w*[2-7])[A-Za-z2-7]{16}\b            # a pairwise reference
    | \+?\d[\d ()/-]{7,}\d                        # a telephone, a birth number, a card
    """,
    re.VERBOSE,
)


def redact(text: str, withheld: Collection[str] = ()) -> str:
    """Return the text without the withheld values and without all that looks personal."""
    for value in sorted(withheld, key=len, reverse=True):
        if len(value) >= SHORTEST_VALUE:
            text = text.replace(value, WITHHELD)
    return PERSONAL.sub(WITHHELD, text)[:LONGEST]
