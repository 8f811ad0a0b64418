"""What is in a backup, and what never is."""

from citizen_account.storage.archive import FORGOTTEN, kept_tables, misfit
from citizen_account.storage.tables import METADATA

KEPT = frozenset(
    {
        "accounts",
        "audit",
        "chain",
        "client_registrations",
        "client_sessions",
        "clients",
        "connections",
        "connector_health",
        "consents",
        "decisions",
        "homes",
        "ledger",
        "logout_deliveries",
        "messages",
        "notices",
        "outbox",
        "passwords",
        "resource_servers",
        "roles",
        "sessions",
        "signing_keys",
        "snapshots",
        "upstream_identities",
        "used_assertions",
        "used_proofs",
    }
)


def test_it_was_decided_of_each_table_whether_it_is_kept() -> None:
    """A new table is named here, or among those that are forgotten: what opens once is."""
    assert METADATA.tables.keys() == KEPT | FORGOTTEN
    assert kept_tables().keys() == KEPT
    assert not KEPT & FORGOTTEN


def test_tables_are_filled_before_those_that_refer_to_them() -> None:
    order = list(kept_tables())
    for name in order:
        for key in METADATA.tables[name].foreign_keys:
            assert order.index(key.column.table.name) < order.index(name)


def test_rows_of_other_columns_fit_where_nothing_is_missing_that_is_needed() -> None:
    columns = kept_tables()["accounts"]
    assert misfit("accounts", columns) is None
    assert misfit("accounts", [name for name in columns if name != "closing_at"]) is None
    assert misfit("accounts", [name for name in columns if name != "profile"]) is not None
    assert misfit("accounts", [*columns, "shoe_size"]) is not None
    assert misfit("shoes", columns) is not None
