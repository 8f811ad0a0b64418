"""Plan what a resident is asked before a service receives her data, and read her answer."""

from collections.abc import Sequence
from dataclasses import dataclass

from citizen_account.domain.claims import (
    claims_behind,
    claims_of_scopes,
    decided_claims,
    only_held,
    stands_for,
)
from citizen_account.domain.clients import Client, ClientPurpose, claims_open_to, purposes_of
from citizen_account.domain.consents import Consent, LegalBasis, Request, strictest
from citizen_account.domain.texts import LocalText


@dataclass(frozen=True, slots=True)
class AskedClaim:
    """One line of the question: a claim, and why the service wants it."""

    name: str
    is_required: bool
    reasons: tuple[LocalText, ...]


@dataclass(frozen=True, slots=True)
class Asking:
    """The whole question. `claims` are those to be decided now."""

    request: Request
    purposes: tuple[ClientPurpose, ...]
    claims: tuple[AskedClaim, ...]
    is_addition: bool
    """Something was allowed before: only what is new is shown."""
    is_offline: bool
    """Access goes on while the resident is signed out (OIDC Core section 11)."""

    @property
    def required(self) -> tuple[AskedClaim, ...]:
        return tuple(claim for claim in self.claims if claim.is_required)

    @property
    def optional(self) -> tuple[AskedClaim, ...]:
        return tuple(claim for claim in self.claims if not claim.is_required)

    @property
    def basis(self) -> LegalBasis:
        return strictest(purpose.basis for purpose in self.purposes)


@dataclass(frozen=True, slots=True)
class Answer:
    """What holds once the resident has allowed: this question and earlier ones together."""

    scopes: frozenset[str]
    claims: frozenset[str]
    refused: frozenset[str]
    purposes: frozenset[str]


def request_of(
    client: Client, scope: Sequence[str], named: frozenset[str], held: frozenset[str]
) -> Request:
    """Reduce scopes and singly named claims to what a purpose of the client covers.

    `held` are the further claims that came with the account: of those, no other is asked about.
    """
    scopes = frozenset(scope)
    wanted = claims_of_scopes(scopes) | named if "openid" in scopes else frozenset()
    claims = only_held(wanted & claims_open_to(client), held)
    purposes = _purposes(client, claims)
    needed = {use.name for purpose in purposes for use in purpose.claims if use.is_required}
    required = {name for name in claims if name in needed or stands_for(name, claims) in needed}
    return Request(
        scopes=scopes,
        claims=claims,
        required=claims_behind(
            frozenset(filter(None, (stands_for(name, claims) for name in required))), claims
        ),
        purposes=frozenset(purpose.id for purpose in purposes),
    )


def plan(client: Client, request: Request, standing: Consent | None, *, in_full: bool) -> Asking:
    """Say what to ask. With a standing consent only what it does not answer, unless in full."""
    if standing is not None and standing.ended_at is not None:
        standing = None
    is_addition = standing is not None and not in_full
    open_claims = request.claims
    if standing is not None and is_addition:
        open_claims -= standing.claims | (standing.refused - request.required)
    purposes = _purposes(client, request.claims)
    return Asking(
        request=request,
        purposes=purposes,
        claims=tuple(
            AskedClaim(
                name,
                is_required=name in _decided(request.required, request.claims),
                reasons=_reasons(purposes, name),
            )
            for name in decided_claims(request.claims)
            if name in _decided(open_claims, request.claims)
        ),
        is_addition=is_addition,
        is_offline="offline_access" in request.scopes,
    )


def answer(asking: Asking, chosen: frozenset[str], standing: Consent | None) -> Answer:
    """Join the resident's choice with what she decided before. Only what was asked counts."""
    request = asking.request
    shown = frozenset(claim.name for claim in asking.claims)
    required = frozenset(claim.name for claim in asking.required)
    asked = frozenset(
        claim for claim in request.claims if stands_for(claim, request.claims) in {*shown, None}
    )
    allowed = claims_behind(required | (chosen & shown), asked)
    before = standing if standing is not None and standing.ended_at is None else None
    if before is None:
        return Answer(request.scopes, allowed, asked - allowed, request.purposes)
    claims = (before.claims - asked) | allowed
    return Answer(
        scopes=before.scopes | request.scopes,
        claims=claims,
        refused=(before.refused | asked) - claims,
        purposes=before.purposes | request.purposes,
    )


def _purposes(client: Client, claims: frozenset[str]) -> tuple[ClientPurpose, ...]:
    """Return the purposes that the request touches; one that needs no claim is always touched."""
    return tuple(
        purpose
        for purpose in purposes_of(client)
        if not purpose.claims or any(_is_about(use.name, claims) for use in purpose.claims)
    )


def _is_about(name: str, claims: frozenset[str]) -> bool:
    return name in claims or any(stands_for(claim, claims) == name for claim in claims)


def _decided(some: frozenset[str], requested: frozenset[str]) -> frozenset[str]:
    return frozenset(filter(None, (stands_for(claim, requested) for claim in some)))


def _reasons(purposes: Sequence[ClientPurpose], name: str) -> tuple[LocalText, ...]:
    return tuple(
        use.reason
        for purpose in purposes
        for use in purpose.claims
        if use.name == name and use.reason
    )
