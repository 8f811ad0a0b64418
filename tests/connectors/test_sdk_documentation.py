"""What docs/connectors.md shows is what works."""

import doctest
import re
import tomllib
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from citizen_account.connector_host.configuration import ConnectorConfiguration
from citizen_account.connector_sdk import errors, example, health, http, models, reading, wire
from citizen_account.connector_sdk.checks import BRONZE
from citizen_account.connector_sdk.example import connector, emulator
from citizen_account.connector_sdk.protocol import Connector

TOLD = (Path(__file__).parents[2] / "docs" / "connectors.md").read_text(encoding="utf-8")
FOLDER = Path(example.__file__).parent
BLOCKS = re.findall(r"^ *```([^\n]*)\n(.*?)^ *```$", TOLD, re.MULTILINE | re.DOTALL)
Names = dict[str, Any]  # Any: what executed code defines


def blocks(kind: str) -> list[str]:
    return [text for named, text in BLOCKS if named == kind]


@pytest.mark.parametrize("module", [errors, health, http, models, reading, wire])
def test_examples_in_the_code_run(module: ModuleType) -> None:
    result = doctest.testmod(module)
    assert result.attempted
    assert not result.failed


def test_code_is_the_examples_own() -> None:
    whole = (FOLDER / "connector.py").read_text(encoding="utf-8")
    shown = blocks("python")
    assert len(shown) > 3
    assert [text for text in shown if text not in whole] == []


@pytest.mark.parametrize("check", BRONZE)
async def test_target_of_the_text_is_accepted(check: str) -> None:
    [text] = blocks("python test")
    names: Names = {**vars(connector), **vars(emulator), "FOLDER": FOLDER}
    exec(compile(text, "docs/connectors.md", "exec"), names)  # noqa: S102  # our own text
    await names["test_connector_is_accepted"]("example", BRONZE[check])


def test_every_check_error_and_capability_is_told() -> None:
    words = [*BRONZE, *(error.__name__ for error in errors.ERRORS)]
    words += ["cases", "entitlements", "places", "gdpr", "health", "link"]
    assert [word for word in words if f"`{word}" not in TOLD] == []
    assert set(Connector.__dataclass_fields__) - set(words) == {"recognition"}


def test_operators_file_of_the_text_is_read() -> None:
    [text] = [text for text in blocks("toml") if "[lending]" in text]
    entry = ConnectorConfiguration.model_validate(tomllib.loads(text)["lending"])
    assert entry.peers["desk"].auth.kind == "basic"
    assert entry.settings == {"office": "7"}


def test_files_of_a_connector_elsewhere_are_read() -> None:
    [here] = [text for text in blocks("toml") if "[trees]" in text]
    assert ConnectorConfiguration.model_validate(tomllib.loads(here)["trees"]).manifest_file
    [there] = [text for text in blocks("toml") if "lending.serve" in text]
    serve = {"base_url": "http://x/", **tomllib.loads(there)["lending"]}
    assert ConnectorConfiguration.model_validate(serve).serve


def test_readme_of_the_example_is_read() -> None:
    told = (FOLDER / "README.md").read_text(encoding="utf-8")
    [text] = re.findall(r"```toml\n(.*?)```", told, re.DOTALL)
    assert ConnectorConfiguration.model_validate(tomllib.loads(text)["example"]).settings
