"""Show why a service gets data: each purpose with its basis, its claims and how long it keeps."""

from collections.abc import Sequence
from dataclasses import dataclass

from citizen_account.connector_sdk.manifest import LegalBasis, Manifest, Purpose
from citizen_account.domain.texts import LocalText
from citizen_account.i18n import Message, m, mn

BASES = {
    LegalBasis.CONSENT: m("Your consent"),
    LegalBasis.CONTRACT: m("Contract"),
    LegalBasis.LEGAL_OBLIGATION: m("Required by law"),
    LegalBasis.PUBLIC_TASK: m("Public task of the city"),
}
CLAIM_NAMES = {
    "name": m("Name"),
    "given_name": m("Given name"),
    "family_name": m("Family name"),
    "middle_name": m("Middle name"),
    "nickname": m("Nickname"),
    "preferred_username": m("User name"),
    "birthdate": m("Date of birth"),
    "gender": m("Gender"),
    "locale": m("Language"),
    "email": m("Email"),
    "phone_number": m("Phone number"),
    "address": m("Address"),
    "zoneinfo": m("Time zone"),
    "profile": m("Profile on the web"),
    "picture": m("Picture"),
    "website": m("Website"),
}


@dataclass(frozen=True, slots=True)
class ClaimLine:
    name: Message
    reason: LocalText


@dataclass(frozen=True, slots=True)
class PurposeLine:
    id: str
    text: LocalText
    basis: Message
    legal_reference: str
    claims: Sequence[ClaimLine]
    """Each claim that the service is told, with the reason."""
    keeps: Message
    is_choice: bool
    """It rests on consent: the resident decides, and may change her mind."""
    is_agreed: bool


def purpose_lines(manifest: Manifest, agreed: frozenset[str]) -> Sequence[PurposeLine]:
    return [_line(purpose, agreed) for purpose in manifest.purpose]


def _line(purpose: Purpose, agreed: frozenset[str]) -> PurposeLine:
    return PurposeLine(
        id=purpose.id,
        text=purpose.text,
        basis=BASES[purpose.legal_basis],
        legal_reference=purpose.legal_reference,
        claims=[ClaimLine(CLAIM_NAMES[claim.name], claim.why) for claim in purpose.claims],
        keeps=mn(
            "The account keeps the last news for %(num)s day",
            "The account keeps the last news for %(num)s days",
            purpose.retention.days,
        ),
        is_choice=purpose.legal_basis is LegalBasis.CONSENT,
        is_agreed=purpose.id in agreed,
    )
