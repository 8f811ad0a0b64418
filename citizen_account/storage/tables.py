"""Import every table, so that the metadata is whole."""

from citizen_account.storage import (
    accounts,
    assertions,
    audit,
    chain,
    challenges,
    credentials,
    grants,
    keys,
    ledger,
    mailbox,
    messages,
    outbox,
    roles,
    saved_forms,
    schedule,
    sessions,
    throttles,
)
from citizen_account.storage.base import Base

TABLES = (
    accounts,
    assertions,
    audit,
    chain,
    challenges,
    credentials,
    grants,
    keys,
    ledger,
    mailbox,
    messages,
    outbox,
    roles,
    saved_forms,
    schedule,
    sessions,
    throttles,
)
METADATA = Base.metadata
