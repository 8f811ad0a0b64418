"""Accept a connector: the checks that each must pass before a city switches it on.

A check is `async def check(target) -> None` and raises AssertionError with what is wrong. The
target is a connector on its emulator, made anew for each check; `pytest_plugin` brings both
together. The numbers are those of the contract; `docs/connectors.md` says what each is for.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from pathlib import Path

from citizen_account.connector_sdk.auth import Credentials, NoCredentials
from citizen_account.connector_sdk.http import ConnectorHttp, Transport
from citizen_account.connector_sdk.manifest import Manifest, read_manifest
from citizen_account.connector_sdk.models import Context
from citizen_account.connector_sdk.protocol import Build, Connector
from citizen_account.connector_sdk.rigging import Rigged


class Fault(StrEnum):
    """What an emulator does on request, beyond what a transport alone can do."""

    NONE = "none"
    OTHER_SUBJECT = "other_subject"
    """Give every resident the records of somebody else."""


@dataclass(frozen=True, slots=True)
class Source:
    """Where a system is, and how we prove who we are."""

    base_url: str
    credentials: Credentials = field(default_factory=NoCredentials)


@dataclass(frozen=True, kw_only=True)
class AcceptanceTarget:
    """A connector and its emulator."""

    name: str
    """Of the entry point."""
    folder: Path
    build: Build
    transport: Transport
    """To the emulator: `httpx2.ASGITransport(app)` mostly."""
    source: Source
    peers: Mapping[str, Source] = field(default_factory=dict)
    settings: Mapping[str, str] = field(default_factory=dict)
    inject: Callable[[Fault], None]
    """Switch the emulator to a fault, or back with `Fault.NONE`."""
    residents: tuple[Context, ...] = ()
    """Two that the emulator knows, each with records of the kinds that the connector shows."""
    stranger: Context = field(default_factory=lambda: Context(subject="A" * 16))
    """Nobody that the emulator knows."""
    position: tuple[float, float, float] | None = None
    """Latitude, longitude and a radius in metres with places in it."""
    secrets: frozenset[str] = frozenset()
    """Texts that must appear nowhere: keys, secrets of letters."""
    letter: tuple[str, str] | None = None
    """A reference and its secret that link the first resident."""

    @cached_property
    def manifest(self) -> Manifest:
        return read_manifest(self.folder / "manifest.toml")

    @cached_property
    def rigged(self) -> Rigged:
        return Rigged(self.transport)

    def connector(
        self,
        *,
        timeout_seconds: float = 8.0,
        source: Source | None = None,
        peers: Mapping[str, Source] | None = None,
    ) -> Connector:
        """Build the connector on the rigged transport, as the host would on a real one."""
        ways = {
            name: self._way(peer, timeout_seconds)
            for name, peer in {**self.peers, **(peers or {})}.items()
        }
        http = self._way(source or self.source, timeout_seconds, ways)
        return self.build(self.settings, http)

    def _way(
        self,
        source: Source,
        timeout_seconds: float,
        peers: Mapping[str, ConnectorHttp] | None = None,
    ) -> ConnectorHttp:
        return ConnectorHttp(
            source.base_url,
            self.rigged,
            credentials=source.credentials,
            timeout_seconds=timeout_seconds,
            peers=peers,
        )
