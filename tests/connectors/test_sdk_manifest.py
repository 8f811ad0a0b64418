"""A manifest is closed, names its law, speaks every language; its schema is published."""

import json
import tomllib
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from citizen_account.connector_sdk import example
from citizen_account.connector_sdk.manifest import (
    Manifest,
    ManifestError,
    manifest_schema,
    parse_manifest,
    read_manifest,
)

FILE = Path(example.__file__).with_name("manifest.toml")
ROOT = Path(__file__).parents[2]
SCHEMA = ROOT / "docs" / "connector-manifest.schema.json"
Table = dict[str, Any]  # Any: TOML as it was read
GOOD: Table = tomllib.loads(FILE.read_text(encoding="utf-8"))
BOTH = {"en": "Text", "sk": "Veta"}


def changed(change: Callable[[Table], object]) -> Table:
    table = deepcopy(GOOD)
    change(table)
    return table


def faults_of(table: Table) -> str:
    with pytest.raises(ManifestError) as caught:
        parse_manifest(table)
    return str(caught.value)


def test_good_manifest_is_read() -> None:
    manifest = read_manifest(FILE)
    assert manifest.id == "example"
    assert manifest.limits.timeout.total_seconds() == 5
    assert manifest.purpose[0].retention.days == 90
    assert manifest.claims == {"given_name"}


REFUSED: list[tuple[str, Callable[[Table], object], str]] = [
    ("an unknown key", lambda t: t.update(colour="red"), "colour"),
    ("an unknown key deeper", lambda t: t["limits"].update(timeuot="PT1S"), "limits.timeuot"),
    ("another protocol", lambda t: t.update(protocol="2"), "protocol"),
    ("a strange id", lambda t: t.update(id="Permits!"), "id"),
    ("a version in words", lambda t: t.update(version="new"), "version"),
    ("one language only", lambda t: t.update(title={"en": "Title"}), "title"),
    ("an empty text", lambda t: t.update(title={"en": "T", "sk": " "}), "title.sk"),
    ("an unknown tone", lambda t: t.update(tone="pink"), "tone"),
    (
        "a law without its name",
        lambda t: t["purpose"][0].update(legal_basis="public_task"),
        "legal_reference",
    ),
    (
        "a special category without consent",
        lambda t: t["purpose"][0].update(
            legal_basis="public_task", legal_reference="§ 1", special_category=True
        ),
        "special category",
    ),
    ("an unknown claim", lambda t: t["purpose"][0]["claims"][0].update(name="iq"), "claims.0.name"),
    ("nothing received", lambda t: t["purpose"][0].update(receives=[]), "receives"),
    ("a purpose twice", lambda t: t["purpose"].append(t["purpose"][0]), "same id"),
    ("no purpose", lambda t: t.update(purpose=[]), "purpose"),
    ("no export and erasure", lambda t: t["capabilities"].pop("gdpr"), "gdpr"),
    ("no health", lambda t: t["capabilities"].pop("health"), "health"),
    ("nothing to show", lambda t: t["capabilities"].pop("cases"), "shows something"),
    ("an unknown capability", lambda t: t["capabilities"].update(magic=1), "magic"),
    ("a later capability", lambda t: t["capabilities"].update(cases=2), "cases"),
    ("a link without methods", lambda t: t.pop("link"), "[link]"),
    ("an unknown method", lambda t: t["link"].update(methods=["guess"]), "methods"),
    ("patience without end", lambda t: t["limits"].update(timeout="PT5M"), "timeout"),
    ("a rate in words", lambda t: t["limits"].update(rate="often"), "rate"),
    ("a schema elsewhere", lambda t: t["config"].update(schema="../../x.json"), "schema"),
    (
        "a public one with purposes",
        lambda t: t.update(kind="public", capabilities={"health": 1, "places": 1}),
        "public",
    ),
]


@pytest.mark.parametrize(
    ("change", "named"), [(c, n) for _, c, n in REFUSED], ids=[what for what, _, _ in REFUSED]
)
def test_manifest_with_a_fault_is_refused_by_name(
    change: Callable[[Table], object], named: str
) -> None:
    assert named in faults_of(changed(change))


def test_every_fault_is_named_at_once() -> None:
    told = faults_of(changed(lambda t: (t.update(tone="pink"), t.update(version="new"))))
    assert len(told.splitlines()) == 2


def test_later_minor_version_may_bring_keys_that_we_do_not_know() -> None:
    later = changed(lambda t: t.update(protocol="1.3", weather="fine"))
    assert parse_manifest(later).id == "example"
    assert "weather" in faults_of(changed(lambda t: t.update(protocol="1.0", weather="fine")))


def test_id_must_be_the_folder(tmp_path: Path) -> None:
    folder = tmp_path / "another"
    folder.mkdir()
    (folder / "manifest.toml").write_bytes(FILE.read_bytes())
    with pytest.raises(ManifestError, match="folder is 'another'"):
        read_manifest(folder / "manifest.toml")


@pytest.mark.parametrize("content", [b"id = ", b"\xff\xfe", b""])
def test_file_that_is_no_toml_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "manifest.toml").write_bytes(content)
    with pytest.raises(ManifestError):
        read_manifest(tmp_path / "manifest.toml")


def test_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ManifestError, match="cannot be read"):
        read_manifest(tmp_path / "manifest.toml")


def test_published_schema_is_the_models() -> None:
    assert SCHEMA.read_text(encoding="utf-8") == manifest_schema()


def test_published_schema_takes_every_manifest_and_refuses_unknown_keys() -> None:
    validator = jsonschema.Draft202012Validator(json.loads(manifest_schema()))
    files = [FILE, *ROOT.glob("connectors/*/manifest.toml")]
    for file in files:
        validator.validate(tomllib.loads(file.read_text(encoding="utf-8")))
    wrong = changed(lambda t: t.update(colour="red"))
    assert not validator.is_valid(wrong)


def test_every_key_of_a_manifest_is_documented() -> None:
    told = (ROOT / "docs" / "connectors.md").read_text(encoding="utf-8")
    assert [name for name in Manifest.model_fields if f"`{name}`" not in told] == []
