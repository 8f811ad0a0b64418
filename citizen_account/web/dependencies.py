"""Give the routes what they need: the runtime, the pages, the form, who is asking."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated, Self

from fastapi import Depends
from starlette.requests import Request

from citizen_account.bootstrap import Runtime
from citizen_account.domain.accounts import Account, AccountId, Role, Session
from citizen_account.domain.errors import DomainError, ErrorCode
from citizen_account.security.tokens import form_token, is_equal
from citizen_account.usecases.sign_in import find_visitor, touch_session
from citizen_account.web.cookies import browser_secret, session_secret
from citizen_account.web.pages import PROOF_FIELD, Pages
from citizen_account.web.requests import Form, read_form

# A session's last use is written down no more often than this.
TOUCH_AFTER = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Resident:
    """Who is asking, proven by a living session."""

    account: Account
    session: Session
    roles: frozenset[Role]
    unread: int
    """Messages that wait to be read."""

    @property
    def account_id(self) -> AccountId:
        return self.account.id


@dataclass(frozen=True, slots=True)
class ResidentForm:
    """A form of ours, sent by a resident."""

    resident: Resident
    form: Form

    @classmethod
    def without_fields(cls, resident: Resident) -> Self:
        """Return what a page shows before anything was typed."""
        return cls(resident, Form.empty())


def runtime_of(request: Request) -> Runtime:
    runtime: Runtime = request.app.state.runtime
    return runtime


def pages_of(request: Request) -> Pages:
    pages: Pages = request.app.state.pages
    return pages


async def _give_runtime(request: Request) -> Runtime:
    # A plain function would be called in a thread of its own.
    return runtime_of(request)


async def _give_pages(request: Request) -> Pages:
    return pages_of(request)


InRuntime = Annotated[Runtime, Depends(_give_runtime)]
WithPages = Annotated[Pages, Depends(_give_pages)]


async def language_of(request: Request, language: str) -> str:
    """Return the language that the address names. Raises: not_found for one we do not offer."""
    if language not in pages_of(request).translations.names:
        raise DomainError(ErrorCode.NOT_FOUND)
    return language


InLanguage = Annotated[str, Depends(language_of)]


async def maybe_signed_in(request: Request, runtime: InRuntime) -> Resident | None:
    """Return who is asking, if anybody has signed in. The request remembers the answer."""
    if not hasattr(request.state, "resident"):
        request.state.resident = await _find_resident(request, runtime)
    resident: Resident | None = request.state.resident
    return resident


MaybeSignedIn = Annotated[Resident | None, Depends(maybe_signed_in)]


async def signed_in(resident: MaybeSignedIn) -> Resident:
    """Return who is asking. Raises: sign_in_required."""
    if resident is None:
        raise DomainError(ErrorCode.SIGN_IN_REQUIRED)
    return resident


SignedIn = Annotated[Resident, Depends(signed_in)]


async def our_form(request: Request, runtime: InRuntime) -> Form:
    """Return the fields of a form that our own page showed. Raises: form_forged."""
    form = Form(await read_form(request))
    request.state.form = form
    _require_own_origin(request, runtime)
    sent = form.secret(PROOF_FIELD)
    secret = proof_secret(request, runtime)
    # OWASP ASVS 5.0 section 3.5.1: the browser's own word first, then what only our page holds.
    expected = form_token(runtime.derived_keys.form, secret, request.url.path)
    if not secret or not is_equal(sent, expected):
        raise DomainError(ErrorCode.FORM_FORGED)
    return form


OurForm = Annotated[Form, Depends(our_form)]


async def signed_in_form(form: OurForm, resident: SignedIn) -> ResidentForm:
    """Return a resident's form. The token is checked first: it outlives the session.

    Raises: form_forged, sign_in_required.
    """
    return ResidentForm(resident, form)


SignedInForm = Annotated[ResidentForm, Depends(signed_in_form)]


def proof_secret(request: Request, runtime: Runtime) -> str:
    """Return the secret that the form tokens of this browser rest on."""
    return session_secret(request, runtime) or browser_secret(request, runtime)


def require_role(resident: Resident, *allowed: Role) -> None:
    """Refuse who has none of the roles; one taken away is gone with the next request.

    Raises: role_required.
    """
    if resident.roles.isdisjoint(allowed):
        raise DomainError(ErrorCode.ROLE_REQUIRED)


async def _find_resident(request: Request, runtime: Runtime) -> Resident | None:
    secret = session_secret(request, runtime)
    if not secret:
        return None
    async with runtime.database.read() as uow:
        found = await find_visitor(uow, secret, runtime.session_limits.idle)
    if found is None:
        return None
    session = found.session
    if runtime.clock() - session.last_seen_at >= TOUCH_AFTER:
        async with runtime.database.begin_hot() as writing:
            await touch_session(writing, session.id)
    return Resident(found.account, session, found.roles, found.unread)


def _require_own_origin(request: Request, runtime: Runtime) -> None:
    # Fetch Metadata: the browser says that another site sent the form.
    if request.headers.get("sec-fetch-site") == "cross-site":
        raise DomainError(ErrorCode.FORM_FORGED)
    # "null" comes with some privacy settings and proves nothing: the token decides.
    if request.headers.get("origin", runtime.issuer) not in {runtime.issuer, "null"}:
        raise DomainError(ErrorCode.FORM_FORGED)
