"""Run the acceptance suite on every installed connector.

A test that asks for `connector_id` and `acceptance_check` runs once for each pair:

    async def test_connector_is_accepted(connector_id, acceptance_check):
        async with TARGETS[connector_id]() as target:
            await acceptance_check(target)

where `TARGETS` gives an `AcceptanceTarget` on a fresh emulator. `--connector ID` picks one.
"""

from importlib.metadata import entry_points

import pytest

GROUP = "citizen_account.connectors"


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("connectors")
    group.addoption("--connector", help="run the acceptance suite on this connector only")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if not {"connector_id", "acceptance_check"} <= set(metafunc.fixturenames):
        return
    # Imported here: a test run without connectors should not pay for it.
    from citizen_account.connector_sdk.checks import BRONZE  # noqa: PLC0415  # as said above

    chosen = metafunc.config.getoption("--connector")
    installed = sorted(point.name for point in entry_points(group=GROUP))
    names = [name for name in installed if chosen in (None, name)]
    if not names:
        raise pytest.UsageError("no connector is installed under that name")
    metafunc.parametrize("connector_id", names)
    metafunc.parametrize("acceptance_check", list(BRONZE.values()), ids=list(BRONZE))
