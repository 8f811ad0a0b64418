"""Checks of what a connector says about itself (1 to 4)."""

import re
import tomllib
from collections.abc import Iterator

from citizen_account.connector_sdk.acceptance import AcceptanceTarget
from citizen_account.connector_sdk.checks.require import is_a, require
from citizen_account.connector_sdk.manifest import (
    LANGUAGES,
    LinkMethod,
    ManifestError,
    read_manifest,
)
from citizen_account.connector_sdk.settings_schema import (
    SettingsError,
    SettingsSchema,
    read_settings_schema,
)

TEXTS = frozenset({"title", "summary", "text", "why"})
LOOKS_SECRET = re.compile(r"secret|password|token|(^|_)key($|_)")


async def manifest_holds(target: AcceptanceTarget) -> None:
    """1: the manifest fits its closed schema, and its id is the entry point's name."""
    try:
        manifest = read_manifest(target.folder / "manifest.toml")
    except ManifestError as error:
        raise AssertionError(str(error)) from error
    require(manifest.id == target.name, f"the id {manifest.id} is not the entry point's name")


async def texts_in_every_language(target: AcceptanceTarget) -> None:
    """2: every text stands in every language, and none is another's copy."""
    table = tomllib.loads((target.folder / "manifest.toml").read_text(encoding="utf-8"))
    for place, text in _texts(table, ""):
        require(isinstance(text, dict), f"{place} is in one language only")
        spoken = {name: str(part).strip() for name, part in is_a(dict, text).items()}
        missing = [language for language in LANGUAGES if not spoken.get(language)]
        require(not missing, f"{place} is missing in {', '.join(missing)}")
        said = {spoken[language] for language in LANGUAGES}
        require(len(said) == len(LANGUAGES), f"{place} says the same in two languages")


def _texts(value: object, place: str) -> Iterator[tuple[str, object]]:
    if isinstance(value, dict):
        for name, part in value.items():
            here = f"{place}.{name}".lstrip(".")
            yield from [(here, part)] if name in TEXTS else _texts(part, here)
    elif isinstance(value, list):
        for number, part in enumerate(value):
            yield from _texts(part, f"{place}[{number}]")


async def declared_is_implemented(target: AcceptanceTarget) -> None:
    """3: the connector does what its manifest lists: no less, and no more."""
    connector, manifest = target.connector(), target.manifest
    declared = frozenset(manifest.capabilities)
    lacking, hidden = declared - connector.capabilities, connector.capabilities - declared
    require(not lacking, f"declared, but not implemented: {', '.join(sorted(lacking))}")
    require(not hidden, f"implemented, but not declared: {', '.join(sorted(hidden))}")
    methods = set(manifest.link.methods) if manifest.link else set()
    if LinkMethod.REFERENCE_AND_SECRET in methods:
        require(connector.link is not None, "reference_and_secret is declared, not implemented")
    if methods & {LinkMethod.PAIRWISE, LinkMethod.VERIFIED_EMAIL}:
        require(connector.recognition is not None, "recognition is declared, not implemented")


async def settings_are_described(target: AcceptanceTarget) -> None:
    """4: settings have a schema that finds what is missing; secrets are marked and stay inside."""
    if target.manifest.config is None:
        require(not target.settings, "it is given settings that no schema describes")
        return
    schema = _schema(target, target.manifest.config.schema_file)
    for name, setting in schema.properties.items():
        if LOOKS_SECRET.search(name):
            require(setting.is_secret, f"the setting {name} looks secret and is not marked")
    for name in schema.required:
        require(_is_refused(schema, {k: v for k, v in target.settings.items() if k != name}), name)
    require(_is_refused(schema, {**target.settings, "x-unknown": ""}), "unknown settings pass")
    require(not _is_refused(schema, dict(target.settings)), "its own settings do not fit")
    kept = [target.settings[name] for name in schema.secrets if name in target.settings]
    told = repr(target.connector())
    require(not any(secret in told for secret in kept), "its repr tells a secret")


def _schema(target: AcceptanceTarget, file: str) -> SettingsSchema:
    try:
        return read_settings_schema(target.folder / file)
    except SettingsError as error:
        raise AssertionError(str(error)) from error


def _is_refused(schema: SettingsSchema, settings: dict[str, str]) -> bool:
    try:
        schema.complete(settings)
    except SettingsError:
        return True
    return False
