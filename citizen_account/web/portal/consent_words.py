"""Word the question of the consent page. All words of a decision come from here: they are kept."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import assert_never

from citizen_account.domain.accounts import Account
from citizen_account.domain.asking import AskedClaim, Asking
from citizen_account.domain.claims import Value, claim_values
from citizen_account.domain.clients import Approval, Client, ClientPurpose
from citizen_account.domain.consents import LegalBasis, Notice
from citizen_account.domain.resources import ResourceServer
from citizen_account.domain.texts import in_language
from citizen_account.i18n import Message, Speech, m, mn
from citizen_account.web.portal.purposes import CLAIM_NAMES
from citizen_account.web.service_links import links_of

_DURATION = re.compile(r"P(\d{1,4})([DWMY])")


@dataclass(frozen=True, slots=True)
class ClaimWords:
    id: str
    name: str
    value: str
    """The resident's own, so no part of the notice that is kept."""
    reason: str


@dataclass(frozen=True, slots=True)
class PurposeWords:
    text: str
    basis: str
    retention: str


@dataclass(frozen=True, slots=True)
class LinkWords:
    """A page of the service about itself."""

    name: str
    address: str


@dataclass(frozen=True, slots=True)
class ConsentWords:
    """What the resident reads before she decides, in her language."""

    title: str
    operator: str
    standing: str
    """What kind of service the city says it is."""
    introduction: str
    purposes: Sequence[PurposeWords]
    needed: Sequence[ClaimWords]
    optional: Sequence[ClaimWords]
    optional_hint: str
    remark: str
    """What the service left unsaid."""
    consequences: Sequence[str]
    refusal: str
    allow: str
    deny: str
    links: Sequence[LinkWords]
    is_unknown: bool
    """It registered itself, and nobody of the city has looked at it."""

    def notice(self, language: str) -> Notice:
        """Return every word of the question, without the resident's own data."""
        return Notice(language, "\n".join(filter(None, self._lines())))

    def _lines(self) -> Iterator[str]:
        yield from (self.title, self.operator, self.standing, self.introduction)
        for purpose in self.purposes:
            yield from (purpose.text, purpose.basis, purpose.retention)
        for sign, claims in (("*", self.needed), ("?", self.optional)):
            for claim in claims:
                yield f"{sign} {claim.name}: {claim.reason}".rstrip(": ")
        yield from (self.optional_hint, self.remark, *self.consequences, self.refusal)
        yield from (self.allow, self.deny)
        for link in self.links:
            yield f"{link.name}: {link.address}"


def consent_words(  # noqa: PLR0913, PLR0917  # what the question consists of
    asking: Asking,
    client: Client,
    account: Account,
    speech: Speech,
    languages: Mapping[str, str],
    servers: Sequence[ResourceServer] = (),
) -> ConsentWords:
    """Put the question in words. `languages` are the names of languages by their code."""
    say, service = speech.say, in_language(client.name, speech.language)
    values = claim_values(account)

    def words(claims: Sequence[AskedClaim]) -> Sequence[ClaimWords]:
        return [_claim_words(claim, values, speech, languages) for claim in claims]

    return ConsentWords(
        title=say(_title(asking, service)),
        operator=say(_operator(client, speech.language)),
        standing=say(_standing(client)),
        introduction=say(_introduction(asking)),
        purposes=[_purpose_words(purpose, speech) for purpose in asking.purposes],
        needed=words(asking.required),
        optional=words(asking.optional),
        optional_hint=say(
            m("The service works without these too. Nothing is ticked in advance.")
            if asking.optional
            else m("There is nothing here that you could leave out.")
        ),
        remark=say(m("The service did not say why it needs each of them."))
        if _is_unexplained(asking)
        else "",
        consequences=[
            *(say(message) for message in _consequences(asking)),
            *(say(_acting_at(server, speech.language)) for server in servers),
        ],
        refusal=say(_refusal(asking)),
        allow=say(m("Share and continue") if _is_choice(asking) else m("Continue to the service")),
        deny=say(m("Do not share") if _is_choice(asking) else m("Do not continue")),
        links=[
            LinkWords(say(link.name), link.address) for link in links_of(client, speech.language)
        ],
        is_unknown=client.approval is Approval.NOT_NEEDED,
    )


def value_text(name: str, value: Value | None, speech: Speech, languages: Mapping[str, str]) -> str:
    """Return the value as its owner would write it."""
    if value is None:
        return speech.say(m("You have not filled this in"))
    if name == "birthdate":
        return speech.day(date.fromisoformat(str(value)))
    if name == "locale":
        return languages.get(str(value), str(value))
    if isinstance(value, Mapping):
        return ", ".join(value.get("formatted", "").splitlines())
    return str(value)


