"""Open accounts from the command line: for a first administrator, and for tests."""

import asyncio
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated
from zoneinfo import available_timezones

import typer

from citizen_account.bootstrap import Runtime
from citizen_account.cli.failures import CommandError, runtime
from citizen_account.domain.accounts import AccountId, Address, Level, Profile
from citizen_account.domain.claims import FURTHER
from citizen_account.domain.emails import EmailAddress, read_email
from citizen_account.domain.passwords import (
    MAX_CHARACTERS,
    MIN_CHARACTERS,
    PasswordProblem,
    find_password_problem,
)
from citizen_account.domain.profiles import (
    ADDRESSES,
    MAX_LINE,
    MAX_NAME,
    read_further,
    read_line,
    read_phone,
)
from citizen_account.security.tokens import new_id
from citizen_account.storage.accounts import NewAccount
from citizen_account.usecases.accounts import open_account

app = typer.Typer(help="The residents' accounts.", no_args_is_help=True)

LINES = {"given_name": MAX_NAME, "family_name": MAX_NAME, "birthdate": MAX_NAME}
ADDRESS_LINES = ("street_address", "postal_code", "locality", "country")
# What is derived from the others, or said by the account itself.
UNDERSTOOD = frozenset({*LINES, *FURTHER, "phone_number", "address", "locale", "name", "email"})
REASONS = {
    PasswordProblem.TOO_SHORT: f"it needs at least {MIN_CHARACTERS} characters",
    PasswordProblem.TOO_LONG: f"it may have {MAX_CHARACTERS} characters at most",
    PasswordProblem.UNREADABLE: "it holds a character that no keyboard makes",
    PasswordProblem.TOO_COMMON: "it is among those that are guessed first",
    PasswordProblem.NAMES_ITS_OWNER: "it is mostly the address or the city's name",
}
Claims = Mapping[str, object]


@app.callback()
def group() -> None:
    """Keep `create` a command of its own, beside others to come."""


@app.command()
def create(
    email: Annotated[str, typer.Option(help="The address to sign in with; taken as verified.")],
    password: Annotated[str, typer.Option(help="At least 15 characters.")],
    claims: Annotated[
        Path | None,
        typer.Option(
            help="JSON of OpenID Connect claims: those of the scopes profile, phone, address."
        ),
    ] = None,
    verified: Annotated[
        Level, typer.Option(help="How sure the city is of who this is.")
    ] = Level.LOW,
) -> None:
    """Open an account and print its id."""
    given = _read(claims)
    for name in sorted(given.keys() - UNDERSTOOD):
        typer.echo(f"The account holds no claim {name}: left out.", err=True)
    typer.echo(asyncio.run(_create(email, password, given, verified)))


async def _create(email: str, password: str, claims: Claims, level: Level) -> AccountId:
    address = read_email(email)
    if address is None:
        raise CommandError(f"{email} is no e-mail address that the account can write to.")
    async with runtime() as built:
        _check_password(password, address, built)
        account = NewAccount(
            id=AccountId(new_id()),
            email=address,
            profile=_profile(claims),
            language=_language(claims, built),
            level=level,
        )
        password_hash = await built.hasher.hash(password)
        async with built.database.begin() as uow:
            if not await open_account(uow, account, password_hash):
                raise CommandError(f"There is an account with the address {email} already.")
    return account.id


def _check_password(password: str, address: EmailAddress, built: Runtime) -> None:
    context = (built.city.name, address.local_part)
    problem = find_password_problem(password, context=context)
    if problem is not None:
        raise CommandError(f"The password is refused: {REASONS[problem]}.")


def _read(file: Path | None) -> Claims:
    if file is None:
        return {}
    try:
        claims = json.loads(file.read_text(encoding="utf-8"))
    except OSError:
        raise CommandError(f"{file} cannot be read.") from None
    except ValueError:
        raise CommandError(f"{file} is not JSON.") from None
    if not isinstance(claims, dict):
        raise CommandError(f"{file} must hold one JSON object of claims.")
    return claims


def _profile(claims: Claims) -> Profile:
    if not claims.keys() & {"given_name", "family_name"}:
        given, _, family = _text(claims, "name").strip().rpartition(" ")
        claims = {**claims, "given_name": given, "family_name": family}
    lines = {name: _line(claims, name, limit) for name, limit in LINES.items()}
    phone = read_phone(_text(claims, "phone_number"))
    if phone is None:
        raise CommandError("phone_number needs its country code, for example +421905123456.")
    return Profile(phone_number=phone, address=_address(claims), further=_further(claims), **lines)


def _further(claims: Claims) -> Mapping[str, str]:
    zones = available_timezones()
    read = {name: read_further(name, _text(claims, name), zones) for name in FURTHER}
    wrong = next((name for name, value in read.items() if value is None), None)
    if wrong is not None:
        raise CommandError(f"{wrong} {_wanted(wrong)}.")
    return {name: value for name, value in read.items() if value}


def _wanted(name: str) -> str:
    if name in ADDRESSES:
        return "must be an https address"
    if name == "zoneinfo":
        return "must be the name of a time zone, for example Europe/Bratislava"
    return "is too long or holds hidden characters"


def _address(claims: Claims) -> Address:
    parts = claims.get("address", {})
    if not isinstance(parts, dict):
        raise CommandError("address must be an object (OpenID Connect Core section 5.1.1).")
    return Address(**{name: _line(parts, name, MAX_LINE) for name in ADDRESS_LINES})


def _language(claims: Claims, built: Runtime) -> str:
    wished = _text(claims, "locale").partition("-")[0].lower()
    return wished if wished in built.translations.names else built.city.default_language


def _line(claims: Claims, name: str, limit: int) -> str:
    line = read_line(_text(claims, name), limit)
    if line is None:
        raise CommandError(f"{name} is too long or holds hidden characters.")
    return line


def _text(claims: Claims, name: str) -> str:
    value = claims.get(name, "")
    if not isinstance(value, str):
        raise CommandError(f"{name} must be a text.")
    return value
