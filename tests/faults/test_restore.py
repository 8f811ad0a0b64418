"""The drill: a backup while people use the account, a loss, a restore elsewhere, all rules kept."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx2
import pytest
from fastapi import FastAPI
from sqlalchemy import text
from typer.testing import CliRunner, Result

from citizen_account.app import create_app
from citizen_account.bootstrap import Runtime, build_runtime
from citizen_account.cli import database as command
from citizen_account.cli.failures import CommandError
from citizen_account.domain.clients import ClientId
from citizen_account.jobs.schedule import close_accounts
from citizen_account.usecases.audit import Verified, seal_new_rows, verify
from tests.authorizing import address, allow, answer_in
from tests.conftest import client_of
from tests.factories import (
    PASSWORD,
    Clock,
    code_in,
    environment,
    mailbox,
    settings_for,
    work_off,
)
from tests.journeys.steps import JANA, begin, register, sign_in
from tests.journeys.steps import verify as verify_code
from tests.journeys.test_consent import CONTRACT, EVERYTHING, offer
from tests.journeys.test_privacy import withdraw_links
from tests.pages import Visitor
from tests.relying_party import Party
from tests.services import SECRET

EVA = "eva@example.sk"
NEW_PASSWORD = "quite another four words 2"
BACKUP_KEY = "a key that lies in a safe, not here"


@dataclass(frozen=True)
class Place:
    """A folder beside the databases, and the commands as an operator runs them there."""

    folder: Path

    def settings(self, url: str, **changes: str) -> dict[str, str]:
        log = str(self.folder / "revocations.log")
        return environment(url, **{"backup_key": BACKUP_KEY, "revocation_log": log, **changes})

    async def run(self, url: str, *arguments: str, **changes: str) -> Result:
        values = self.settings(url, **changes)
        variables = {f"CITIZEN_{name.upper()}": value for name, value in values.items() if value}
        invoke = CliRunner().invoke
        return await asyncio.to_thread(invoke, command.app, list(arguments), env=variables)

    @property
    def file(self) -> Path:
        return self.folder / "city.backup"

    async def back_up(self, url: str) -> None:
        done = await self.run(url, "backup", str(self.file))
        assert done.exit_code == 0, done.exception


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


@pytest.fixture
def clock() -> Clock:
    # The commands go by the real time.
    return Clock(datetime.now(UTC))


@pytest.fixture
async def runtime(database_url: str, clock: Clock, place: Place) -> AsyncIterator[Runtime]:
    log = str(place.folder / "revocations.log")
    built = build_runtime(settings_for(database_url, revocation_log=log), clock)
    yield built
    await built.database.close()


@asynccontextmanager
async def traffic(visitor: Visitor) -> AsyncIterator[list[int]]:
    """Let a browser go on meanwhile; yield what it was answered."""
    statuses: list[int] = []
    is_going = asyncio.Event()

    async def use() -> None:
        while True:
            await visitor.open("/en/profile")
            visitor.fill({"#given-name": f"Eva {len(statuses)}"})
            await visitor.press("#save-profile")
            statuses.append(visitor.status)
            is_going.set()

    running = asyncio.create_task(use())
    await is_going.wait()
    try:
        yield statuses
    finally:
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running


@dataclass(frozen=True)
class Story:
    """What a service holds when the machine is lost."""

    codes: list[str]
    tokens: list[dict[str, str]]


async def live(runtime: Runtime, jana: Visitor, eva: Visitor) -> Story:
    """Let two residents join and use a service: of two codes, one is used, one is on its way."""
    await offer(runtime, CONTRACT)
    await register(jana, runtime)
    await register(eva, runtime, EVA)
    codes = [(await allow(jana, EVERYTHING))["code"]]
    tokens = [(await Party(jana.http, "library", SECRET).redeem(codes[0])).json()]
    await jana.open(address(EVERYTHING))
    codes.append(answer_in(jana.left_for)["code"])
    other = (await allow(eva, EVERYTHING))["code"]
    tokens.append((await Party(eva.http, "library", SECRET).redeem(other)).json())
    async with runtime.database.begin() as uow:
        await seal_new_rows(uow)
    return Story(codes, tokens)


async def go_on(runtime: Runtime, clock: Clock, jana: Visitor, eva: Visitor, code: str) -> None:
    """Let them use, withdraw, change and close: all of it is lost with the machine."""
    clock.now += timedelta(seconds=20)
    assert (await Party(jana.http, "library", SECRET).redeem(code)).status_code == 200
    await jana.open("/en/privacy")
    await jana.open(withdraw_links(jana)[0])
    await jana.press("#withdraw")
    await jana.open("/en/security/password")
    jana.fill({"#current-password": PASSWORD, "#new-password": NEW_PASSWORD})
    await jana.press("#change-password")
    await eva.open("/en/privacy/close")
    await eva.press("#close-account")
    clock.now += timedelta(days=15)
    await close_accounts(runtime)
    await work_off(runtime)


async def test_drill(  # noqa: PLR0913, PLR0917  # two databases, two people, a clock
    app: FastAPI,
    runtime: Runtime,
    clock: Clock,
    visitor: Visitor,
    other_visitor: Visitor,
    place: Place,
    database_url: str,
    empty_database_url: str,
) -> None:
    story = await live(runtime, visitor, other_visitor)
    async with client_of(app) as stranger:
        # Her code waits to be mailed.
        await begin(Visitor(stranger), "new@example.sk")
    async with traffic(other_visitor) as statuses:
        await place.back_up(database_url)
    assert set(statuses) == {200}
    await go_on(runtime, clock, visitor, other_visitor, story.codes[1])

    done = await place.run(empty_database_url, "restore", str(place.file))
    assert done.exit_code == 0, done.exception
    for words in (
        "All sessions are ended (2 were alive)",
        "none works any more",
        "again: 2 x consent withdrawn",
        "again: 1 x account closed",
        "again: 1 x password changed",
        "1 messages that waited then are not sent",
    ):
        assert words in " ".join(done.stdout.split())
    restored = build_runtime(settings_for(empty_database_url), Clock(datetime.now(UTC)))
    async with client_of(create_app(restored)) as client:
        client.cookies = visitor.http.cookies
        await look_at_service(client, story)
        await look_at_pages(Visitor(client), restored)
    await look_at_trail(restored)
    await restored.database.close()


async def look_at_service(client: httpx2.AsyncClient, story: Story) -> None:
    """RFC 6749 section 4.1.2: a used code is never usable again; nothing on its way lives on."""
    library = Party(client, "library", SECRET)
    for code in story.codes:
        assert (await library.redeem(code)).json()["error"] == "invalid_grant"
    for issued in story.tokens:
        assert (await library.userinfo(issued["access_token"])).status_code == 401
        refused = await library.refresh(issued["refresh_token"])
        assert refused.json()["error"] == "invalid_grant"


async def look_at_pages(visitor: Visitor, runtime: Runtime) -> None:
    """GDPR articles 7(3) and 17: what was withdrawn and erased since stays so."""
    await visitor.open("/en/privacy")
    assert visitor.path == "/en/sign-in", "a session lived on"
    for email in (JANA, EVA):
        # The password was replaced since, so it may be a stolen one; the account was closed since.
        await sign_in(visitor, email)
        assert visitor.path == "/en/sign-in"
    await visitor.open("/en/recover")
    visitor.fill({"#recover-email": JANA})
    await visitor.press("#recover-submit")
    letters = await mailbox(runtime)
    assert {letter.to for letter in letters} == {JANA}, "an old message was sent again"
    await verify_code(visitor, code_in(letters[0]))
    visitor.fill({"#new-password": NEW_PASSWORD})
    await visitor.press("#set-password")
    await visitor.open("/en/privacy")
    assert visitor.path == "/en/privacy"
    assert withdraw_links(visitor) == []


async def look_at_trail(runtime: Runtime) -> None:
    async with runtime.database.read() as uow:
        [entry] = await uow.audit.page(before=None, size=10, event="database_restored")
        result = await verify(uow)
    assert entry.facts["revocations"] == "5"
    assert isinstance(result, Verified)
    assert result.rows > 10


@pytest.fixture
async def backed_up(runtime: Runtime, place: Place, database_url: str) -> Place:
    """Return the place with a backup of a city that holds a service."""
    await offer(runtime, CONTRACT)
    await place.back_up(database_url)
    return place


async def refusal(place: Place, url: str, *options: str, **changes: str) -> str:
    done = await place.run(url, "restore", str(place.file), *options, **changes)
    assert isinstance(done.exception, CommandError), done.stdout
    return str(done.exception)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_file_that_cannot_be_restored_is_refused_before_anything_is_touched(
    backed_up: Place,
) -> None:
    untouched = backed_up.folder / "elsewhere.db"
    elsewhere = f"sqlite:///{untouched}"
    whole = backed_up.file.read_bytes()
    others = "another key that lies in a safe, not here"
    assert "another key" in await refusal(backed_up, elsewhere, backup_key=others)
    assert "CITIZEN_SECRET_KEY" in await refusal(backed_up, elsewhere, secret_key=others)
    assert "CITIZEN_DATA_KEY" in await refusal(
        backed_up, elsewhere, data_key="another-key-that-seals-the-columns"
    )
    backed_up.file.write_bytes(whole[:-20])
    assert "altered or cut short" in await refusal(backed_up, elsewhere)
    backed_up.file.write_bytes(whole)
    assert not untouched.exists()


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_backup_of_a_newer_version_is_refused(
    backed_up: Place, runtime: Runtime, database_url: str
) -> None:
    async with runtime.database.engines.writer.begin() as connection:
        await connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    backed_up.file.unlink()
    await backed_up.back_up(database_url)
    elsewhere = f"sqlite:///{backed_up.folder}/elsewhere.db"
    assert "newer version (step 9999)" in await refusal(backed_up, elsewhere)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_log_that_is_missing_or_shortened_is_refused(backed_up: Place) -> None:
    elsewhere = f"sqlite:///{backed_up.folder}/elsewhere.db"
    assert "--without-log" in await refusal(backed_up, elsewhere, revocation_log="")
    (backed_up.folder / "revocations.log").unlink()
    assert "No such file" in await refusal(backed_up, elsewhere)


async def test_full_database_is_replaced_only_when_told_so(
    backed_up: Place, runtime: Runtime, database_url: str
) -> None:
    await offer(runtime, CONTRACT)
    assert "not empty" in await refusal(backed_up, database_url)
    # Nobody is there to say yes.
    done = await backed_up.run(database_url, "restore", str(backed_up.file), "--replace")
    assert done.exit_code == 1
    await runtime.database.close()
    done = await backed_up.run(database_url, "restore", str(backed_up.file), "--replace", "--yes")
    assert done.exit_code == 0, done.exception
    async with runtime.database.read() as uow:
        restored = await uow.clients.find(ClientId("library"))
    assert restored is not None
    # Tokens without a row end as those do whose rows are in no backup.
    assert restored.grants_ended_at is not None


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_backup_holds_nothing_that_can_be_read(backed_up: Place) -> None:
    assert b"Library" not in backed_up.file.read_bytes()
    assert backed_up.file.stat().st_mode & 0o077 == 0
    done = await backed_up.run("sqlite:///x.db", "backup", str(backed_up.file))
    assert "exists already" in str(done.exception)
