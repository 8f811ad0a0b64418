"""Read `config.schema.json`: the settings that an operator gives a connector, as JSON Schema.

A closed part of JSON Schema 2020-12 is enough: an object of texts. Addresses and credentials do
not belong here: the host keeps them.
"""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator


class SettingsError(Exception):
    """Say what is wrong with a schema or with the settings; never repeats a value."""


class Setting(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    type: Literal["string"]
    title: str = ""
    description: str = ""
    pattern: str | None = None
    enum: tuple[str, ...] | None = None
    default: str | None = None
    write_only: bool = Field(default=False, alias="writeOnly")
    is_secret: bool = Field(default=False, alias="x-secret")

    @model_validator(mode="after")
    def _marks_secrets_twice(self) -> Self:
        if self.write_only is not self.is_secret:
            raise ValueError("a secret carries both writeOnly and x-secret")
        if self.is_secret and self.default is not None:
            raise ValueError("a secret has no default")
        return self


class SettingsSchema(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    schema_uri: Literal["https://json-schema.org/draft/2020-12/schema"] = Field(alias="$schema")
    type: Literal["object"]
    additional_properties: Literal[False] = Field(alias="additionalProperties")
    required: tuple[str, ...] = ()
    properties: dict[str, Setting]

    @model_validator(mode="after")
    def _requires_what_it_knows(self) -> Self:
        unknown = [name for name in self.required if name not in self.properties]
        if unknown:
            raise ValueError(f"required but not described: {', '.join(unknown)}")
        return self

    @property
    def secrets(self) -> frozenset[str]:
        return frozenset(name for name, setting in self.properties.items() if setting.is_secret)

    def complete(self, given: Mapping[str, str]) -> dict[str, str]:
        """Return the settings with defaults.

        Raises:
            SettingsError: with every fault, by name.

        """
        faults = [f"{name}: unknown" for name in sorted(given.keys() - self.properties.keys())]
        faults += [f"{name}: missing" for name in self.required if not given.get(name)]
        faults += [
            f"{name}: does not fit"
            for name, value in given.items()
            if name in self.properties and not _fits(self.properties[name], value)
        ]
        if faults:
            raise SettingsError("; ".join(faults))
        defaults = {name: s.default for name, s in self.properties.items() if s.default is not None}
        return {**defaults, **given}


def _fits(setting: Setting, value: str) -> bool:
    if setting.enum is not None and value not in setting.enum:
        return False
    return setting.pattern is None or re.search(setting.pattern, value) is not None


def read_settings_schema(path: Path) -> SettingsSchema:
    """Read the schema.

    Raises:
        SettingsError: when it is none of ours.

    """
    try:
        return SettingsSchema.model_validate(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError) as error:
        raise SettingsError(f"{path.name}: {_first_line(error)}") from error


def _first_line(error: OSError | ValueError) -> str:
    if isinstance(error, ValidationError):
        fault = error.errors()[0]
        return f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}"
    return type(error).__name__ if isinstance(error, OSError) else str(error)
