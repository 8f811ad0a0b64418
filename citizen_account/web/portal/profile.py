"""Let a resident see and change what she says of herself."""

from collections.abc import Container, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import ClassVar

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from citizen_account.domain.accounts import Account, Address, Level, Profile
from citizen_account.domain.claims import FURTHER
from citizen_account.domain.profiles import MAX_LINE, MAX_NAME, read_line, read_phone
from citizen_account.i18n import Message, m
from citizen_account.usecases.profile import remove_further, save_profile
from citizen_account.web.dependencies import (
    InLanguage,
    InRuntime,
    Resident,
    SignedIn,
    SignedInForm,
)
from citizen_account.web.frames import frame_of, show
from citizen_account.web.pages import FieldError
from citizen_account.web.portal.purposes import CLAIM_NAMES
from citizen_account.web.requests import Form
from citizen_account.web.saved_forms import Restored

router = APIRouter(prefix="/{language}/profile", include_in_schema=False)
STRANGE_LINE = m("Write this on one line, at most %(count)s characters.", count=MAX_LINE)
STRANGE_NAME = m("We cannot read this name. Use at most %(count)s characters.", count=MAX_NAME)
ENTER_NAME = m("Enter a name. Services address you by it.")
STRANGE_PHONE = m("Write the number with its country code, for example +421 905 123 456.")
CHOOSE_LANGUAGE = m("Choose one of the languages")
NOTICES = {
    "profile": m("Your profile is saved."),
    "removed": m("It is removed. No service receives it from now on."),
    "email": m("Your new email address is confirmed. Sign in with it from now on."),
}
NAMES = ("given_name", "family_name")
LINES = ("street_address", "postal_code", "locality", "country")


@dataclass(frozen=True, slots=True)
class ProfileFields:
    """What stands in the form: as saved, as typed, or as kept over the end of a session."""

    given_name: str
    family_name: str
    phone_number: str
    street_address: str
    postal_code: str
    locality: str
    country: str
    language: str


@dataclass(frozen=True, slots=True)
class FurtherLine:
    """A claim that came with the account: she can remove it, and nothing else."""

    id: str
    name: Message
    value: str


@dataclass(frozen=True, slots=True)
class ProfilePage:
    template: ClassVar = "portal/profile.html"
    email: str
    birthdate: str
    """From a national eID; empty otherwise."""
    is_verified: bool
    """A national eID has vouched for the person."""
    further: Sequence[FurtherLine]
    fields: ProfileFields
    mail_failing: bool
    is_restored: bool
    done: Message | None
    errors: tuple[FieldError, ...] = ()


@router.get("")
async def show_profile(
    request: Request, _: InLanguage, resident: SignedIn, restored: Restored, done: str = ""
) -> Response:
    """Show what the resident says of herself."""
    saved = _fields_of(resident.account)
    fields = _fields_in(restored) if restored.fields else saved
    page = _build(resident, fields, done=done, is_restored=bool(restored.fields))
    return show(request, frame_of(request, resident), page)


@router.post("")
async def change_profile(
    request: Request, sent: SignedInForm, language: InLanguage, runtime: InRuntime
) -> Response:
    """Save what she says of herself."""
    resident, form = sent.resident, sent.form
    errors = _errors(form, runtime.translations.names)
    if errors:
        page = _build(resident, _fields_in(form), errors)
        return show(request, frame_of(request, resident), page, HTTPStatus.UNPROCESSABLE_ENTITY)
    account = resident.account
    async with runtime.database.begin() as uow:
        await save_profile(uow, account, _profile_in(form, account), form.text("language"))
    return RedirectResponse(f"/{language}/profile?done=profile", HTTPStatus.SEE_OTHER)


@router.post("/further/remove")
async def remove_from_profile(
    sent: SignedInForm, language: InLanguage, runtime: InRuntime
) -> Response:
    """Forget one of the claims that came with the account."""
    async with runtime.database.begin() as uow:
        await remove_further(uow, sent.resident.account.id, sent.form.text("claim"))
    return RedirectResponse(f"/{language}/profile?done=removed", HTTPStatus.SEE_OTHER)


def _build(
    resident: Resident,
    fields: ProfileFields,
    errors: tuple[FieldError, ...] = (),
    *,
    done: str = "",
    is_restored: bool = False,
) -> ProfilePage:
    account = resident.account
    return ProfilePage(
        email=account.email or "",
        birthdate=account.profile.birthdate,
        is_verified=account.level is not Level.LOW,
        further=[
            FurtherLine(name, CLAIM_NAMES[name], account.profile.further[name])
            for name in FURTHER
            if account.profile.further.get(name)
        ],
        fields=fields,
        mail_failing=account.mail_failing_since is not None,
        is_restored=is_restored,
        done=NOTICES.get(done),
        errors=errors,
    )


def _errors(form: Form, languages: Container[str]) -> tuple[FieldError, ...]:
    errors = []
    for name in NAMES:
        line = read_line(form.text(name), MAX_NAME)
        if not line:
            errors.append(FieldError(_id(name), STRANGE_NAME if line is None else ENTER_NAME))
    if read_phone(form.text("phone_number")) is None:
        errors.append(FieldError("phone-number", STRANGE_PHONE))
    errors += [
        FieldError(_id(name), STRANGE_LINE) for name in LINES if read_line(form.text(name)) is None
    ]
    if form.text("language") not in languages:
        errors.append(FieldError("language", CHOOSE_LANGUAGE))
    return tuple(errors)


def _profile_in(form: Form, account: Account) -> Profile:
    def line(name: str, limit: int = MAX_LINE) -> str:
        return read_line(form.text(name), limit) or ""

    return Profile(
        given_name=line("given_name", MAX_NAME),
        family_name=line("family_name", MAX_NAME),
        phone_number=read_phone(form.text("phone_number")) or "",
        address=Address(**{name: line(name) for name in LINES}),
        # Nobody declares this herself.
        birthdate=account.profile.birthdate,
        further=account.profile.further,
    )


def _fields_of(account: Account) -> ProfileFields:
    profile, address = account.profile, account.profile.address
    return ProfileFields(
        given_name=profile.given_name,
        family_name=profile.family_name,
        phone_number=profile.phone_number,
        street_address=address.street_address,
        postal_code=address.postal_code,
        locality=address.locality,
        country=address.country,
        language=account.language,
    )


def _fields_in(form: Form) -> ProfileFields:
    names = (*NAMES, "phone_number", *LINES, "language")
    return ProfileFields(**{name: form.text(name) for name in names})


def _id(name: str) -> str:
    return name.replace("_", "-")
