"""The steps of the migrations and the tables in code say the same, on both databases."""

from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from citizen_account import migrations
from citizen_account.cli.failures import CommandError, require_tables
from citizen_account.storage.base import async_url
from citizen_account.storage.tables import METADATA
from tests.factories import settings_for
from tests.postgres import create_database, free_port


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'empty.db'}"
    return create_database(request.getfixturevalue("postgres"), f"empty_{uuid4().hex}")


async def execute(url: str, statement: str) -> None:
    engine = create_async_engine(async_url(url), poolclass=NullPool)
    async with engine.begin() as connection:
        await connection.execute(text(statement))
    await engine.dispose()


async def test_empty_database_lacks_every_step_and_every_table(empty_url: str) -> None:
    assert await migrations.pending_steps(empty_url)
    assert len(await migrations.differences(empty_url)) >= len(METADATA.tables)


async def test_migrated_database_has_the_tables_in_code_and_no_others(empty_url: str) -> None:
    await migrations.upgrade(empty_url)
    assert await migrations.pending_steps(empty_url) == []
    assert await migrations.differences(empty_url) == []


async def test_upgrade_of_an_upgraded_database_changes_nothing(empty_url: str) -> None:
    await migrations.upgrade(empty_url)
    await migrations.upgrade(empty_url)
    assert await migrations.differences(empty_url) == []


async def test_steps_lead_back_and_forth(empty_url: str) -> None:
    await migrations.upgrade(empty_url)
    await migrations.downgrade(empty_url, "base")
    assert len(await migrations.differences(empty_url)) >= len(METADATA.tables)
    await migrations.upgrade(empty_url)
    assert await migrations.differences(empty_url) == []


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE TABLE stranger (id INTEGER PRIMARY KEY)",
        "ALTER TABLE mailbox ADD COLUMN stranger INTEGER",
        "ALTER TABLE mailbox DROP COLUMN html",
        "DROP TABLE mailbox",
        "CREATE INDEX stranger ON mailbox (subject)",
    ],
    ids=["more tables", "more columns", "fewer columns", "fewer tables", "more indexes"],
)
async def test_difference_is_found(empty_url: str, statement: str) -> None:
    await migrations.upgrade(empty_url)
    await execute(empty_url, statement)
    assert len(await migrations.differences(empty_url)) == 1


async def test_database_of_a_later_version_is_left_alone(empty_url: str) -> None:
    await migrations.upgrade(empty_url)
    await execute(empty_url, "UPDATE alembic_version SET version_num = '9999'")
    assert await migrations.pending_steps(empty_url) == []
    await migrations.upgrade(empty_url)
    assert await migrations.differences(empty_url) == []


async def test_serving_without_its_tables_is_refused(empty_url: str) -> None:
    with pytest.raises(CommandError, match="Run first: citizen-account db upgrade"):
        await require_tables(settings_for(empty_url))
    await migrations.upgrade(empty_url)
    await require_tables(settings_for(empty_url))


async def test_serving_without_its_database_is_refused() -> None:
    nowhere = f"postgresql://nobody@127.0.0.1:{free_port()}/nothing"
    with pytest.raises(CommandError, match="The database does not answer"):
        await require_tables(settings_for(nowhere))
