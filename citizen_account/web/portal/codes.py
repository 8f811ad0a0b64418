"""Ask for the code that went out by e-mail: one page for every purpose."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import ClassVar, assert_never

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from citizen_account.bootstrap import Runtime
from citizen_account.domain.challenges import (
    Challenge,
    ChallengeId,
    ChallengePurpose,
    CodeOutcome,
)
from citizen_account.domain.errors import DomainError, ErrorCode
from citizen_account.domain.throttling import Throttled
from citizen_account.i18n import Message, m, mn
from citizen_account.security.tokens import digest
from citizen_account.storage.unit_of_work import UnitOfWork
from citizen_account.usecases.challenges import enter_code, find_challenge, send_again
from citizen_account.web.dependencies import Resident, proof_secret
from citizen_account.web.frames import frame_of, show
from citizen_account.web.pages import FieldError
from citizen_account.web.places import with_query
from citizen_account.web.portal.onward import query_of
from citizen_account.web.requests import Form, client_address
from citizen_account.web.throttled import ask_to_wait

ENTER_CODE = m("Enter the six digits from the email")
WRONG_CODE = m("This code is not right. Check the newest email and try again.")
SPENT = m("This code no longer works. Ask for a new one.")
TYPED = "code"

Proceed = Callable[[UnitOfWork, Challenge], Awaitable[bool]]


@dataclass(frozen=True, slots=True)
class CodeFlow:
    """What a code is asked for, and where its pages are."""

    purpose: ChallengePurpose
    start: str
    """The page that asks for the address; the code's own page is below it."""
    after: str
    """The page behind the right code, below the code's own; empty: nothing more is asked."""
    title: Message
    caption: Message
    done: str = ""
    """Where to go when nothing more is asked."""


@dataclass(frozen=True, slots=True)
class CodePage:
    template: ClassVar = "portal/code.html"
    title: Message
    caption: Message
    action: str
    start: str
    masked: str
    time_left: Message | None
    """None: the code no longer works."""
    may_resend: bool
    was_resent: bool
    errors: tuple[FieldError, ...] = ()


@dataclass(frozen=True, slots=True)
class CodeVisit:
    """A browser at the page of its own challenge."""

    request: Request
    runtime: Runtime
    flow: CodeFlow
    language: str
    challenge_id: ChallengeId
    resident: Resident | None = None

    @property
    def place(self) -> str:
        return f"/{self.language}{self.flow.start}/{self.challenge_id}"

    @property
    def next_place(self) -> str:
        after, done = self.flow.after, self.flow.done
        return f"{self.place}/{after}" if after else f"/{self.language}{done}"

    async def load(self, uow: UnitOfWork) -> Challenge:
        """Return the challenge of this browser. Raises: link_expired."""
        challenge = await find_challenge(
            uow, self.challenge_id, browser_digest(self.request, self.runtime), self.flow.purpose
        )
        if challenge is None:
            raise DomainError(ErrorCode.LINK_EXPIRED)
        return challenge

    async def load_proven(self, uow: UnitOfWork) -> Challenge:
        """Return it once the code was right and nothing was done with it. Raises: link_expired."""
        challenge = await self.load(uow)
        if not challenge.is_proven(uow.now):
            raise DomainError(ErrorCode.LINK_EXPIRED)
        return challenge


def browser_digest(request: Request, runtime: Runtime) -> bytes:
    """Return what a challenge is bound to: the secret that this browser alone holds."""
    return digest(proof_secret(request, runtime))


async def show_code(visit: CodeVisit) -> Response:
    async with visit.runtime.database.read() as uow:
        challenge = await visit.load(uow)
    if visit.flow.after and challenge.is_proven(visit.runtime.clock()):
        return RedirectResponse(visit.next_place, HTTPStatus.SEE_OTHER)
    return _show(visit, challenge, was_resent="sent" in visit.request.query_params)


async def take_code(visit: CodeVisit, form: Form, proceed: Proceed | None = None) -> Response:
    """Check the code and go on; `proceed` runs in the same transaction where nothing is asked."""
    given = form.secret(TYPED)
    async with visit.runtime.database.begin() as uow:
        challenge = await visit.load(uow)
        if not given.strip():
            return _show(visit, challenge, (FieldError(TYPED, ENTER_CODE),))
        address = client_address(visit.request, visit.runtime)
        outcome = await enter_code(uow, challenge, given, address)
        if outcome is CodeOutcome.RIGHT and proceed is not None:
            is_done = await proceed(uow, challenge)
            outcome = CodeOutcome.RIGHT if is_done else CodeOutcome.SPENT
        after = await visit.load(uow)
    return _answer(visit, after, outcome)


async def resend_code(visit: CodeVisit) -> Response:
    """Send one more code, which does not cancel the one on its way."""
    async with visit.runtime.database.begin() as uow:
        challenge = await visit.load(uow)
        sent = await send_again(
            uow,
            challenge,
            language=visit.language,
            client_address=client_address(visit.request, visit.runtime),
        )
    if isinstance(sent, Throttled):
        return ask_to_wait(visit.request, sent, visit.resident)
    return RedirectResponse(
        with_query(visit.place, sent="1" if sent else None), HTTPStatus.SEE_OTHER
    )


def _answer(visit: CodeVisit, challenge: Challenge, outcome: CodeOutcome | Throttled) -> Response:
    match outcome:
        case Throttled():
            return ask_to_wait(visit.request, outcome, visit.resident)
        case CodeOutcome.RIGHT:
            return RedirectResponse(visit.next_place, HTTPStatus.SEE_OTHER)
        case CodeOutcome.WRONG:
            return _show(visit, challenge, (FieldError(TYPED, WRONG_CODE),))
        case CodeOutcome.SPENT:
            return _show(visit, challenge, (FieldError(TYPED, SPENT),))
        case unexpected:
            assert_never(unexpected)


def _show(
    visit: CodeVisit,
    challenge: Challenge,
    errors: tuple[FieldError, ...] = (),
    *,
    was_resent: bool = False,
) -> Response:
    now = visit.runtime.clock()
    page = CodePage(
        title=visit.flow.title,
        caption=visit.flow.caption,
        action=visit.place,
        start=with_query(f"/{visit.language}{visit.flow.start}", **query_of(challenge.onward)),
        masked=challenge.email.masked,
        time_left=_time_left(challenge, visit.runtime) if challenge.is_open(now) else None,
        may_resend=challenge.may_resend(now),
        was_resent=was_resent,
        errors=errors,
    )
    frame = frame_of(
        visit.request,
        visit.resident,
        is_focused=True,
        has_pending_authorization=bool(challenge.onward.interaction),
    )
    return show(visit.request, frame, page, 422 if errors else 200)


def _time_left(challenge: Challenge, runtime: Runtime) -> Message:
    left = (challenge.code_expires_at - runtime.clock()).total_seconds()
    minutes = max(1, -int(-left // 60))
    return mn(
        "The code works for %(num)s more minute.",
        "The code works for %(num)s more minutes.",
        minutes,
    )
