"""Say whether a password is good enough: by length and by what everyone would guess first."""

import re
import unicodedata
from collections.abc import Iterable
from enum import StrEnum

from citizen_account.domain.common_passwords import COMMON_PASSWORDS, RUNS

# NIST SP 800-63B-4 section 3.1.1.2: fifteen where the password is the only factor; no rule about
# kinds of characters. OWASP ASVS 5.0 6.2.9: long ones are welcome, up to a bound.
MIN_CHARACTERS = 15
MAX_CHARACTERS = 256
MAX_BYTES = 1024
MIN_CONTEXT_WORD = 4
MIN_WITHOUT_CONTEXT = 8
MIN_RUN = 5

_WORD = re.compile(r"\w+")


class PasswordProblem(StrEnum):
    TOO_SHORT = "too_short"
    TOO_LONG = "too_long"
    UNREADABLE = "unreadable"
    """Holds a character that no keyboard makes: NUL, or half of a pair."""
    TOO_COMMON = "too_common"
    NAMES_ITS_OWNER = "names_its_owner"


def normalise_password(given: str) -> str:
    """Return the one spelling that is hashed: an accent is one character or two by system."""
    return unicodedata.normalize("NFC", given)


def is_hashable(given: str) -> bool:
    """Say whether the text may reach the hash at all, whoever typed it and where.

    Checked before the text is normalised, so that a megabyte costs nothing.
    """
    # A character of UTF-8 has at most four bytes and at least one.
    if len(given) > MAX_BYTES or "\0" in given:
        return False
    try:
        return len(given.encode()) <= MAX_BYTES
    except UnicodeEncodeError:
        return False


def find_password_problem(given: str, *, context: Iterable[str] = ()) -> PasswordProblem | None:
    """Return why a new password is refused, or None.

    `context` is what a stranger knows: the city's name, the address, the own name.
    """
    if len(given) > MAX_BYTES:
        return PasswordProblem.TOO_LONG
    if "\0" in given or any("\ud800" <= character <= "\udfff" for character in given):
        return PasswordProblem.UNREADABLE
    password = normalise_password(given)
    return _find_length_problem(password) or _find_guess(password, context)


def _find_length_problem(password: str) -> PasswordProblem | None:
    if len(password) > MAX_CHARACTERS or len(password.encode()) > MAX_BYTES:
        return PasswordProblem.TOO_LONG
    return PasswordProblem.TOO_SHORT if len(password) < MIN_CHARACTERS else None


def _find_guess(password: str, context: Iterable[str]) -> PasswordProblem | None:
    if _is_common(password):
        return PasswordProblem.TOO_COMMON
    return PasswordProblem.NAMES_ITS_OWNER if _is_mostly(context, password) else None


def _is_common(password: str) -> bool:
    plain = _plain(password)
    return plain in COMMON_PASSWORDS or _is_repetition(plain) or _is_chain_of_runs(plain)


def _is_repetition(plain: str) -> bool:
    """Say whether a short piece is only written again and again, as in "abcabcabcabcabc"."""
    return any(
        (plain[:length] * (len(plain) // length + 1))[: len(plain)] == plain
        for length in range(1, len(plain) // 2 + 1)
    )


def _is_chain_of_runs(plain: str) -> bool:
    """Say whether it only follows the keyboard or the alphabet, as in "qwertyuiop12345"."""
    left = plain
    while len(left) >= MIN_RUN:
        length = next(
            (size for size in range(len(left), MIN_RUN - 1, -1) if _is_run(left[:size])), 0
        )
        if not length:
            return False
        left = left[length:]
    return len(left) < MIN_RUN


def _is_run(piece: str) -> bool:
    return any(piece in run or piece in run[::-1] for run in RUNS)


def _is_mostly(context: Iterable[str], password: str) -> bool:
    left = _plain(password)
    words = {word for text in context for word in _WORD.findall(_plain(text))}
    known = sorted((word for word in words if len(word) >= MIN_CONTEXT_WORD), key=len, reverse=True)
    for word in known:
        left = left.replace(word, "")
    return len(left) < MIN_WITHOUT_CONTEXT


def _plain(text: str) -> str:
    """Return the letters without accents and case: what a guessing program tries first."""
    parts = unicodedata.normalize("NFKD", text).casefold()
    return "".join(character for character in parts if not unicodedata.combining(character))
