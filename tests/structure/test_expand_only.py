"""A migration step only adds: the version before goes on serving on the tables it leaves."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from types import ModuleType, SimpleNamespace

import pytest
import sqlalchemy as sa

from citizen_account.resources import MIGRATIONS

VERSIONS = MIGRATIONS / "versions"
# The step that nobody had anything before.
FIRST = "0001"
# "Contracts since 0.3.0": the release that stopped using what the step takes away.
CONTRACTS = re.compile(r"^Contracts since \d+\.\d+\.\d+", re.MULTILINE)


class Recorder:
    """Stand in for Alembic's `op`, and note what the version before cannot live with."""

    def __init__(self) -> None:
        self.faults: list[str] = []
        self._new_tables: set[str] = set()

    def f(self, name: str) -> str:
        return name

    def create_table(self, name: str, *_: object, **__: object) -> None:
        self._new_tables.add(name)

    def create_index(self, name: str, table: str, *_: object, unique: bool = False) -> None:
        self._index(name, table, unique=unique)

    def add_column(self, table: str, column: sa.Column[object]) -> None:
        self._column(table, column)

    @contextmanager
    def batch_alter_table(self, table: str, **_: object) -> Iterator[SimpleNamespace]:
        yield SimpleNamespace(
            f=self.f,
            add_column=lambda column: self._column(table, column),
            create_index=lambda name, _, unique=False: self._index(name, table, unique=unique),
            **{
                name: self._refusing(f"{name} in {table}", is_new=table in self._new_tables)
                for name in (
                    "alter_column",
                    "create_check_constraint",
                    "create_foreign_key",
                    "create_unique_constraint",
                    "drop_column",
                    "drop_constraint",
                    "drop_index",
                )
            },
        )

    def __getattr__(self, name: str) -> object:
        """Refuse whatever else a step may do: drop, rename, execute."""
        return self._refusing(name, is_new=False)

    def _refusing(self, what: str, *, is_new: bool) -> object:
        def refuse(*arguments: object, **_: object) -> None:
            if not is_new:
                self.faults.append(" ".join([what, *(str(each) for each in arguments[:1])]))

        return refuse

    def _column(self, table: str, column: sa.Column[object]) -> None:
        if not column.nullable and column.server_default is None:
            self.faults.append(f"needed column {column.name} in {table}")

    def _index(self, name: str, table: str, *, unique: bool) -> None:
        # Rows that the version before writes may not be unique.
        if unique and table not in self._new_tables:
            self.faults.append(f"unique index {name} in {table}")


def faults(step: ModuleType, document: str, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    recorder = Recorder()
    monkeypatch.setattr(step, "op", recorder)
    step.upgrade()
    return [] if CONTRACTS.search(document) else recorder.faults


def steps() -> list[str]:
    names = sorted(path.stem for path in VERSIONS.glob("[0-9]*.py"))
    return [name for name in names if not name.startswith(FIRST)]


@pytest.mark.parametrize("name", steps())
def test_step_only_adds(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    step = import_module(f"citizen_account.migrations.versions.{name}")
    assert not faults(step, step.__doc__ or "", monkeypatch)


@pytest.mark.parametrize(
    "statement",
    [
        "op.drop_table('tokens')",
        "op.drop_column('tokens', 'scope')",
        "op.execute('UPDATE tokens SET scope = 1')",
        "op.rename_table('tokens', 'passes')",
        "op.add_column('tokens', sa.Column('colour', sa.String(), nullable=False))",
        "op.create_index('ix', 'tokens', ['colour'], unique=True)",
        "with op.batch_alter_table('tokens') as batch_op:\n        batch_op.drop_column('scope')",
        "with op.batch_alter_table('tokens') as batch:\n        batch.alter_column('scope')",
    ],
)
def test_step_that_takes_away_is_found(statement: str, monkeypatch: pytest.MonkeyPatch) -> None:
    step = ModuleType("step")
    source = f"import sqlalchemy as sa\nop = None\ndef upgrade():\n    {statement}\n"
    exec(source, vars(step))  # noqa: S102  # our own lines above
    assert len(faults(step, "", monkeypatch)) == 1
    assert not faults(step, "Contracts since 0.3.0: nothing reads it.", monkeypatch)
