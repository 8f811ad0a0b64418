"""Read a connector's manifest. Its schema is closed: a slip of the pen is an error with a name."""

import json
import re
import tomllib
from collections.abc import Mapping
from datetime import timedelta
from enum import StrEnum
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
    model_validator,
)

LANGUAGES = ("en", "sk")
PROTOCOL = 1

Word = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{1,40}$")]
NonEmpty = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=500)]
CapabilityName = Literal[
    "link", "cases", "applications", "documents", "appointments", "entitlements", "charges",
    "feed", "places", "catalogue", "gdpr", "health", "events",
]  # fmt: skip
Idempotency = Literal[
    "key", "natural_reference", "upsert", "conditional_create", "reconcile", "none"
]
ClaimName = Literal[
    "name", "given_name", "family_name", "birthdate", "locale", "email", "phone_number", "address"
]


class ManifestError(Exception):
    """Say what is wrong with a manifest, one line for each thing."""


def _in_every_language(text: dict[str, str]) -> dict[str, str]:
    missing = [language for language in LANGUAGES if language not in text]
    if missing:
        raise ValueError(f"the text is missing in: {', '.join(missing)}")
    return text


LocalText = Annotated[dict[str, NonEmpty], AfterValidator(_in_every_language)]


class _Closed(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Kind(StrEnum):
    RESIDENT = "resident"
    PUBLIC = "public"
    BOTH = "both"


class LegalBasis(StrEnum):
    """GDPR Article 6 (1), as far as a city's services need it."""

    CONSENT = "consent"
    PUBLIC_TASK = "public_task"
    LEGAL_OBLIGATION = "legal_obligation"
    CONTRACT = "contract"


class LinkMethod(StrEnum):
    PAIRWISE = "pairwise"
    OIDC_SUB = "oidc_sub"
    OAUTH = "oauth"
    VERIFIED_EMAIL = "verified_email"
    REFERENCE_AND_SECRET = "reference_and_secret"  # noqa: S105 - the name of a method
    REGISTER_IDENTIFIER = "register_identifier"


class AuthKind(StrEnum):
    NONE = "none"
    API_KEY = "api_key"
    BASIC = "basic"
    OAUTH2_CLIENT_CREDENTIALS = "oauth2_client_credentials"
    JWT_CLIENT = "jwt_client"


class Publisher(_Closed):
    name: NonEmpty
    url: NonEmpty
    contact: NonEmpty
    security: NonEmpty | None = None


class Standard(_Closed):
    id: Word
    version: NonEmpty
    url: NonEmpty


class Claim(_Closed):
    """A claim that is sent to the source, and the reason the resident reads beside it."""

    name: ClaimName
    why: LocalText


class Purpose(_Closed):
    """Why data flows; shown to the resident one by one."""

    id: Word
    text: LocalText
    legal_basis: LegalBasis
    legal_reference: str = ""
    special_category: bool = False
    claims: tuple[Claim, ...] = ()
    receives: tuple[Word, ...] = Field(min_length=1)
    retention: timedelta
    """Of the snapshot."""

    @model_validator(mode="after")
    def _names_its_law(self) -> Self:
        if self.legal_basis is not LegalBasis.CONSENT and not self.legal_reference.strip():
            raise ValueError("legal_reference is required unless the basis is consent")
        if self.special_category and self.legal_basis is not LegalBasis.CONSENT:
            # GDPR Article 9 (2) (a): explicit consent.
            raise ValueError("a special category needs consent as its basis")
        return self


class CapabilityVersion(_Closed):
    version: Literal[1]
    idempotency: Idempotency | None = None
    max_bytes: int | None = Field(default=None, gt=0)
    types: tuple[str, ...] = ()


def _version(value: object) -> object:
    return {"version": value} if isinstance(value, int) else value


Capability = Annotated[
    CapabilityVersion,
    BeforeValidator(_version, json_schema_input_type=CapabilityVersion | Literal[1]),
]


class Linking(_Closed):
    methods: tuple[LinkMethod, ...] = Field(min_length=1)


class Auth(_Closed):
    kinds: tuple[AuthKind, ...] = (AuthKind.NONE,)
    peers: dict[Word, tuple[AuthKind, ...]] = {}
    """Further systems beside the main one, each with the kinds of auth that it takes."""


class Limits(_Closed):
    timeout: timedelta = timedelta(seconds=8)
    concurrency: int = Field(default=4, ge=1, le=64)
    rate: str = Field(default="60/min", pattern=r"^[1-9][0-9]{0,5}/(s|min|h)$")
    max_page: int = Field(default=100, ge=1, le=1000)

    @model_validator(mode="after")
    def _is_patient_within_reason(self) -> Self:
        if not timedelta(seconds=1) <= self.timeout <= timedelta(seconds=30):
            raise ValueError("timeout must lie between PT1S and PT30S")
        return self


class Config(_Closed):
    schema_file: str = Field(alias="schema", pattern=r"^[a-z][a-z0-9_.-]*\.json$")


class Assurance(_Closed):
    minimum: Literal["low", "substantial", "high"] = "low"
    acting_for: tuple[Literal["self", "minor_child", "organisation"], ...] = ("self",)


class Quality(_Closed):
    tier: Literal["bronze", "silver", "gold"] = "bronze"
    exempt: dict[Word, NonEmpty] = {}


class Manifest(_Closed):
    """How a connector introduces itself; see docs/connectors.md for each key."""

    protocol: str = Field(pattern=r"^1(\.[0-9]{1,3})?$")
    id: str = Field(pattern=r"^[a-z][a-z0-9_]{2,30}$")
    version: str = Field(pattern=r"^[0-9]+\.[0-9]+\.[0-9]+$")
    kind: Kind
    publisher: Publisher
    standard: tuple[Standard, ...] = ()
    title: LocalText
    summary: LocalText
    icon: Word = "landmark"
    tone: Literal["blue", "red", "plum", "green", "teal", "gold"] = "blue"
    purpose: tuple[Purpose, ...] = ()
    capabilities: dict[CapabilityName, Capability]
    link: Linking | None = None
    auth: Auth = Auth()
    limits: Limits = Limits()
    config: Config | None = None
    assurance: Assurance = Assurance()
    quality: Quality = Quality()

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        faults = [*self._missing_capabilities(), *self._faults_of_purposes()]
        if ("link" in self.capabilities) is not (self.link is not None):
            faults.append("the capability link and the table [link] come together")
        if faults:
            raise ValueError("; ".join(faults))
        return self

    def _missing_capabilities(self) -> list[str]:
        needed = {"health"} if self.kind is Kind.PUBLIC else {"health", "gdpr", "link"}
        faults = [
            f"kind {self.kind} needs the capability {name}"
            for name in sorted(needed - self.capabilities.keys())
        ]
        if not self.capabilities.keys() - needed:
            faults.append("it declares no capability that shows something")
        return faults

    def _faults_of_purposes(self) -> list[str]:
        ids = [purpose.id for purpose in self.purpose]
        faults = ["two purposes have the same id"] if len(set(ids)) < len(ids) else []
        if self.kind is Kind.PUBLIC and ids:
            faults.append("a public connector has no purposes: it gets no personal data")
        if self.kind is not Kind.PUBLIC and not ids:
            faults.append("personal data needs at least one purpose")
        return faults

    @cached_property
    def claims(self) -> frozenset[str]:
        """Every claim that may be sent to the source."""
        return frozenset(claim.name for purpose in self.purpose for claim in purpose.claims)


def read_manifest(path: Path) -> Manifest:
    """Read `manifest.toml`; its `id` must be the name of its folder.

    Raises:
        ManifestError: with every fault and where it stands.

    """
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ManifestError(f"{path.name} cannot be read: {error}") from error
    manifest = parse_manifest(table)
    if manifest.id != path.parent.name:
        raise ManifestError(f"id: is {manifest.id!r}, but the folder is {path.parent.name!r}")
    return manifest


def parse_manifest(table: Mapping[str, Any]) -> Manifest:  # Any: TOML as it was read
    """Check a manifest's table.

    Raises:
        ManifestError: with every fault and where it stands.

    """
    try:
        return Manifest.model_validate(_without_later_keys(table))
    except ValidationError as error:
        lines = [
            f"{'.'.join(map(str, e['loc'])) or 'manifest'}: {e['msg']}" for e in error.errors()
        ]
        raise ManifestError("\n".join(lines)) from error


def _without_later_keys(table: Mapping[str, Any]) -> Mapping[str, Any]:  # Any: TOML as it was read
    """Leave out top-level keys that a later 1.y may have added; 1.0 itself is closed."""
    if not re.fullmatch(r"1\.[1-9][0-9]*", str(table.get("protocol", ""))):
        return table
    return {key: value for key, value in table.items() if key in Manifest.model_fields}


SUPPORTED_LINK_METHODS = frozenset(
    {LinkMethod.REFERENCE_AND_SECRET, LinkMethod.PAIRWISE, LinkMethod.VERIFIED_EMAIL}
)


def manifest_schema() -> str:
    """Return the JSON Schema of a manifest, as `docs/connector-manifest.schema.json` has it."""
    schema = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **Manifest.model_json_schema(),
    }
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"
