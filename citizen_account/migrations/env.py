"""Run the steps on the connection that the caller has opened."""

from alembic import context
from sqlalchemy import Connection

from citizen_account.storage.tables import METADATA


def run() -> None:
    connection: Connection = context.config.attributes["connection"]
    context.configure(
        connection=connection,
        target_metadata=METADATA,
        compare_type=True,
        # SQLite cannot change a table in place: Alembic copies it.
        render_as_batch=True,
        user_module_prefix="base.",
    )
    with context.begin_transaction():
        context.run_migrations()


run()
