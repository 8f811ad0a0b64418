"""Remember which resident a letter was used for, and how often it was tried in vain.

The links outlive the process when a file is given: the account keeps its side of a link too.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from hmac import compare_digest
from pathlib import Path

from citizen_account.demo.city_facts import LETTERS, Letter

TRIES = 5
# Wrong references are counted like real ones, so that a stranger cannot tell them apart.
MOST_COUNTED = 10_000


class Verdict(StrEnum):
    LINKED = "linked"
    WRONG = "wrong"
    BLOCKED = "blocked"
    USED = "used"


@dataclass(slots=True)
class Entry:
    tries: int = 0
    subject: str = ""
    email: str = ""
    """Where the office may write, if the resident allowed it."""


class Register:
    def __init__(self, letters: Sequence[Letter] = LETTERS, path: Path | None = None) -> None:
        self._letters = {letter.reference: letter for letter in letters}
        self._path = path
        self._entries: dict[str, Entry] = {}
        if path is not None and path.exists():
            kept = json.loads(path.read_text(encoding="utf-8"))
            self._entries = {reference: Entry(**entry) for reference, entry in kept.items()}

    def link(self, service: str, reference: str, secret: str, subject: str) -> Verdict:
        """Write the resident's reference on what the letter opens; five wrong secrets block it."""
        reference = reference.strip().upper()
        entry = self._entry(reference)
        if entry.tries >= TRIES:
            return Verdict.BLOCKED
        letter = self._letters.get(reference)
        if letter is None or letter.service != service or not _is_same(secret, letter.secret):
            entry.tries += 1
            self._keep()
            return Verdict.BLOCKED if entry.tries >= TRIES else Verdict.WRONG
        if entry.subject not in ("", subject):
            return Verdict.USED
        entry.subject, entry.tries = subject, 0
        self._keep()
        return Verdict.LINKED

    def unlink(self, service: str, subject: str) -> None:
        for letter in self.letters_of(service, subject):
            self._entries[letter.reference] = Entry()
        self._keep()

    def set_email(self, service: str, subject: str, email: str) -> None:
        for letter in self.letters_of(service, subject):
            self._entries[letter.reference].email = email
        self._keep()

    def email_of(self, service: str, subject: str) -> str:
        emails = (self._entries[one.reference].email for one in self.letters_of(service, subject))
        return next((email for email in emails if email), "")

    def letters_of(self, service: str, subject: str) -> Sequence[Letter]:
        """Return the letters that the resident has used at this service."""
        return [
            letter
            for letter in self._letters.values()
            if letter.service == service
            and subject
            and self.subject_of(letter.reference) == subject
        ]

    def subject_of(self, reference: str) -> str:
        entry = self._entries.get(reference)
        return entry.subject if entry else ""

    def reset(self) -> None:
        self._entries.clear()
        self._keep()

    def _entry(self, reference: str) -> Entry:
        if reference not in self._entries and len(self._entries) >= MOST_COUNTED:
            return Entry()
        return self._entries.setdefault(reference, Entry())

    def _keep(self) -> None:
        if self._path is None:
            return
        kept = {reference: asdict(entry) for reference, entry in self._entries.items()}
        draft = self._path.with_suffix(".new")
        draft.write_text(json.dumps(kept), encoding="utf-8")
        draft.replace(self._path)


def _is_same(typed: str, secret: str) -> bool:
    """Compare what a person typed off, whatever she did with case, spaces and the dash."""
    return compare_digest(_bare(typed), _bare(secret))


def _bare(secret: str) -> bytes:
    return "".join(sign for sign in secret.upper() if sign.isalnum()).encode(errors="replace")
