"""Ask the resident what a service may receive, and take her answer."""

from collections.abc import Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import ClassVar

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from citizen_account.domain.consents import Notice
from citizen_account.domain.interactions import InteractionId
from citizen_account.i18n import m
from citizen_account.openid.provider import Provider
from citizen_account.storage.unit_of_work import UnitOfWork
from citizen_account.usecases.authorization import Outcome, Question, look_again
from citizen_account.usecases.consents import allow, deny
from citizen_account.usecases.interactions import Caller
from citizen_account.web.authorization import caller_of, interaction_id_of, proceed
from citizen_account.web.dependencies import (
    InLanguage,
    MaybeSignedIn,
    OurForm,
    Resident,
    pages_of,
    runtime_of,
)
from citizen_account.web.frames import frame_of, show
from citizen_account.web.oidc.answers import provider_of
from citizen_account.web.pages import FieldError
from citizen_account.web.portal.consent_words import ConsentWords, consent_words
from citizen_account.web.requests import Form

router = APIRouter(prefix="/{language}/consent", include_in_schema=False)
CHANGED = FieldError("allow", m("The question has changed. Read it again and decide."))


@dataclass(frozen=True, slots=True)
class TechnicalDetails:
    client_id: str
    scopes: Sequence[str]
    claims: Sequence[str]
    redirect_uri: str


@dataclass(frozen=True, slots=True)
class ConsentPage:
    template: ClassVar = "portal/consent.html"
    interaction_id: InteractionId
    words: ConsentWords
    notice_digest: str
    chosen: frozenset[str]
    technical: TechnicalDetails
    signed_in_as: str
    errors: tuple[FieldError, ...] = ()


@router.get("")
async def ask(request: Request, language: InLanguage, resident: MaybeSignedIn) -> Response:
    interaction_id = interaction_id_of(request.query_params.get("i", ""))
    provider, caller = await provider_of(request), await caller_of(request)
    async with runtime_of(request).database.begin_hot() as uow:
        looked = await look_again(uow, provider, interaction_id, caller)
    if resident is None or not isinstance(looked, Question):
        return _proceed(request, looked)
    words = _words(request, looked, resident, language)
    return _show(request, resident, _page(looked, resident, words, words.notice(language)))


@router.post("")
async def decide(
    request: Request, language: InLanguage, form: OurForm, resident: MaybeSignedIn
) -> Response:
    interaction_id = interaction_id_of(form.text("i"))
    provider, caller = await provider_of(request), await caller_of(request)
    async with runtime_of(request).database.begin_hot() as uow:
        looked = await look_again(uow, provider, interaction_id, caller)
        if resident is None or not isinstance(looked, Question):
            return _proceed(request, looked)
        words = _words(request, looked, resident, language)
        notice = words.notice(language)
        answer = _Answer(uow, provider, looked, resident, caller)
        outcome = await answer.take(form, notice)
    if outcome is None:
        chosen = frozenset(form.values("optional"))
        page = _page(looked, resident, words, notice, chosen, (CHANGED,))
        return _show(request, resident, page)
    return proceed(request, outcome)


@dataclass(frozen=True, slots=True)
class _Answer:
    uow: UnitOfWork
    provider: Provider
    question: Question
    resident: Resident
    caller: Caller

    async def take(self, form: Form, notice: Notice) -> Outcome | None:
        """Return what follows; None where the resident answered another question than this."""
        session = self.resident.session
        match form.text("decision"):
            case "deny":
                return await deny(self.uow, self.provider, self.question, session)
            # GDPR article 7(1): a yes is one to the very words that were shown.
            case "allow" if form.text("notice") == notice.digest:
                return await allow(
                    self.uow,
                    self.provider,
                    self.question,
                    session,
                    self.caller,
                    chosen=frozenset(form.values("optional")),
                    notice=notice,
                )
            case _:
                return None


def _proceed(request: Request, looked: Question | Outcome) -> Response:
    # Without a resident there is no question: the first step is always a sign-in.
    assert not isinstance(looked, Question)  # noqa: S101  # for the type checker
    return proceed(request, looked)


def _words(request: Request, question: Question, resident: Resident, language: str) -> ConsentWords:
    translations = pages_of(request).translations
    return consent_words(
        question.ask.asking,
        question.client,
        resident.account,
        translations.speech(language),
        translations.names,
        question.servers,
    )


def _page(  # noqa: PLR0913, PLR0917  # what the page consists of
    question: Question,
    resident: Resident,
    words: ConsentWords,
    notice: Notice,
    chosen: frozenset[str] = frozenset(),
    errors: tuple[FieldError, ...] = (),
) -> ConsentPage:
    account = resident.account
    asked = question.ask.asking.request
    return ConsentPage(
        interaction_id=question.interaction.id,
        words=words,
        notice_digest=notice.digest,
        chosen=chosen,
        technical=TechnicalDetails(
            client_id=question.client.id,
            scopes=sorted(asked.scopes),
            claims=sorted(asked.claims),
            redirect_uri=question.request.target.redirect_uri,
        ),
        signed_in_as=account.profile.name or account.email or "",
        errors=errors,
    )


def _show(request: Request, resident: Resident, page: ConsentPage) -> Response:
    frame = frame_of(request, resident, is_focused=True, has_pending_authorization=True)
    status = HTTPStatus.UNPROCESSABLE_ENTITY if page.errors else HTTPStatus.OK
    return show(request, frame, page, status)
