"""Check passwords on behalf of a form, and word what is wrong with a new one."""

from collections.abc import Iterable, Mapping
from types import MappingProxyType

from starlette.requests import Request

from citizen_account.bootstrap import Runtime
from citizen_account.domain.accounts import Account
from citizen_account.domain.passwords import (
    MAX_CHARACTERS,
    MIN_CHARACTERS,
    PasswordProblem,
    find_password_problem,
)
from citizen_account.domain.throttling import Throttled
from citizen_account.i18n import Message, m
from citizen_account.usecases.sign_in import (
    check_password,
    complete_proof,
    prepare_proof,
)
from citizen_account.web.pages import FieldError
from citizen_account.web.requests import client_address

WRONG_PASSWORD = m("This is not your current password. Check it and try again.")
ENTER_PASSWORD = m("Enter your password")
PROBLEMS: Mapping[PasswordProblem, Message] = MappingProxyType(
    {
        PasswordProblem.TOO_SHORT: m(
            "Use at least %(count)s characters. Three or four words are easy to remember.",
            count=MIN_CHARACTERS,
        ),
        PasswordProblem.TOO_LONG: m(
            "This is too long. Use at most %(count)s characters.", count=MAX_CHARACTERS
        ),
        PasswordProblem.UNREADABLE: m(
            "The password holds a character that we cannot read. Type it again."
        ),
        PasswordProblem.TOO_COMMON: m(
            "Many people use this password, so it is guessed first. Choose another one."
        ),
        PasswordProblem.NAMES_ITS_OWNER: m(
            "This is mostly your name, your email or the city. Add words that nobody expects."
        ),
    }
)


def new_password_errors(
    field: str, password: str, runtime: Runtime, context: Iterable[str]
) -> list[FieldError]:
    """Return what is wrong with a new password, told at the field."""
    problem = find_password_problem(password, context=(runtime.city.name, *context))
    return [] if problem is None else [FieldError(field, PROBLEMS[problem])]


async def prove_again(
    request: Request, runtime: Runtime, account: Account, password: str
) -> bool | Throttled:
    """Say whether the resident who is signed in knows her password; a wrong one is counted.

    Raises: too_busy, and then the try does not count.
    """
    with runtime.hasher.place() as place:
        async with runtime.database.begin_hot() as uow:
            attempt = await prepare_proof(uow, account, client_address(request, runtime))
        if isinstance(attempt, Throttled):
            return attempt
        checked = await check_password(place, attempt, password)
    async with runtime.database.begin_hot() as uow:
        return await complete_proof(uow, checked) is not None
