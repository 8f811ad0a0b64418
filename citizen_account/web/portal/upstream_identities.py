"""Decide what a proven identity opens: a new account or one's own; list and remove them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from typing import ClassVar
from uuid import UUID

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from citizen_account.bootstrap import Runtime
from citizen_account.domain.challenges import Onward
from citizen_account.domain.errors import DomainError, ErrorCode
from citizen_account.domain.texts import LocalText
from citizen_account.domain.upstreams import Arrival, Identity, is_fresh
from citizen_account.i18n import Message, m
from citizen_account.storage.unit_of_work import UnitOfWork
from citizen_account.usecases.upstreams import (
    LinkOutcome,
    UnlinkOutcome,
    create_account,
    find_arrival,
    is_address_taken,
    link_arrival,
    list_identities,
    unlink_identity,
)
from citizen_account.web.cookies import browser_secret
from citizen_account.web.dependencies import (
    InLanguage,
    InRuntime,
    OurForm,
    SignedIn,
    SignedInForm,
)
from citizen_account.web.frames import frame_of, show
from citizen_account.web.places import with_query
from citizen_account.web.portal.confirmation import ask_to_confirm
from citizen_account.web.portal.onward import browser_of, enter, onward_place
from citizen_account.web.portal.purposes import CLAIM_NAMES
from citizen_account.web.portal.upstream_sign_in import Why, depart, find_provider

router = APIRouter(prefix="/{language}", include_in_schema=False)
HERE = "security/identities"

OUTCOMES = {
    LinkOutcome.LINKED: m("It is connected. From now on you can sign in with it too."),
    LinkOutcome.TAKEN: m("It opens another account already, so nothing was changed."),
    LinkOutcome.STALE: m("Your sign-in is older than ten minutes, so nothing was changed."),
    LinkOutcome.EXPIRED: m("It took too long, so nothing was changed. Please try again."),
    UnlinkOutcome.UNLINKED: m("It is removed and no longer opens your account."),
    UnlinkOutcome.LAST: m("It is your only way to sign in. Set a password first."),
    Why.CANCELLED: m("You stopped, so nothing was changed."),
    Why.REFUSED: m("The answer that came back was not in order, so nothing was changed."),
    Why.UNAVAILABLE: m("It does not answer now, so nothing was changed. Try again later."),
}
GOOD_NEWS = frozenset({LinkOutcome.LINKED, UnlinkOutcome.UNLINKED})


@dataclass(frozen=True, slots=True)
class FirstTimePage:
    """Somebody proven whom we do not know: a new account or her own."""

    template: ClassVar = "portal/upstream_first_time.html"
    provider: LocalText
    name: str
    email: str
    """Masked; empty when the provider gave none that is verified."""
    further: Sequence[tuple[Message, str]]
    """What else a new account would begin with."""
    is_address_taken: bool
    arrival: str


@dataclass(frozen=True, slots=True)
class ConnectPage:
    """Signed in here and proven there: the two may belong together."""

    template: ClassVar = "portal/upstream_connect.html"
    provider: LocalText
    proven_name: str
    own_name: str
    arrival: str


@dataclass(frozen=True, slots=True)
class IdentityLine:
    id: UUID
    provider: LocalText
    linked_at: datetime
    last_used_at: datetime


@dataclass(frozen=True, slots=True)
class IdentitiesPage:
    """The other providers that open the account, and those that could."""

    template: ClassVar = "portal/upstream_identities.html"
    lines: Sequence[IdentityLine]
    offers: Sequence[tuple[str, LocalText]]
    outcome: Message | None
    is_good_news: bool
    now: datetime


@router.get("/sign-in/first-time")
async def show_first_time(
    request: Request, _: InLanguage, runtime: InRuntime, a: str = ""
) -> Response:
    async with runtime.database.read() as uow:
        arrival = await _arrival(request, runtime, uow, a)
        is_taken = await is_address_taken(uow, arrival)
    return _first_time(request, runtime, arrival, a, is_taken=is_taken)


@router.post("/sign-in/first-time")
async def create(
    request: Request, language: InLanguage, runtime: InRuntime, form: OurForm
) -> Response:
    """Open an account with what the other provider verified."""
    secret = form.text("a")
    browser = browser_of(request, runtime)
    async with runtime.database.begin() as uow:
        arrival = await _arrival(request, runtime, uow, secret)
        opened = await create_account(uow, secret, arrival, browser, runtime.session_limits)
    if opened is None:
        return _first_time(request, runtime, arrival, secret, is_taken=True, status=422)
    return enter(runtime, opened, _after_creation(arrival, language))


@router.get("/security/connect")
async def show_connect(
    request: Request, language: InLanguage, runtime: InRuntime, resident: SignedIn, a: str = ""
) -> Response:
    async with runtime.database.read() as uow:
        arrival = await _arrival(request, runtime, uow, a)
    if not is_fresh(resident.session.authenticated_at, runtime.clock()):
        return ask_to_confirm(language, with_query(f"/{language}/security/connect", a=a))
    page = ConnectPage(
        provider=find_provider(runtime, arrival.proof.upstream_id).upstream.title,
        proven_name=arrival.proof.profile.name,
        own_name=resident.account.profile.name or resident.account.email or "",
        arrival=a,
    )
    frame = frame_of(request, resident, is_focused=True, has_pending_authorization=True)
    return show(request, frame, page)


@router.post("/security/connect")
async def connect(
    request: Request, language: InLanguage, runtime: InRuntime, sent: SignedInForm
) -> Response:
    """Link what was proven to the account that is signed in."""
    secret = sent.form.text("a")
    resident = sent.resident
    async with runtime.database.begin() as uow:
        arrival = await _arrival(request, runtime, uow, secret)
        outcome = await link_arrival(
            uow,
            resident.account,
            resident.session,
            secret=secret,
            arrival=arrival,
            browser=browser_of(request, runtime),
            limits=runtime.session_limits,
        )
    if isinstance(outcome, LinkOutcome):
        return _to_identities(language, outcome)
    if arrival.onward != Onward():
        return enter(runtime, outcome, onward_place(language, arrival.onward))
    here = with_query(f"/{language}/{HERE}", outcome=LinkOutcome.LINKED)
    return enter(runtime, outcome, here)


@router.get("/security/identities")
async def show_identities(
    request: Request, _: InLanguage, runtime: InRuntime, resident: SignedIn, outcome: str = ""
) -> Response:
    async with runtime.database.read() as uow:
        identities = await list_identities(uow, resident.account_id)
    told = next((code for code in OUTCOMES if code == outcome), None)
    linked = {identity.upstream_id for identity in identities}
    page = IdentitiesPage(
        lines=[_line(runtime, identity) for identity in identities],
        offers=[(each.id, each.title) for each in runtime.upstreams if each.id not in linked],
        outcome=None if told is None else OUTCOMES[told],
        is_good_news=told in GOOD_NEWS,
        now=runtime.clock(),
    )
    # Connecting leads away to the other provider.
    return show(request, frame_of(request, resident, has_pending_authorization=True), page)


@router.post("/security/identities/{upstream}/connect")
async def leave_to_connect(
    request: Request, language: InLanguage, upstream: str, runtime: InRuntime, sent: SignedInForm
) -> Response:
    """Prove oneself at the other provider, to link it."""
    provider = find_provider(runtime, upstream)
    if not is_fresh(sent.resident.session.authenticated_at, runtime.clock()):
        return ask_to_confirm(language, f"/{language}/{HERE}")
    return await depart(request, provider, language, Onward(), linking=sent.resident)


@router.post("/security/identities/{identity}/remove")
async def remove(
    language: InLanguage, identity: UUID, runtime: InRuntime, sent: SignedInForm
) -> Response:
    resident = sent.resident
    async with runtime.database.begin() as uow:
        outcome = await unlink_identity(uow, resident.account, resident.session, identity)
    return _to_identities(language, outcome)


async def _arrival(request: Request, runtime: Runtime, uow: UnitOfWork, secret: str) -> Arrival:
    arrival = await find_arrival(uow, secret, browser_secret(request, runtime))
    if arrival is None:
        raise DomainError(ErrorCode.LINK_EXPIRED)
    return arrival


def _first_time(  # noqa: PLR0913  # what the page shows
    request: Request,
    runtime: Runtime,
    arrival: Arrival,
    secret: str,
    *,
    is_taken: bool,
    status: int = 200,
) -> Response:
    proof = arrival.proof
    page = FirstTimePage(
        provider=find_provider(runtime, proof.upstream_id).upstream.title,
        name=proof.profile.name,
        email="" if proof.email is None else proof.email.masked,
        further=[(CLAIM_NAMES[one], value) for one, value in proof.profile.further.items()],
        is_address_taken=is_taken,
        arrival=secret,
    )
    frame = frame_of(request, is_focused=True, has_pending_authorization=True)
    return show(request, frame, page, status)


def _line(runtime: Runtime, identity: Identity) -> IdentityLine:
    provider = runtime.upstreams.find(identity.upstream_id)
    # One that the operator has taken off his list keeps its line, so that it can be removed.
    title = {"en": str(identity.upstream_id)} if provider is None else provider.upstream.title
    return IdentityLine(identity.id, title, identity.linked_at, identity.last_used_at)


def _after_creation(arrival: Arrival, language: str) -> str:
    if arrival.proof.email is not None or arrival.onward != Onward():
        return onward_place(language, arrival.onward)
    return f"/{language}/profile/email"


def _to_identities(language: str, outcome: LinkOutcome | UnlinkOutcome) -> Response:
    place = with_query(f"/{language}/{HERE}", outcome=outcome)
    return RedirectResponse(place, HTTPStatus.SEE_OTHER)
