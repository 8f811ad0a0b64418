"""Opening an account from the command line."""

import asyncio
import json
from pathlib import Path
from uuid import UUID

import pytest
from typer.testing import CliRunner

from citizen_account.bootstrap import build_runtime
from citizen_account.cli import resident
from citizen_account.cli.failures import CommandError
from citizen_account.domain.accounts import Account, AccountId, Level
from tests.factories import PASSWORD, Clock, environment, settings_for
from tests.services import FURTHER

CLAIMS = {
    "given_name": "Jana",
    "family_name": "Kováčová",
    "phone_number": "+421 905 123 456",
    "address": {"street_address": "Rybárska 7", "locality": "Dunajské Mesto"},
    "birthdate": "1985-04-12",
    "locale": "en-GB",
    **FURTHER,
    "eye_color": "green",
}


@pytest.fixture
def variables(sqlite_url: str) -> dict[str, str]:
    given = environment(sqlite_url).items()
    return {f"CITIZEN_{name.upper()}": value for name, value in given}


def find(url: str, account_id: str) -> Account | None:
    async def read() -> Account | None:
        database = build_runtime(settings_for(url), Clock()).database
        async with database.read() as uow:
            found = await uow.accounts.find(AccountId(UUID(account_id)))
        await database.close()
        return found

    return asyncio.run(read())


def create(variables: dict[str, str], *options: str) -> str:
    arguments = ["create", "--email", "jana@example.sk", "--password", PASSWORD, *options]
    done = CliRunner().invoke(resident.app, arguments, env=variables, catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.stdout.strip()


def test_account_is_opened_and_its_id_is_printed(
    variables: dict[str, str], sqlite_url: str, tmp_path: Path
) -> None:
    file = tmp_path / "claims.json"
    file.write_text(json.dumps(CLAIMS))
    printed = create(variables, "--claims", str(file), "--verified", "substantial")
    account = find(sqlite_url, printed)
    assert account is not None
    assert account.email == "jana@example.sk"
    assert account.level is Level.SUBSTANTIAL
    assert account.language == "en"
    assert account.profile.name == "Jana Kováčová"
    assert account.profile.phone_number == "+421905123456"
    assert account.profile.address.locality == "Dunajské Mesto"
    assert account.profile.birthdate == "1985-04-12"
    assert account.profile.further == FURTHER


def test_claim_that_the_account_cannot_hold_is_left_out_and_named(
    variables: dict[str, str], tmp_path: Path
) -> None:
    file = tmp_path / "claims.json"
    file.write_text(json.dumps(CLAIMS))
    arguments = ["--email", "jana@example.sk", "--password", PASSWORD, "--claims", str(file)]
    done = CliRunner().invoke(resident.app, ["create", *arguments], env=variables)
    assert done.exit_code == 0
    assert done.stderr == "The account holds no claim eye_color: left out.\n"


@pytest.mark.parametrize(
    ("claim", "value", "reason"),
    [
        ("picture", "http://people.example/jana.jpg", "picture must be an https address"),
        ("website", "https://", "website must be an https address"),
        ("zoneinfo", "Europe/Nowhere", "zoneinfo must be the name of a time zone"),
        ("nickname", "x" * 151, "nickname is too long"),
        ("gender", 1, "gender must be a text"),
    ],
)
def test_claim_of_another_form_is_refused_by_name(
    variables: dict[str, str], tmp_path: Path, claim: str, value: object, reason: str
) -> None:
    """OIDC Core section 5.1."""
    file = tmp_path / "claims.json"
    file.write_text(json.dumps({claim: value}))
    with pytest.raises(CommandError, match=reason):
        create(variables, "--claims", str(file))


def test_whole_name_is_parted(variables: dict[str, str], sqlite_url: str, tmp_path: Path) -> None:
    file = tmp_path / "claims.json"
    file.write_text('{"name": "Anna Mária Nováková"}')
    account = find(sqlite_url, create(variables, "--claims", str(file)))
    assert account is not None
    assert account.profile.given_name == "Anna Mária"
    assert account.profile.family_name == "Nováková"


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        (["--email", "jana", "--password", PASSWORD], "no e-mail address"),
        (["--email", "j@example.sk", "--password", "short"], "15 characters"),
        (["--email", "j@example.sk", "--password", PASSWORD, "--claims", "none"], "cannot be read"),
    ],
)
def test_mistake_is_one_clear_line(
    variables: dict[str, str], options: list[str], reason: str
) -> None:
    with pytest.raises(CommandError, match=reason):
        CliRunner().invoke(
            resident.app, ["create", *options], env=variables, catch_exceptions=False
        )


def test_second_account_with_the_address_is_refused(variables: dict[str, str]) -> None:
    create(variables)
    with pytest.raises(CommandError, match="already"):
        create(variables)
