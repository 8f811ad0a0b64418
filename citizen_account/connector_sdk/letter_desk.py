"""Speak to a desk that checks letters: one small way to link where the source knows no residents.

The standards of back offices have no step in which a person proves that a case is hers. A city
puts a desk beside its system: it compares the reference and the secret of a paper letter and
writes the resident's pairwise reference on what the letter opens. Four requests, all `POST` with
JSON: `link {subject, reference, secret, email?}`, `unlink {subject}`, `forget {subject}` (the
e-mail address only), `status {subject}`. It answers 200 `{state, label, email?}`, 204, or
`{code}` with 403 `wrong_secret`, 423 `too_many_tries`, 409 `already_used`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from citizen_account.connector_sdk.errors import Gone, Misconfigured, Refused
from citizen_account.connector_sdk.http import ConnectorHttp
from citizen_account.connector_sdk.models import Context, Link, LinkState, Text
from citizen_account.connector_sdk.reading import Json, Said, read

# Nobody has it: digits 0 and 1 do not occur in base32.
NOBODY = "0000-health-0000"

WRONG_SECRET: Text = {
    "en": "The reference or the secret does not match. Check both in the letter.",
    "sk": "Číslo alebo tajný kód nesedí. Skontrolujte oboje v liste.",
}
TOO_MANY_TRIES: Text = {
    "en": "This letter is blocked after five wrong tries. Ask the office for a new one.",
    "sk": "List je po piatich nesprávnych pokusoch zablokovaný. Požiadajte úrad o nový.",
}
ALREADY_USED: Text = {
    "en": "This letter was already used by another account. Ask the office for a new one.",
    "sk": "Tento list už použil iný účet. Požiadajte úrad o nový.",
}
REFUSALS: Mapping[str, tuple[str, Text]] = MappingProxyType(
    {
        "wrong_secret": ("wrong_secret", WRONG_SECRET),
        "too_many_tries": ("too_many_tries", TOO_MANY_TRIES),
        "already_used": ("expired", ALREADY_USED),
    }
)


class _Answer(Said):
    state: str = ""
    label: str = ""
    email: str = ""
    code: str = ""


@dataclass(frozen=True, slots=True)
class Registered:
    """What the desk keeps about a resident; `email` only where she gave it."""

    is_linked: bool
    label: str
    email: str


@dataclass(frozen=True, slots=True)
class LetterDesk:
    http: ConnectorHttp

    async def link(self, context: Context, reference: str, secret: str, *, email: str = "") -> Link:
        """Link by a letter. Raises `Refused` as `LinkCapability` says."""
        asked: dict[str, Json] = {
            "subject": context.subject,
            "reference": reference,
            "secret": secret,
        }
        if email:
            asked["email"] = email
        reply = await self.http.request("POST", "link", json=asked, expected=(403, 409, 423))
        answer = read(_Answer, reply.body)
        if answer.state == "linked":
            return Link(LinkState.LINKED, answer.label)
        if answer.code not in REFUSALS:
            raise Misconfigured(f"the desk answered {reply.status} without a reason")
        why, text = REFUSALS[answer.code]
        raise Refused(why, text)

    async def unlink(self, context: Context) -> None:
        """Forget the resident; forgetting twice is fine."""
        try:
            await self._ask("unlink", context.subject)
        except Gone:
            return

    async def forget_email(self, context: Context) -> None:
        """Take back the e-mail address that was given; the link stays."""
        await self._ask("forget", context.subject)

    async def status(self, subject: str) -> Registered:
        answer = read(_Answer, await self._ask("status", subject))
        return Registered(answer.state == "linked", answer.label, answer.email)

    async def probe(self) -> None:
        """Ask for nobody, to see whether the desk works."""
        await self.status(NOBODY)

    async def _ask(self, action: str, subject: str) -> Json:
        asked: Json = {"subject": subject}
        # Both may be repeated without harm.
        return (await self.http.request("POST", action, json=asked, is_read=True)).body
