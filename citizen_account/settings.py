"""Read every CITIZEN_* variable, once, typed and frozen."""

import os
from enum import StrEnum
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import Annotated, Any, Self
from urllib.parse import urlsplit
from zoneinfo import available_timezones

from pydantic import Field, SecretStr, field_validator, model_validator
from pydantic_settings import (
    BaseSettings,
    EnvSettingsSource,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

PREFIX = "CITIZEN_"
LOCAL_HOSTS = frozenset({"localhost", "127.0.0.1", "[::1]", "::1"})
MINIMUM_SECRET_CHARACTERS = 32
SECRETS = frozenset(
    {"secret_key", "data_key", "backup_key", "metrics_token", "database_url", "smtp_url"}
)
POSITION = r"^(-?\d{1,2}(\.\d{1,8})?,-?\d{1,3}(\.\d{1,8})?)?$"
Network = IPv4Network | IPv6Network


class Environment(StrEnum):
    DEVELOPMENT = "development"
    PRODUCTION = "production"


class Registration(StrEnum):
    """Who may register a client without an operator (RFC 7591)."""

    CLOSED = "closed"
    TOKEN = "token"  # noqa: S105  # a mode, no secret
    QUEUE = "queue"
    OPEN = "open"


class SecretFileError(Exception):
    """A secret's file cannot be read, or the secret is given twice; says which and why."""


class SecretFiles(EnvSettingsSource):
    """Read CITIZEN_X_FILE where CITIZEN_X is a secret: the file's text without its last newline."""

    def __call__(self) -> dict[str, Any]:  # Any: the shape that pydantic-settings prescribes
        paths = {name: os.environ.get(f"{PREFIX}{name.upper()}_FILE") for name in SECRETS}
        return {name: _read_secret(name, path) for name, path in paths.items() if path}


def _read_secret(name: str, path: str) -> str:
    variable = f"{PREFIX}{name.upper()}"
    if os.environ.get(variable):
        raise SecretFileError(f"{variable} and {variable}_FILE are both set: keep one of them")
    try:
        return Path(path).read_text(encoding="utf-8").rstrip("\n")
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is no UTF-8 text"
        raise SecretFileError(f"{variable}_FILE: {path} cannot be read: {why}") from None


class Settings(BaseSettings):
    """All that an operator decides. `docs/reference.md` has a row for each."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True, extra="ignore")

    issuer: str
    database_url: SecretStr
    database_connections: Annotated[int, Field(ge=2, le=500)] = 16
    """Of each process, at most."""
    secret_key: SecretStr
    data_key: Annotated[tuple[SecretStr, ...], NoDecode]
    environment: Environment = Environment.PRODUCTION
    city_name: str = "Dunajské Mesto"
    brand: Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,30}$")] = "dunaj"
    default_language: str = "sk"
    time_zone: str = "Europe/Bratislava"
    city_position: Annotated[str, Field(pattern=POSITION)] = ""
    """Latitude and longitude in degrees, for instance "47.76,18.12"."""
    city_radius_metres: Annotated[int, Field(ge=100, le=50_000)] = 8000
    support_email: str = ""
    support_phone: str = ""
    mail_from: str = "no-reply@localhost"
    smtp_url: SecretStr | None = None
    trusted_ca_file: Path | None = None
    trusted_proxies: Annotated[tuple[Network, ...], NoDecode] = ()
    mtls_certificate_header: Annotated[str, Field(pattern=r"^[A-Za-z0-9-]{0,64}$")] = ""
    mtls_ca_file: Path | None = None
    mtls_address: str = ""
    outbound_allowed_networks: Annotated[tuple[Network, ...], NoDecode] = ()
    upstreams_file: Path | None = None
    connectors_file: Path | None = None
    templates_folder: Path | None = None
    registration: Registration = Registration.CLOSED
    registration_require_pkce: bool = True
    metrics_token: SecretStr | None = None
    traces_url: Annotated[str, Field(pattern=r"^(https?://\S+)?$")] = ""
    security_contact: Annotated[str, Field(pattern=r"^((mailto:|https://|tel:)\S+)?$")] = ""
    security_policy: Annotated[str, Field(pattern=r"^(https://\S+)?$")] = ""
    backup_key: SecretStr | None = None
    revocation_log: Path | None = None
    session_idle_minutes: Annotated[int, Field(ge=1, le=1440)] = 30
    session_maximum_hours: Annotated[int, Field(ge=1, le=168)] = 12
    argon2_memory_kib: Annotated[int, Field(ge=8, le=1_048_576)] = 19_456
    argon2_time_cost: Annotated[int, Field(ge=1, le=20)] = 2
    argon2_parallelism: Annotated[int, Field(ge=1, le=16)] = 1

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        del dotenv_settings, file_secret_settings
        return init_settings, env_settings, SecretFiles(settings_cls)

    @field_validator("data_key", "trusted_proxies", "outbound_allowed_networks", mode="before")
    @classmethod
    def split_list(cls, value: object) -> object:
        """Let the environment give a list as words parted by commas or blanks."""
        return value.replace(",", " ").split() if isinstance(value, str) else value

    @field_validator("mtls_address")
    @classmethod
    def check_mtls_address(cls, address: str) -> str:
        return cls.check_issuer(address) if address else ""

    @field_validator("issuer")
    @classmethod
    def check_issuer(cls, issuer: str) -> str:
        # RFC 8414 section 2: https, no query, no fragment; without a path by our own decision.
        parts = urlsplit(issuer)
        if parts.scheme not in {"https", "http"} or not parts.hostname:
            raise ValueError("must be an address such as https://account.city.example")
        if parts.path or parts.query or parts.fragment or parts.username:
            raise ValueError("must have no path, no trailing slash, no query and no user")
        if parts.scheme == "http" and parts.hostname not in LOCAL_HOSTS:
            raise ValueError("must be https; http is for localhost in development")
        return issuer

    @field_validator("time_zone")
    @classmethod
    def check_time_zone(cls, name: str) -> str:
        if name not in available_timezones():
            raise ValueError("must be a name of the IANA time zone database")
        return name

    @model_validator(mode="after")
    def check_whole(self) -> Self:
        """Refuse a half configuration and say what is missing."""
        if self.backup_key and len(self.backup_key.get_secret_value()) < MINIMUM_SECRET_CHARACTERS:
            raise ValueError(
                f"CITIZEN_BACKUP_KEY needs at least {MINIMUM_SECRET_CHARACTERS} random characters"
            )
        for key in (self.secret_key, *self.data_key):
            if len(key.get_secret_value()) < MINIMUM_SECRET_CHARACTERS:
                raise ValueError(
                    "CITIZEN_SECRET_KEY and each key of CITIZEN_DATA_KEY need at least"
                    f" {MINIMUM_SECRET_CHARACTERS} random characters"
                )
        if self.mtls_certificate_header and not self.trusted_proxies:
            raise ValueError(
                "CITIZEN_MTLS_CERTIFICATE_HEADER needs CITIZEN_TRUSTED_PROXIES: anybody else could"
                " write the header"
            )
        if self.mtls_address and not self.mtls_certificate_header:
            raise ValueError("CITIZEN_MTLS_ADDRESS needs CITIZEN_MTLS_CERTIFICATE_HEADER")
        if not self.data_key:
            raise ValueError("CITIZEN_DATA_KEY is empty")
        if self.environment is Environment.PRODUCTION:
            self._check_production()
        return self

    def _check_production(self) -> None:
        if not self.issuer.startswith("https://"):
            raise ValueError("CITIZEN_ISSUER must be https in production")
        if self.mtls_address.startswith("http://"):
            raise ValueError("CITIZEN_MTLS_ADDRESS must be https in production")
        if self.smtp_url is None:
            raise ValueError(
                "CITIZEN_SMTP_URL is missing: the development mailbox is refused in production"
            )
        if not (self.support_email or self.support_phone):
            raise ValueError("CITIZEN_SUPPORT_EMAIL or CITIZEN_SUPPORT_PHONE is missing")
