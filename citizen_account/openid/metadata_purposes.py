"""Read why a service asks for data: purposes, shaped like those of a connector's manifest."""

import re

from citizen_account.domain.claims import SHOWN
from citizen_account.domain.clients import ClaimUse, ClientPurpose
from citizen_account.domain.consents import LegalBasis
from citizen_account.openid.metadata_members import Members

_ID = re.compile(r"[a-z][a-z0-9_.-]{0,63}")
# ISO 8601, as far as a retention needs it.
_DURATION = re.compile(r"P(?=.)(\d+Y)?(\d+M)?(\d+W)?(\d+D)?(T(?=.)(\d+H)?(\d+M)?(\d+S)?)?")


def read_purposes(members: Members) -> tuple[ClientPurpose, ...]:
    """Return the purposes in their order. Raises: RegistrationError."""
    purposes = tuple(_read_purpose(purpose) for purpose in members.objects("purposes"))
    ids = [purpose.id for purpose in purposes]
    twice = next((name for name in ids if ids.count(name) > 1), None)
    if twice is not None:
        raise members.fail("purposes", f"the id {twice} comes twice")
    return purposes


def _read_purpose(purpose: Members) -> ClientPurpose:
    name = purpose.text("id")
    if name is None or not _ID.fullmatch(name):
        raise purpose.fail("id", "must be a word of a to z, digits and _ . -")
    if purpose.raw("legal_basis") is None:
        raise purpose.fail("legal_basis", "is missing")
    basis = purpose.choice("legal_basis", LegalBasis.CONSENT)
    reference = purpose.text("legal_reference")
    # GDPR article 6(3): a basis in law has a law.
    if reference is None and basis is not LegalBasis.CONSENT:
        raise purpose.fail("legal_reference", "is needed unless the basis is consent")
    return ClientPurpose(
        id=name,
        text=purpose.local_text("text"),
        basis=basis,
        legal_reference=reference or "",
        retention=_read_retention(purpose),
        claims=tuple(_read_claim(claim) for claim in purpose.objects("claims")),
    )


def _read_retention(purpose: Members) -> str:
    retention = purpose.text("retention")
    if retention is not None and not _DURATION.fullmatch(retention):
        raise purpose.fail("retention", "must be an ISO 8601 duration, for instance P400D")
    return retention or ""


def _read_claim(claim: Members) -> ClaimUse:
    name = claim.text("name")
    if name is None or name not in SHOWN:
        raise claim.fail("name", f"must be one of {', '.join(SHOWN)}")
    # The claims of a connector's manifest call it `why`.
    reason = "why" if claim.raw("reason") is None and claim.raw("why") is not None else "reason"
    return ClaimUse(name, claim.flag("required", default=False), claim.local_text(reason))
