"""Compile a statement once, for drivers that are asked without SQLAlchemy's help."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from operator import itemgetter
from typing import Any

from sqlalchemy import Dialect, Executable, Insert, IteratorResult, Update
from sqlalchemy.engine.result import SimpleResultMetaData
from sqlalchemy.sql.compiler import SQLCompiler

Facts = Mapping[str, Any]  # Any: columns of each type
Row = Iterable[Any]  # Any: as above
Answer = IteratorResult[Any]  # Any: as above
Process = Callable[[Any], Any]  # Any: as above
_PLACE = re.compile(r"\$(\d+)")
_NO_COLUMNS = SimpleResultMetaData(())


@dataclass(frozen=True, slots=True)
class Bind:
    """Where the value of one place in the statement comes from."""

    name: str
    position: int | None
    """Within a list of values."""
    process: Process | None

    def value(self, facts: Facts) -> object:
        fact = facts[self.name]
        value = fact if self.position is None else fact[self.position]
        return value if self.process is None else self.process(value)


class Prepared:
    """A statement as its driver takes it, and how values become columns and come back."""

    def __init__(
        self,
        text: str,
        binds: Sequence[Bind],
        constants: Facts,
        columns: SimpleResultMetaData,
        processors: Sequence[tuple[int, Process]],
    ) -> None:
        self.text = text
        self.binds = binds
        self._constants = constants
        self._columns = columns
        self._processors = processors
        # One call for all names where that is all: most statements, and most of their places.
        is_plain = len(binds) > 1 and all(bind.position is None for bind in binds)
        self._pick = itemgetter(*(bind.name for bind in binds)) if is_plain else None
        self._processes = [
            (place, bind.process) for place, bind in enumerate(binds) if bind.process is not None
        ]

    def values(self, facts: Facts) -> list[object]:
        known = {**self._constants, **facts} if self._constants else facts
        if self._pick is None:
            return [bind.value(known) for bind in self.binds]
        values = list(self._pick(known))
        for place, process in self._processes:
            values[place] = process(values[place])
        return values

    def answer(self, rows: Iterable[Row]) -> Answer:
        found = [self._processed(row) for row in rows] if self._processors else map(tuple, rows)
        return IteratorResult(self._columns, iter(found))

    def _processed(self, row: Row) -> Row:
        values = list(row)
        for position, process in self._processors:
            values[position] = process(values[position])
        return tuple(values)


def nothing() -> Answer:
    return IteratorResult(_NO_COLUMNS, iter(()))


def prepare(statement: Executable, dialect: Dialect, facts: Facts) -> Prepared:
    """Return the statement; a list of values is part of it, so each length is another one."""
    lengths = tuple([len(fact) if isinstance(fact, list) else None for fact in facts.values()])
    return _prepare(statement, dialect, tuple(facts), lengths)


@lru_cache(maxsize=512)
def prepare_change(
    statement: Insert | Update, dialect: Dialect, names: tuple[str, ...]
) -> Prepared:
    """Return a change that does not tell what the database added to the row."""
    return _prepare(statement.inline(), dialect, names, tuple(None for _ in names))


@lru_cache(maxsize=128)
def join_changes(
    changes: tuple[tuple[Insert | Update, tuple[str, ...]], ...], dialect: Dialect
) -> tuple[str, Sequence[Prepared]]:
    """Return one statement that does them all, in PostgreSQL's words.

    PostgreSQL section 7.8.4: each part is executed once. Foreign keys are checked at the end.
    """
    prepared = [prepare_change(statement, dialect, names) for statement, names in changes]
    texts, before = [], 0
    for each in prepared:
        texts.append(_renumbered(each.text, before))
        before += len(each.binds)
    parts = ", ".join(f"part_{number} AS ({text})" for number, text in enumerate(texts[:-1]))
    return (f"WITH {parts} {texts[-1]}" if parts else texts[-1]), prepared


@lru_cache(maxsize=128)
def join_behind(
    winning: Executable,
    names: tuple[str, ...],
    inserts: tuple[tuple[Insert | Update, tuple[str, ...]], ...],
    dialect: Dialect,
) -> tuple[str, Sequence[Prepared]]:
    """Return one statement that inserts only if its first part changed a row, and says so.

    PostgreSQL section 13.2.1: who waited for the row looks at its condition again.
    """
    prepared = [_prepare(winning, dialect, names, (None,) * len(names))]
    prepared += [prepare_change(statement, dialect, each) for statement, each in inserts]
    before = len(prepared[0].binds)
    parts = [f"won AS ({prepared[0].text})"]
    for number, each in enumerate(prepared[1:]):
        text = _renumbered(each.text, before)
        before += len(each.binds)
        head, _, values = text.partition(" VALUES (")
        conditional = f"{head} SELECT {values[:-1]} WHERE EXISTS (SELECT FROM won)"  # noqa: S608  # compiled statements of ours
        parts.append(f"part_{number} AS ({conditional})")
    return f"WITH {', '.join(parts)} SELECT count(*) FROM won", prepared  # noqa: S608  # as above


def _renumbered(text: str, before: int) -> str:
    return _PLACE.sub(lambda place: f"${int(place[1]) + before}", text)


@lru_cache(maxsize=512)
def _prepare(
    statement: Executable,
    dialect: Dialect,
    names: tuple[str, ...],
    lengths: tuple[int | None, ...],
) -> Prepared:
    compiled = statement.compile(dialect=dialect, column_keys=names)  # type: ignore[attr-defined]  # every statement has it
    if compiled.insert_prefetch or compiled.update_prefetch:
        raise TypeError("a column's default in Python: give the value")
    lists = {parameter.key for parameter in compiled.post_compile_params}
    shape = {
        name: [None] * (length or 0) if name in lists else None
        for name, length in zip(names, lengths, strict=True)
    }
    state = compiled.construct_expanded_state(compiled.construct_params(shape), escape_names=False)
    origins = {
        part: (name, position)
        for name, parts in state.parameter_expansion.items()
        for position, part in enumerate(parts)
        if name in shape
    }
    processes = {**compiled._bind_processors, **state.processors}  # noqa: SLF001  # no public name
    binds = []
    for place in state.positiontup or ():
        name, position = origins.get(place, (place, None))
        binds.append(Bind(name, position, processes.get(place)))
    return Prepared(
        text=state.statement,
        binds=binds,
        constants={key: value for key, value in state.parameters.items() if key not in shape},
        columns=SimpleResultMetaData([column.keyname for column in compiled._result_columns]),  # noqa: SLF001  # no public name
        processors=_processors_of(compiled, dialect),
    )


def _processors_of(compiled: SQLCompiler, dialect: Dialect) -> Sequence[tuple[int, Process]]:
    found = [
        (position, column.type.dialect_impl(dialect).result_processor(dialect, None))
        for position, column in enumerate(compiled._result_columns)  # noqa: SLF001  # no public name
    ]
    return [(position, process) for position, process in found if process is not None]
