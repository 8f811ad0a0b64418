"""Describe a connector over HTTP as OpenAPI 3.1, from the dataclasses themselves."""

import json

from pydantic import TypeAdapter

from citizen_account.connector_sdk.manifest import Manifest
from citizen_account.connector_sdk.operations import (
    MANIFEST_PATH,
    OPERATIONS,
    STATUS_OF_ERROR,
    Operation,
    Problem,
)
from citizen_account.connector_sdk.shapes import adapter_of

Part = dict[str, object]
# What goes wrong before a connector is asked, and in it.
OTHER_STATUSES = {
    400: "The body has another shape",
    401: "No fresh token of the caller",
    413: "The body is too large",
    500: "A bug of the connector",
}


def connector_openapi() -> str:
    """Return the description, as `docs/connector-http.openapi.json` has it."""
    shapes: set[type] = {Problem, Manifest}
    for operation in OPERATIONS.values():
        shapes |= {operation.asked, operation.answered}
    references, definitions = TypeAdapter.json_schemas(
        [(shape, "validation", adapter_of(shape)) for shape in shapes],
        ref_template="#/components/schemas/{model}",
    )
    told = {shape: schema for (shape, _), schema in references.items()}
    paths: Part = {MANIFEST_PATH: {"get": _manifest(told[Manifest])}}
    paths |= {path: {"post": _described(path, each, told)} for path, each in OPERATIONS.items()}
    document = {
        "openapi": "3.1.0",
        "info": {"title": "City connector", "version": "1"},
        "paths": paths,
        "components": {
            "schemas": dict(sorted(definitions["$defs"].items())),
            "securitySchemes": {
                "account": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}
            },
        },
    }
    return json.dumps(document, indent=1, ensure_ascii=False) + "\n"


def _manifest(schema: Part) -> Part:
    return {
        "operationId": "manifest",
        "responses": {"200": _content("The manifest, with its defaults", schema)},
    }


def _described(path: str, operation: Operation, told: dict[type, Part]) -> Part:
    reasons = {status: kind.__name__ for kind, status in STATUS_OF_ERROR.items()} | OTHER_STATUSES
    problem = told[Problem]
    failures: Part = {
        str(status): _content(reasons[status], problem, "application/problem+json")
        for status in sorted(reasons)
    }
    return {
        "operationId": path.removeprefix("/v1/").replace(":", "_"),
        "tags": [operation.capability],
        "security": [{"account": []}],
        "requestBody": {"required": True, **_json(told[operation.asked])},
        "responses": {"200": _content("Done", told[operation.answered]), **failures},
    }


def _content(description: str, schema: Part, kind: str = "application/json") -> Part:
    return {"description": description, **_json(schema, kind)}


def _json(schema: Part, kind: str = "application/json") -> Part:
    return {"content": {kind: {"schema": schema}}}
