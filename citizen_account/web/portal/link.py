"""Link a city service: show why it gets data, ask for the letter's reference and secret."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import ClassVar, assert_never

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from citizen_account.connector_host.outcomes import Refusal
from citizen_account.connector_sdk.manifest import Manifest
from citizen_account.connector_sdk.models import in_language
from citizen_account.domain.texts import LocalText
from citizen_account.domain.throttling import Throttled
from citizen_account.i18n import Message, m
from citizen_account.usecases.connections import AlreadyLinked, LinkRequest, prepare_link
from citizen_account.usecases.linking import (
    Linked,
    NotLinked,
    StillChecking,
    finish_link,
    needs_letter,
    perform_link,
)
from citizen_account.web.dependencies import (
    InLanguage,
    InRuntime,
    Resident,
    ResidentForm,
    SignedIn,
    SignedInForm,
)
from citizen_account.web.frames import frame_of, show
from citizen_account.web.pages import FieldError
from citizen_account.web.places import with_query
from citizen_account.web.portal.purposes import PurposeLine, purpose_lines
from citizen_account.web.portal.services import manifest_of
from citizen_account.web.requests import client_address
from citizen_account.web.saved_forms import Restored
from citizen_account.web.throttled import ask_to_wait

router = APIRouter(prefix="/{language}/link", include_in_schema=False)

MAX_CHARACTERS = 100
ENTER_REFERENCE = m("Enter the reference from the letter, for example MAG-2026-47301")
ENTER_SECRET = m("Enter the secret from the letter, for example K7QP-4MZD")
NOT_RECOGNISED = m("The service does not know you. Check that your account has the same data.")
WRONG_LETTER = m("The reference or the secret is not right. Check both on the letter.")
# What a letter's refusal is called at every connector; other reasons come with their own text.
REFUSALS = {
    "wrong_secret": WRONG_LETTER,
    "too_many_tries": m(
        "This letter is blocked after too many tries. Ask the office for a new one."
    ),
    "expired": m("This letter is no longer valid. Ask the office for a new one."),
}


@dataclass(frozen=True, slots=True)
class LinkPage:
    template: ClassVar = "portal/link.html"
    id: str
    title: LocalText
    summary: LocalText
    icon: str
    tone: str
    needs_letter: bool
    is_usable: bool
    purposes: Sequence[PurposeLine]
    reference: str
    errors: tuple[FieldError, ...] = ()
    refusal: str = ""
    """The service's own words, where it has some."""
    choices: Sequence[PurposeLine] = field(init=False)

    def __post_init__(self) -> None:
        chosen = [purpose for purpose in self.purposes if purpose.is_choice]
        object.__setattr__(self, "choices", chosen)


@router.get("/{connector_id}")
async def show_link(  # noqa: PLR0913, PLR0917  # what FastAPI hands over
    request: Request,
    language: InLanguage,
    connector_id: str,
    resident: SignedIn,
    runtime: InRuntime,
    restored: Restored,
) -> Response:
    del language
    manifest = manifest_of(runtime.connectors.registry.connectors, connector_id)
    agreed = frozenset(restored.values("optional"))
    page = link_page(runtime, manifest, agreed, restored.text("reference"))
    return show(request, frame_of(request, resident), page)


@router.post("/{connector_id}")
async def link(
    request: Request,
    language: InLanguage,
    connector_id: str,
    sent: SignedInForm,
    runtime: InRuntime,
) -> Response:
    manifest = manifest_of(runtime.connectors.registry.connectors, connector_id)
    errors = _faults(sent, manifest)
    if errors:
        return _again(request, runtime, manifest, sent, errors=errors)
    asked = LinkRequest(
        reference=sent.form.text("reference"),
        secret=sent.form.text("secret"),
        agreed=frozenset(sent.form.values("optional")),
        language=language,
        client_address=client_address(request, runtime),
    )
    account = sent.resident.account
    async with runtime.database.begin() as uow:
        plan = await prepare_link(uow, runtime.sealer, account, manifest, asked)
    if isinstance(plan, Throttled):
        return ask_to_wait(request, plan)
    if isinstance(plan, AlreadyLinked):
        return _to_service(language, connector_id, done="")
    outcome = await perform_link(
        runtime.connectors, manifest, plan.context, plan.reference, plan.secret
    )
    async with runtime.database.begin() as uow:
        result = await finish_link(uow, plan, outcome)
    match result:
        case Linked():
            return _to_service(language, connector_id, done="linked")
        case StillChecking():
            return _to_service(language, connector_id, done="")
        case NotLinked(refusal):
            return _refused(request, runtime, manifest, sent, refusal)
        case unexpected:
            assert_never(unexpected)


def link_page(  # noqa: PLR0913  # what the page is made of
    runtime: InRuntime,
    manifest: Manifest,
    agreed: frozenset[str],
    reference: str,
    *,
    errors: tuple[FieldError, ...] = (),
    refusal: str = "",
) -> LinkPage:
    installed = runtime.connectors.registry.find(manifest.id)
    return LinkPage(
        id=manifest.id,
        title=manifest.title,
        summary=manifest.summary,
        icon=manifest.icon,
        tone=manifest.tone,
        needs_letter=needs_letter(manifest),
        is_usable=installed is not None and installed.connector is not None,
        purposes=purpose_lines(manifest, agreed),
        reference=reference,
        errors=errors,
        refusal=refusal,
    )


def _faults(sent: ResidentForm, manifest: Manifest) -> tuple[FieldError, ...]:
    if not needs_letter(manifest):
        return ()
    wanted: tuple[tuple[str, Message], ...] = (
        ("reference", ENTER_REFERENCE),
        ("secret", ENTER_SECRET),
    )
    return tuple(
        FieldError(name, message)
        for name, message in wanted
        if not 0 < len(sent.form.text(name)) <= MAX_CHARACTERS
    )


def _refused(
    request: Request,
    runtime: InRuntime,
    manifest: Manifest,
    sent: ResidentForm,
    refusal: Refusal | None,
) -> Response:
    known = None if refusal is None else REFUSALS.get(refusal.why)
    if known is not None or refusal is None:
        at = "reference" if needs_letter(manifest) else "link"
        errors = (FieldError(at, known or NOT_RECOGNISED),)
        return _again(request, runtime, manifest, sent, errors=errors)
    words = in_language(refusal.text, request.path_params["language"])
    return _again(request, runtime, manifest, sent, refusal=words)


def _again(  # noqa: PLR0913  # what the page is made of
    request: Request,
    runtime: InRuntime,
    manifest: Manifest,
    sent: ResidentForm,
    *,
    errors: tuple[FieldError, ...] = (),
    refusal: str = "",
) -> Response:
    page = link_page(
        runtime,
        manifest,
        frozenset(sent.form.values("optional")),
        sent.form.text("reference")[:MAX_CHARACTERS],
        errors=errors,
        refusal=refusal,
    )
    resident: Resident = sent.resident
    return show(request, frame_of(request, resident), page, HTTPStatus.UNPROCESSABLE_ENTITY)


def _to_service(language: str, connector_id: str, *, done: str) -> Response:
    place = with_query(f"/{language}/services/{connector_id}", done=done)
    return RedirectResponse(place, HTTPStatus.SEE_OTHER)
