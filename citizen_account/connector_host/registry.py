"""Find the installed connectors, and use those whose manifest and configuration hold.

A connector that does not hold keeps its reason and stays out; the others do not notice.
"""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from importlib.metadata import EntryPoint, entry_points
from importlib.util import find_spec
from pathlib import Path

from citizen_account.connector_host.configuration import (
    ConnectorConfiguration,
    PeerConfiguration,
)
from citizen_account.connector_host.containment import BrokenConnectorError, contained
from citizen_account.connector_sdk.http import ConnectorHttp, Transport
from citizen_account.connector_sdk.manifest import (
    SUPPORTED_LINK_METHODS,
    AuthKind,
    Kind,
    LinkMethod,
    Manifest,
    ManifestError,
    read_manifest,
)
from citizen_account.connector_sdk.protocol import Build, Clock, Connector
from citizen_account.connector_sdk.settings_schema import SettingsError, read_settings_schema

GROUP = "citizen_account.connectors"
OpenTransport = Callable[[int], Transport]
"""From the number of connections to a transport."""


class _NotUsableError(Exception):
    """Say why a connector stays out."""


@dataclass(frozen=True, slots=True)
class Installed:
    """A connector with a good manifest; `problem` says why it is not in use."""

    manifest: Manifest
    connector: Connector | None
    problem: str = ""
    secrets: frozenset[str] = field(default=frozenset(), repr=False)
    """Settings that must not be written anywhere."""


@dataclass(frozen=True, slots=True)
class Registry:
    connectors: Mapping[str, Installed]
    refused: Mapping[str, str]
    """Why what was found or configured under a name is no connector at all."""
    close_all: Callable[[], Awaitable[None]] = field(repr=False)

    def find(self, connector_id: str) -> Installed | None:
        return self.connectors.get(connector_id)

    def of_residents(self) -> list[Manifest]:
        """Return the manifests that a resident can link, those not in use included."""
        every = [installed.manifest for installed in self.connectors.values()]
        return [manifest for manifest in every if manifest.kind is not Kind.PUBLIC]

    async def close(self) -> None:
        await self.close_all()


def load_registry(
    configurations: Mapping[str, ConnectorConfiguration],
    open_transport: OpenTransport,
    clock: Clock,
    found: Iterable[EntryPoint] | None = None,
) -> Registry:
    """Load every connector of the entry point group, or those that are given."""
    points = entry_points(group=GROUP) if found is None else found
    transports: list[Transport] = []

    def opened(connections: int) -> Transport:
        transports.append(open_transport(connections))
        return transports[-1]

    async def close_all() -> None:
        for transport in transports:
            await transport.aclose()

    connectors: dict[str, Installed] = {}
    refused: dict[str, str] = {}
    for point in sorted(points, key=lambda each: each.name):
        try:
            manifest, folder = find_manifest(point)
        except (ManifestError, BrokenConnectorError) as error:
            refused[point.name] = str(error)
            continue
        loading = _Loading(point, manifest, folder, configurations.get(point.name), clock)
        connectors[point.name] = loading.install(opened)
    unknown = configurations.keys() - connectors.keys() - refused.keys()
    refused |= dict.fromkeys(unknown, "configured, but not installed")
    return Registry(connectors, refused, close_all)


def find_manifest(point: EntryPoint) -> tuple[Manifest, Path]:
    """Return the manifest beside the entry point's module, and its folder.

    Raises:
        ManifestError: when it does not hold.
        BrokenConnectorError: when the package cannot even be looked into.

    """
    spec = contained(lambda: find_spec(point.module))
    if spec is None or spec.origin is None:
        raise ManifestError(f"the module {point.module} does not exist")
    folder = Path(spec.origin).parent
    manifest = read_manifest(folder / "manifest.toml")
    if manifest.id != point.name:
        raise ManifestError(f"id: is {manifest.id!r}, but the entry point is {point.name!r}")
    return manifest, folder


@dataclass(frozen=True, slots=True)
class _Loading:
    point: EntryPoint
    manifest: Manifest
    folder: Path
    configuration: ConnectorConfiguration | None
    clock: Clock

    def install(self, open_transport: OpenTransport) -> Installed:
        try:
            return self._install(open_transport)
        except (_NotUsableError, BrokenConnectorError, SettingsError) as error:
            return Installed(self.manifest, None, str(error))

    def _install(self, open_transport: OpenTransport) -> Installed:
        configuration = self.configuration
        if configuration is None:
            raise _NotUsableError("not configured")
        if not configuration.is_enabled:
            raise _NotUsableError("switched off")
        settings, secrets = self._settings(configuration)
        http = self._http(configuration, open_transport(self.manifest.limits.concurrency))
        build: Build = contained(self.point.load)
        connector = contained(lambda: build(settings, http))
        check_parts(self.manifest, connector)
        return Installed(self.manifest, connector, secrets=secrets)

    def _settings(self, given: ConnectorConfiguration) -> tuple[dict[str, str], frozenset[str]]:
        if self.manifest.config is None:
            if given.settings:
                raise _NotUsableError("it takes no settings")
            return {}, frozenset()
        schema = read_settings_schema(self.folder / self.manifest.config.schema_file)
        settings = schema.complete(given.settings)
        return settings, frozenset(settings[name] for name in schema.secrets if name in settings)

    def _http(self, given: ConnectorConfiguration, transport: Transport) -> ConnectorHttp:
        wanted = self.manifest.auth.peers
        if given.peers.keys() != wanted.keys():
            differing = ", ".join(sorted(given.peers.keys() ^ wanted.keys()))
            raise _NotUsableError(f"peers differ from the manifest's: {differing}")
        peers = {
            name: self._way(peer, transport, wanted[name]) for name, peer in given.peers.items()
        }
        return self._way(given, transport, self.manifest.auth.kinds, peers)

    def _way(
        self,
        given: PeerConfiguration,
        transport: Transport,
        kinds: tuple[AuthKind, ...],
        peers: Mapping[str, ConnectorHttp] | None = None,
    ) -> ConnectorHttp:
        if given.auth.kind not in kinds:
            raise _NotUsableError(f"it does not take auth of the kind {given.auth.kind}")
        try:
            credentials = given.auth.credentials(self.clock)
        except OSError as error:
            raise _NotUsableError(f"secret_file: {type(error).__name__}") from error
        return ConnectorHttp(
            given.base_url,
            transport,
            credentials=credentials,
            timeout_seconds=self.manifest.limits.timeout.total_seconds(),
            peers=peers,
        )


def check_parts(manifest: Manifest, connector: object) -> None:
    """Refuse a connector that can do more or less than its manifest says."""
    if not isinstance(connector, Connector):
        raise _NotUsableError("build returned no Connector")
    declared = frozenset(manifest.capabilities)
    differing = declared ^ connector.capabilities
    if differing:
        raise _NotUsableError(f"declared and implemented differ: {', '.join(sorted(differing))}")
    for method in manifest.link.methods if manifest.link else ():
        _check_method(method, connector)


def _check_method(method: LinkMethod, connector: Connector) -> None:
    if method not in SUPPORTED_LINK_METHODS:
        raise _NotUsableError(f"the link method {method} is not supported yet")
    by_letter = method is LinkMethod.REFERENCE_AND_SECRET
    if (connector.link if by_letter else connector.recognition) is None:
        raise _NotUsableError(f"the link method {method} is declared, but not implemented")