def basis_text(purpose: ClientPurpose) -> Message:
    match purpose.basis:
        case LegalBasis.CONSENT:
            return m("Legal basis: your consent. You decide.")
        case LegalBasis.CONTRACT:
            if not purpose.legal_reference:
                return m("Legal basis: a contract with you.")
            return m("Legal basis: a contract with you, %(act)s.", act=purpose.legal_reference)
        case LegalBasis.LEGAL_OBLIGATION:
            return m("Legal basis: the law requires it, %(act)s.", act=purpose.legal_reference)
        case LegalBasis.PUBLIC_TASK:
            return m("Legal basis: a public task, %(act)s.", act=purpose.legal_reference)
        case unexpected:
            assert_never(unexpected)


def retention_text(purpose: ClientPurpose) -> Message:
    found = _DURATION.fullmatch(purpose.retention)
    if found is None:
        return m("The service did not say how long it keeps the data.")
    count = int(found[1])
    match found[2]:
        case "D":
            return mn("Kept for %(num)s day.", "Kept for %(num)s days.", count)
        case "W":
            return mn("Kept for %(num)s week.", "Kept for %(num)s weeks.", count)
        case "M":
            return mn("Kept for %(num)s month.", "Kept for %(num)s months.", count)
        case _:
            return mn("Kept for %(num)s year.", "Kept for %(num)s years.", count)


def _title(asking: Asking, service: str) -> Message:
    if not asking.claims:
        return m("%(client)s wants to sign you in", client=service)
    if _is_choice(asking):
        return m("%(client)s is asking for your data", client=service)
    return m("%(client)s receives your data", client=service)


def _standing(client: Client) -> Message:
    match client.approval:
        case Approval.NOT_NEEDED:
            return m("Registered itself, the city has not checked it")
        case Approval.APPROVED:
            return m("Registered itself, the city has let it in")
        case _ if client.is_first_party:
            return m("Verified city service")
        case _:
            return m("Registered with the city")


def _operator(client: Client, language: str) -> Message:
    name = in_language(client.operator, language)
    # Who runs a service that registered itself nobody has checked; its address is certain.
    is_own_word = client.approval is not None
    return m("Address: %(name)s", name=name) if is_own_word else m("Run by: %(name)s", name=name)


def _introduction(asking: Asking) -> Message:
    if not asking.claims:
        return m("It learns a number that stands for you there: no name, no address.")
    if asking.is_addition:
        return m("You allowed it some of your data before. Now it needs more. Only that is new.")
    return m("The service needs the data below. You can see it before you share it.")


def _consequences(asking: Asking) -> Iterator[Message]:
    yield m("The service knows you by a number that is valid nowhere else.")
    if asking.claims:
        yield m("Every time it receives your data, we write it to your history.")
    if asking.is_offline:
        yield m("It may ask for the data also while you are signed out.")


def _acting_at(server: ResourceServer, language: str) -> Message:
    return m("It may also act for you here: %(name)s", name=in_language(server.name, language))


def _is_unexplained(asking: Asking) -> bool:
    return bool(asking.claims) and not any(claim.reasons for claim in asking.claims)


def _refusal(asking: Asking) -> Message:
    if _is_choice(asking):
        return m("If you do not share, we take you back to the service. Nothing is sent to it.")
    return m("If you do not continue, we take you back. You can also do it in person.")


def _is_choice(asking: Asking) -> bool:
    """Say whether anything rests on the resident's own will (GDPR article 6(1)(a))."""
    return asking.basis is LegalBasis.CONSENT or bool(asking.optional)


def _claim_words(
    claim: AskedClaim, values: Mapping[str, Value], speech: Speech, languages: Mapping[str, str]
) -> ClaimWords:
    reasons = [in_language(reason, speech.language) for reason in claim.reasons]
    return ClaimWords(
        id=claim.name,
        name=speech.say(CLAIM_NAMES[claim.name]),
        value=value_text(claim.name, values.get(claim.name), speech, languages),
        reason="; ".join(reasons),
    )


def _purpose_words(purpose: ClientPurpose, speech: Speech) -> PurposeWords:
    return PurposeWords(
        text=in_language(purpose.text, speech.language),
        basis=speech.say(basis_text(purpose)),
        retention=speech.say(retention_text(purpose)) if purpose.claims else "",
    )
