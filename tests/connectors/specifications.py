"""Hold what the small city answers against the standards' own files, which lie beside the project.

OpenAPI 3.0 is read as JSON Schema: `nullable` becomes a union with null.
"""

import json
import re
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, TypeAlias
from urllib.parse import unquote

import pytest
import yaml
from jsonschema import Draft7Validator, FormatChecker
from referencing import Registry
from referencing.jsonschema import DRAFT7

Loose: TypeAlias = Any  # Any: JSON of others, read by tests alone
FIXTURES = Path(__file__).parents[3] / "shared" / "fixtures"


def fixture(path: str) -> Path:
    file = FIXTURES / path
    if not file.exists():
        pytest.skip(f"the standards' files are not beside the project: {path}")
    return file


def recorded(path: str) -> Loose:
    return json.loads(fixture(path).read_text(encoding="utf-8"))


@cache
def document(path: str) -> dict[str, Loose]:
    text = fixture(path).read_text(encoding="utf-8")
    loaded = json.loads(text) if path.endswith(".json") else yaml.load(text, yaml.CSafeLoader)
    adapted = _adapted(loaded, loaded)
    assert isinstance(adapted, dict)
    return adapted


def _adapted(node: Loose, whole: Loose) -> Loose:
    if isinstance(node, list):
        return [_adapted(one, whole) for one in node]
    if not isinstance(node, dict):
        return node
    copied = {name: _adapted(one, whole) for name, one in node.items()}
    if isinstance(reference := copied.get("$ref"), str):
        copied["$ref"] = _straight(reference, whole)
    _repair(copied)
    if copied.pop("nullable", None) is True:
        return {"anyOf": [copied, {"type": "null"}]}
    return copied


def _repair(schema: dict[str, Loose]) -> None:
    """Take out two contradictions of APDS 1.0 that no answer can satisfy.

    A reference must have two members and may have one; a credential must fit exactly one of
    three alternatives, which are the same.
    """
    if isinstance(required := schema.get("required"), list) and (
        len(required) > schema.get("maxProperties", len(required))
    ):
        del schema["maxProperties"]
    branches = schema.get("oneOf")
    if isinstance(branches, list) and all("allOf" in one for one in branches):
        parts = [one["allOf"] for one in branches]
        if parts.count(parts[0]) == len(parts):
            schema["anyOf"] = schema.pop("oneOf")


def _straight(reference: str, whole: Loose) -> str:
    """Return the pointer without detours: the bundle of APDS points through other pointers."""
    node, steps = whole, reference.split("/")[1:]
    for index, step in enumerate(steps):
        name = unquote(step).replace("~1", "/").replace("~0", "~")
        if isinstance(node, dict) and "$ref" in node and name not in node:
            return _straight("/".join((node["$ref"], *steps[index:])), whole)
        node = node[int(name)] if isinstance(node, list) else node[name]
    return reference


def faults(path: str, pointer: str, value: object) -> set[str]:
    """Return where a value breaks the schema at the pointer of a document, and which rule."""
    registry: Registry[Loose] = Registry().with_resource(
        "urn:spec", DRAFT7.create_resource(document(path))
    )
    schema = {"$ref": f"urn:spec#{pointer}"}
    return _faults(
        Draft7Validator(schema, registry=registry, format_checker=FormatChecker()), value
    )


def component_faults(path: str, component: str, value: object) -> set[str]:
    return faults(path, f"/components/schemas/{component}", value)


def schema_faults(path: str, value: object) -> set[str]:
    """Return where a value breaks a JSON Schema file, and which rule."""
    schema = json.loads(fixture(path).read_text(encoding="utf-8"))
    return _faults(Draft7Validator(schema, format_checker=FormatChecker()), value)


def _faults(validator: Draft7Validator, value: object) -> set[str]:
    errors = validator.iter_errors(value)
    return {f"{re.sub(r'[0-9]+', '', error.json_path)} {error.validator}" for error in errors}


def members_of(path: str, component: str) -> set[str]:
    """Return every member that a component names, its parts included."""
    schema = document(path)["components"]["schemas"][component]
    return _members(path, schema)


def _members(path: str, schema: Mapping[str, Loose]) -> set[str]:
    if "$ref" in schema:
        return members_of(path, schema["$ref"].rsplit("/", 1)[-1])
    parts: Sequence[Mapping[str, Loose]] = [*schema.get("allOf", ()), *schema.get("anyOf", ())]
    inherited = {name for part in parts for name in _members(path, part)}
    return inherited | set(schema.get("properties", {}))
