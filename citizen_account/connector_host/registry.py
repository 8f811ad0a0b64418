"""Find the installed connectors, and use those whose manifest and configuration hold.

A connector that does not hold keeps its reason and stays out; the others do not notice.
"""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from importlib.metadata import EntryPoint, entry_points
from importlib.util import find_spec
from pathlib import Path

from citizen_account.connector_host.configuration import ConnectorConfiguration
from citizen_account.connector_host.containment import BrokenConnectorError, contained
from citizen_account.connector_host.remote import build_remote
from citizen_account.connector_host.ways import NotUsableError, Ways
from citizen_account.connector_sdk.http import Transport
from citizen_account.connector_sdk.manifest import (
    SUPPORTED_LINK_METHODS,
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

    def loading(name: str, manifest: Manifest) -> _Loading:
        return _Loading(manifest, opened, clock, configurations[name])

    for point in sorted(points, key=lambda each: each.name):
        try:
            manifest, folder = find_manifest(point)
        except (ManifestError, BrokenConnectorError) as error:
            refused[point.name] = str(error)
            continue
        if point.name in configurations:
            connectors[point.name] = loading(point.name, manifest).local(point, folder)
        else:
            connectors[point.name] = Installed(manifest, None, "not configured")
    for name in sorted(configurations.keys() - connectors.keys() - refused.keys()):
        try:
            connectors[name] = loading(name, _accepted(name, configurations[name])).remote()
        except ManifestError as error:
            refused[name] = str(error)
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


def _accepted(name: str, configuration: ConnectorConfiguration) -> Manifest:
    """Return the manifest that the operator accepted of a connector that runs elsewhere."""
    if configuration.manifest_file is None:
        raise ManifestError("configured, but not installed")
    manifest = read_manifest(configuration.manifest_file)
    if manifest.id != name:
        raise ManifestError(f"id: is {manifest.id!r}, but the table is {name!r}")
    return manifest


@dataclass(frozen=True, slots=True)
class _Loading:
    """What installing needs, beside the connector itself."""

    manifest: Manifest
    open_transport: OpenTransport
    clock: Clock
    configuration: ConnectorConfiguration

    def local(self, point: EntryPoint, folder: Path) -> Installed:
        return self._installed(lambda: self._local(point, folder))

    def remote(self) -> Installed:
        return self._installed(self._remote)

    def _installed(self, install: Callable[[], Installed]) -> Installed:
        if not self.configuration.is_enabled:
            return Installed(self.manifest, None, "switched off")
        try:
            return install()
        except (NotUsableError, BrokenConnectorError, SettingsError) as error:
            return Installed(self.manifest, None, str(error))

    def _local(self, point: EntryPoint, folder: Path) -> Installed:
        settings, secrets = self._settings(folder)
        http = self._ways().local(self.configuration)
        build: Build = contained(point.load)
        connector = contained(lambda: build(settings, http))
        check_parts(self.manifest, connector)
        return Installed(self.manifest, connector, secrets=secrets)

    def _remote(self) -> Installed:
        connector = build_remote(self.manifest, self._ways().remote(self.configuration))
        check_parts(self.manifest, connector)
        return Installed(self.manifest, connector)

    def _ways(self) -> Ways:
        transport = self.open_transport(self.manifest.limits.concurrency)
        return Ways(self.manifest, transport, self.clock)

    def _settings(self, folder: Path) -> tuple[dict[str, str], frozenset[str]]:
        given = self.configuration.settings
        if self.manifest.config is None:
            if given:
                raise NotUsableError("it takes no settings")
            return {}, frozenset()
        schema = read_settings_schema(folder / self.manifest.config.schema_file)
        settings = schema.complete(given)
        return settings, frozenset(settings[name] for name in schema.secrets if name in settings)


def check_parts(manifest: Manifest, connector: object) -> None:
    """Refuse a connector that can do more or less than its manifest says."""
    if not isinstance(connector, Connector):
        raise NotUsableError("build returned no Connector")
    declared = frozenset(manifest.capabilities)
    differing = declared ^ connector.capabilities
    if differing:
        raise NotUsableError(f"declared and implemented differ: {', '.join(sorted(differing))}")
    for method in manifest.link.methods if manifest.link else ():
        _check_method(method, connector)
    # What a manifest promises its residents and the host cannot keep must not be switched on.
    if any(purpose.special_category for purpose in manifest.purpose):
        raise NotUsableError("special categories of data are not supported yet")
    if manifest.assurance.minimum != "low":
        raise NotUsableError("a minimum level of assurance is not supported yet")


def _check_method(method: LinkMethod, connector: Connector) -> None:
    if method not in SUPPORTED_LINK_METHODS:
        raise NotUsableError(f"the link method {method} is not supported yet")
    by_letter = method is LinkMethod.REFERENCE_AND_SECRET
    if (connector.link if by_letter else connector.recognition) is None:
        raise NotUsableError(f"the link method {method} is declared, but not implemented")
