"""Read CONNECTORS_FILE: where each connector's source is, and how we prove who we are.

[permits]
base_url = "https://cases.city.example/"
auth = { kind = "jwt_client", client_id = "account", secret_file = "/run/secrets/zgw" }

[permits.peers.desk]
base_url = "https://desk.city.example/"

[permits.settings]
organisation = "517439943"
"""

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    StringConstraints,
    ValidationError,
    model_validator,
)

from citizen_account.connector_sdk.auth import (
    ApiKey,
    Basic,
    ClientCredentials,
    Credentials,
    JwtClient,
    NoCredentials,
)
from citizen_account.connector_sdk.protocol import Clock

Address = Annotated[str, StringConstraints(pattern=r"^https?://[^\s/?#@]+(/[^\s?#]*)?$")]


class ConfigurationError(Exception):
    """Say what is wrong with the file; names keys, never values."""


class _Closed(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class _WithSecret(_Closed):
    """A secret stands in the file itself, or in a file of its own."""

    secret: SecretStr = SecretStr("")
    secret_file: Path | None = None

    @model_validator(mode="after")
    def _has_one_secret(self) -> Self:
        if bool(self.secret.get_secret_value()) is (self.secret_file is not None):
            raise ValueError("give either secret or secret_file")
        return self

    def read_secret(self) -> str:
        if self.secret_file is None:
            return self.secret.get_secret_value()
        return self.secret_file.read_text(encoding="utf-8").rstrip("\n")


class NoAuth(_Closed):
    kind: Literal["none"] = "none"

    def credentials(self, _: Clock) -> Credentials:
        return NoCredentials()


class ApiKeyAuth(_WithSecret):
    kind: Literal["api_key"]
    header: str = "X-Api-Key"

    def credentials(self, _: Clock) -> Credentials:
        return ApiKey(self.read_secret(), self.header)


class BasicAuth(_WithSecret):
    kind: Literal["basic"]
    username: str

    def credentials(self, _: Clock) -> Credentials:
        return Basic(self.username, self.read_secret())


class JwtClientAuth(_WithSecret):
    kind: Literal["jwt_client"]
    client_id: str

    def credentials(self, clock: Clock) -> Credentials:
        return JwtClient(self.client_id, self.read_secret(), clock)


class ClientCredentialsAuth(_WithSecret):
    kind: Literal["oauth2_client_credentials"]
    client_id: str
    token_url: Address
    scope: str = ""

    def credentials(self, clock: Clock) -> Credentials:
        return ClientCredentials(
            self.token_url, self.client_id, self.read_secret(), clock, self.scope
        )


Auth = Annotated[
    NoAuth | ApiKeyAuth | BasicAuth | JwtClientAuth | ClientCredentialsAuth,
    Field(discriminator="kind"),
]


class PeerConfiguration(_Closed):
    base_url: Address
    auth: Auth = NoAuth()


class ServeConfiguration(_WithSecret):
    """Who may call a connector that runs by itself (`connector serve`)."""

    client_id: str


class ConnectorConfiguration(PeerConfiguration):
    is_enabled: bool = Field(default=True, alias="enabled")
    peers: dict[str, PeerConfiguration] = {}
    settings: dict[str, str] = {}
    manifest_file: Path | None = None
    """The accepted manifest of a connector that runs elsewhere; its folder is named by the id."""
    serve: ServeConfiguration | None = None


def read_configurations(path: Path | None) -> Mapping[str, ConnectorConfiguration]:
    """Return the configuration of each connector by its id; none without a file.

    Raises:
        ConfigurationError: with every fault and where it stands.

    """
    if path is None:
        return {}
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigurationError(f"{path}: {type(error).__name__}") from error
    return {name: _parse(name, entry) for name, entry in table.items()}


def _parse(name: str, entry: object) -> ConnectorConfiguration:
    try:
        return ConnectorConfiguration.model_validate(entry)
    except ValidationError as error:
        faults = error.errors(include_input=False, include_url=False, include_context=False)
        lines = [f"{'.'.join(map(str, (name, *fault['loc'])))}: {fault['msg']}" for fault in faults]
        raise ConfigurationError("\n".join(lines)) from None
