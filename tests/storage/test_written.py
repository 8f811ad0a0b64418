"""JSON comes back as it was given, by the quick way or Python's own."""

import json

import pytest

from citizen_account.bootstrap import Runtime
from citizen_account.domain.clients import ClientId
from citizen_account.storage.unit_of_work import Database
from citizen_account.storage.written import read_json, write_json
from tests.services import register

VALUES = [
    {"a": [1, True, None, "Žilina \u2028"]},
    [],
    "",
    "half \ud800 of a pair",
    {"\ud800": 2**80},
]


@pytest.mark.parametrize("value", VALUES, ids=range(len(VALUES)))
def test_each_reads_what_the_other_writes(value: object) -> None:
    assert read_json(write_json(value)) == value
    assert read_json(json.dumps(value)) == value
    assert json.loads(write_json(value)) == value


async def test_client_is_the_row_of_now(runtime: Runtime, database: Database) -> None:
    await register(runtime, client_name="Library")
    async with database.read() as uow:
        before = await uow.clients.find(ClientId("library"))
        again = await uow.clients.find(ClientId("library"))
    # The same row is not understood twice.
    assert before is again
    await register(runtime, client_name="Library of the city")
    for way in (database.read, database.begin, database.begin_hot):
        async with way() as uow:
            found = await uow.clients.find(ClientId("library"))
        assert found is not None
        assert found.name["en"] == "Library of the city"
