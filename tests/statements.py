"""Watch what is asked of the database, by either way that we go."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import event

from citizen_account.storage.direct import log
from citizen_account.storage.unit_of_work import Database


class Sent(logging.Handler):
    """Keep the verbs of statements that went to the driver directly."""

    def __init__(self) -> None:
        super().__init__()
        self.verbs: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.verbs.append(record.getMessage().split()[0])


@contextmanager
def statements(database: Database) -> Iterator[list[str]]:
    """Yield the verbs that are sent inside the block, by either way."""
    sent = Sent()

    def note(*facts: object) -> None:
        verb = str(facts[2]).split()[0]
        if verb != "BEGIN":
            sent.verbs.append(verb)

    writer, reader = database.engines.writer.sync_engine, database.engines.reader.sync_engine
    # On PostgreSQL the reader is the writer with other options, and shares its events.
    watched = [writer] if reader.pool is writer.pool else [writer, reader]
    for engine in watched:
        event.listen(engine, "before_cursor_execute", note)
    level = log.level
    log.addHandler(sent)
    log.setLevel(logging.DEBUG)
    yield sent.verbs
    log.setLevel(level)
    log.removeHandler(sent)
    for engine in watched:
        event.remove(engine, "before_cursor_execute", note)
