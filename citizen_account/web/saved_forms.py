"""Keep what was typed when the session ends, and hand it back on the way in."""

from collections.abc import Mapping
from typing import Annotated
from uuid import UUID

from fastapi import Depends
from starlette.requests import Request

from citizen_account.security.tokens import digest, new_id
from citizen_account.storage.saved_forms import SavedFormId
from citizen_account.web.cookies import session_secret
from citizen_account.web.dependencies import InRuntime, MaybeSignedIn, runtime_of
from citizen_account.web.requests import Form

# What proves something is typed anew, never kept.
_SECRETS = frozenset({"code", "secret"})
_SECRET_ENDINGS = ("password", "token")


async def keep_form(request: Request) -> str | None:
    """Seal the form of this request for a day, for its own account; return its id.

    None where there is nothing to keep or no telling whose it is: a stranger who signs in next in
    this browser must not read it.
    """
    form: Form | None = getattr(request.state, "form", None)
    fields = {} if form is None else _without_secrets(form)
    secret = session_secret(request, runtime_of(request))
    if not fields or not secret:
        return None
    async with runtime_of(request).database.begin() as uow:
        owner = await uow.sessions.owner_of(digest(secret))
        if owner is None:
            return None
        form_id = SavedFormId(new_id())
        await uow.saved_forms.add(form_id, owner, fields, uow.now)
    return str(form_id)


async def restored_form(
    resident: MaybeSignedIn, runtime: InRuntime, saved: str | None = None
) -> Form:
    """Return what the resident had typed before her session ended; otherwise an empty form."""
    form_id = _form_id(saved)
    if resident is None or form_id is None:
        return Form.empty()
    async with runtime.database.read() as uow:
        fields = await uow.saved_forms.find(form_id, resident.account_id, uow.now)
    pairs = [(name, value) for name, values in (fields or {}).items() for value in values]
    return Form(pairs)


Restored = Annotated[Form, Depends(restored_form)]


def _without_secrets(form: Form) -> Mapping[str, list[str]]:
    names = {name for name, _ in form.fields if not _is_secret(name)}
    return {name: form.values(name) for name in names}


def _is_secret(name: str) -> bool:
    return name in _SECRETS or name.endswith(_SECRET_ENDINGS)


def _form_id(saved: str | None) -> SavedFormId | None:
    try:
        return None if saved is None else SavedFormId(UUID(saved))
    except ValueError:
        return None
