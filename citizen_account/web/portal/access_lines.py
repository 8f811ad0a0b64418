"""Word who may see a resident's data, and who did."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from citizen_account.connector_sdk.manifest import Manifest
from citizen_account.domain.claims import decided_claims
from citizen_account.domain.clients import Client, ClientPurpose, claims_covered_by, purposes_of
from citizen_account.domain.connections import Connection
from citizen_account.domain.consents import LegalBasis
from citizen_account.domain.ledger import ActorKind, LedgerEntry
from citizen_account.domain.texts import LocalText, in_language
from citizen_account.i18n import Message, Speech, m
from citizen_account.usecases.access_log import AccessLog
from citizen_account.usecases.connections import holding_purposes
from citizen_account.usecases.consents import Access
from citizen_account.web.portal.purposes import CLAIM_NAMES

BASES: Mapping[LegalBasis, Message] = {
    LegalBasis.CONSENT: m("Your consent"),
    LegalBasis.CONTRACT: m("Contract"),
    LegalBasis.LEGAL_OBLIGATION: m("Required by law"),
    LegalBasis.PUBLIC_TASK: m("Public task of the city"),
}
BINDING = frozenset({LegalBasis.LEGAL_OBLIGATION, LegalBasis.PUBLIC_TASK})
_TONES = {LegalBasis.CONSENT: "green", LegalBasis.CONTRACT: "blue"}
_KINDS = {
    ActorKind.RESIDENT: m("You"),
    ActorKind.SERVICE: m("Automatic"),
    ActorKind.CONNECTOR: m("Automatic"),
    ActorKind.STAFF: m("City employee"),
}
# Why somebody looked where no purpose of a service says it.
_REASONS: Mapping[str, Message] = {
    "staff.lookup": m("A written request of yours was looked up"),
    "staff.withdrawal": m("You asked us in writing to withdraw access"),
    "resident.export": m("You downloaded your data"),
}
_CATEGORIES: Mapping[str, Message] = {
    "account": m("Profile"),
    "sign_in": m("Sign-ins"),
    "consent": m("Consents"),
    "consents": m("Consents"),
    "services": m("Services"),
    "messages": m("Messages"),
    "access_log": m("Access log"),
    "history": m("History"),
}
_PLAIN_REASON = m("Signing in with the city account")


@dataclass(frozen=True, slots=True)
class AccessCard:
    """A service that may see her data."""

    id: str
    name: LocalText
    operator: str
    icon: str
    tone: str
    basis: Sequence[Message]
    tag: str
    """The colour of the basis."""
    sees: str
    why: str
    since: date
    last_used: datetime | None
    place: str
    """Where the access is ended: a path of ours without its language."""
    action: Message
    explanation: Message | None = None


@dataclass(frozen=True, slots=True)
class LogLine:
    at: datetime
    who: str
    kind: Message
    what: str
    why: str
    reference: str
    is_own: bool


def card_of_service(access: Access, speech: Speech) -> AccessCard:
    consent, client = access.consent, access.client
    purposes = purposes_behind(access)
    bases = tuple(dict.fromkeys(purpose.basis for purpose in purposes))
    is_binding = not BINDING.isdisjoint(bases)
    return AccessCard(
        id=str(consent.id),
        name=client.name,
        operator=in_language(client.operator, speech.language),
        icon="log-in",
        tone="plum",
        basis=[BASES[basis] for basis in bases],
        tag=_TONES.get(consent.basis, "grey"),
        sees=claims_text(consent.claims, speech),
        why=_sentences(in_language(purpose.text, speech.language) for purpose in purposes),
        since=consent.given_at,
        last_used=consent.last_used_at,
        place=f"privacy/withdraw/{consent.id}",
        action=m("End the sign-in") if is_binding else m("Withdraw access"),
        explanation=law_behind(purposes) if is_binding else None,
    )


def card_of_connection(connection: Connection, manifest: Manifest, speech: Speech) -> AccessCard:
    purposes = holding_purposes(connection, manifest)
    bases = tuple(dict.fromkeys(LegalBasis(purpose.legal_basis) for purpose in purposes))
    claims = frozenset(claim.name for purpose in purposes for claim in purpose.claims)
    texts = (in_language(purpose.text, speech.language) for purpose in purposes)
    return AccessCard(
        id=str(connection.id),
        name=manifest.title,
        operator=speech.say(m("Connected city service")),
        icon=manifest.icon,
        tone=manifest.tone,
        basis=[BASES[basis] for basis in bases],
        tag=_TONES.get(bases[0], "grey") if bases else "grey",
        sees=claims_text(claims, speech),
        why=_sentences(texts),
        since=connection.linked_at,
        last_used=None,
        place=f"services/{connection.connector_id}",
        action=m("Open the service to disconnect it"),
    )


def purposes_behind(access: Access) -> Sequence[ClientPurpose]:
    """Return the purposes that the resident was shown; those dropped since are gone.

    One of which she refused all data is none of hers, unless nothing else is left.
    """
    known = purposes_of(access.client)
    shown = [purpose for purpose in known if purpose.id in access.consent.purposes]
    allowed = [
        purpose
        for purpose in shown
        if not purpose.claims or not claims_covered_by(purpose).isdisjoint(access.consent.claims)
    ]
    return allowed or shown


def law_behind(purposes: Sequence[ClientPurpose]) -> Message:
    acts = [purpose.legal_reference for purpose in purposes if purpose.basis in BINDING]
    return m(
        "The law requires this access, so it cannot be withdrawn: %(act)s. You can end the "
        "sign-in here, and object at the service.",
        act=", ".join(dict.fromkeys(acts)),
    )


def claims_text(claims: frozenset[str], speech: Speech) -> str:
    """List claims in the order of the pages; companions go without saying."""
    names = [speech.say(CLAIM_NAMES[claim]) for claim in decided_claims(claims)]
    return ", ".join(names) or speech.say(m("Only a number that stands for you"))


def log_lines(
    log: AccessLog, manifests: Mapping[str, Manifest], speech: Speech
) -> Sequence[LogLine]:
    return [_line(entry, log.clients, manifests, speech) for entry in log.entries]


def actor_name(
    actor: str, clients: Mapping[str, Client], manifests: Mapping[str, Manifest], speech: Speech
) -> str:
    if actor in clients:
        return in_language(clients[actor].name, speech.language)
    if actor in manifests:
        return in_language(manifests[actor].title, speech.language)
    return actor


def _line(
    entry: LedgerEntry,
    clients: Mapping[str, Client],
    manifests: Mapping[str, Manifest],
    speech: Speech,
) -> LogLine:
    who = actor_name(entry.actor, clients, manifests, speech)
    if entry.actor_kind is ActorKind.STAFF:
        who = speech.say(m("City office"))
    if entry.actor_kind is ActorKind.RESIDENT:
        who = speech.say(m("You"))
    return LogLine(
        at=entry.at,
        who=who,
        kind=_KINDS[entry.actor_kind],
        what=_what(entry, speech),
        why=_why(entry, clients, manifests, speech),
        reference="" if _is_id(entry.reference) else entry.reference,
        is_own=entry.actor_kind is ActorKind.RESIDENT,
    )


def _what(entry: LedgerEntry, speech: Speech) -> str:
    claims = frozenset(entry.what)
    named = [speech.say(CLAIM_NAMES[claim]) for claim in decided_claims(claims)]
    others = sorted(
        speech.say(_CATEGORIES[name]) if name in _CATEGORIES else name
        for name in claims
        if not _is_claim(name)
    )
    return ", ".join([*named, *others]) or speech.say(m("Only a number that stands for you"))


def _is_claim(name: str) -> bool:
    return bool(decided_claims(frozenset({name}))) or name == "updated_at"


def _why(
    entry: LedgerEntry,
    clients: Mapping[str, Client],
    manifests: Mapping[str, Manifest],
    speech: Speech,
) -> str:
    if entry.actor_kind in {ActorKind.STAFF, ActorKind.RESIDENT}:
        reason = _REASONS.get(entry.purpose)
        return entry.purpose if reason is None else speech.say(reason)
    texts = dict(_purpose_texts(clients.get(entry.actor), manifests.get(entry.actor)))
    found = [texts[name] for name in entry.purpose.split() if name in texts]
    told = _sentences(in_language(text, speech.language) for text in found)
    return told or speech.say(_PLAIN_REASON)


def _sentences(texts: Iterable[str]) -> str:
    """Put texts behind each other, each with its full stop: some sources write it, some do not."""
    return " ".join(f"{text.rstrip('.')}." for text in texts)


def _purpose_texts(
    client: Client | None, manifest: Manifest | None
) -> Iterator[tuple[str, LocalText]]:
    if client is not None:
        yield from ((purpose.id, purpose.text) for purpose in purposes_of(client))
    if manifest is not None:
        yield from ((purpose.id, purpose.text) for purpose in manifest.purpose)


def _is_id(reference: str) -> bool:
    """Say whether it is an id of ours, of no use to a reader."""
    try:
        UUID(reference)
    except ValueError:
        return False
    return True
