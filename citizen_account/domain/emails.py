"""Read an e-mail address: one spelling of each, and none that passes for another."""

import re
import unicodedata
from dataclasses import dataclass

MAX_ADDRESS = 254
MAX_LOCAL_PART = 64
MAX_LABEL = 63
SHOWN = 1

# RFC 5321 section 4.1.2: the dot-string form. The quoted form is used by nobody but attackers.
_LOCAL_PART = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*")
_LABEL = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?")
_TOP_LEVEL = re.compile(r"[a-z]{2,}|xn--[a-z0-9-]+")
# The accented letters of the languages that write in Latin; letters of other scripts look like
# these (homographs), so a domain that holds them is entered in its xn-- form.
_ACCENTED = frozenset(
    letter
    for letter in map(chr, range(0xDF, 0x180))
    if letter.isalpha() and letter.casefold() == letter and letter.upper().lower() == letter
)


@dataclass(frozen=True, slots=True)
class EmailAddress:
    """An address as its owner writes it, with the domain in the form that DNS knows."""

    text: str

    @property
    def canonical(self) -> str:
        """What two spellings of one mailbox share: an address belongs to one account."""
        return self.text.casefold()

    @property
    def masked(self) -> str:
        """Return "j…@example.sk": enough to know one's own, too little to learn another's."""
        local_part, _, domain = self.text.partition("@")
        return f"{local_part[:SHOWN]}…@{domain}"

    @property
    def local_part(self) -> str:
        return self.text.partition("@")[0]


def read_email(given: str) -> EmailAddress | None:
    """Return the address, or None for what cannot be one or could pass for another."""
    local_part, at, domain = unicodedata.normalize("NFC", given.strip()).rpartition("@")
    if not at or len(local_part) > MAX_LOCAL_PART or not _LOCAL_PART.fullmatch(local_part):
        return None
    name = _read_domain(domain.lower())
    if name is None or len(local_part) + 1 + len(name) > MAX_ADDRESS:
        return None
    return EmailAddress(f"{local_part}@{name}")


def _read_domain(domain: str) -> str | None:
    labels = [_read_label(label) for label in domain.split(".")]
    known = [label for label in labels if label]
    if len(known) != len(labels) or len(known) < 2 or not _TOP_LEVEL.fullmatch(known[-1]):  # noqa: PLR2004  # a name and its top level
        return None
    return ".".join(known)


def _read_label(label: str) -> str | None:
    if not label or len(label) > MAX_LABEL:
        return None
    if label.isascii():
        return label if _LABEL.fullmatch(label) else None
    plain = "".join("a" if letter in _ACCENTED else letter for letter in label)
    if not _LABEL.fullmatch(plain):
        return None
    # RFC 3492: what DNS asks for. The letters allowed above read alike in IDNA 2003 and 2008.
    encoded = "xn--" + label.encode("punycode").decode("ascii")
    return encoded if len(encoded) <= MAX_LABEL else None
