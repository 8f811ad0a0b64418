"""Open the ways out that a configuration gives a connector."""

from collections.abc import Mapping
from dataclasses import dataclass

from citizen_account.connector_host.configuration import (
    ConnectorConfiguration,
    PeerConfiguration,
)
from citizen_account.connector_sdk.http import ConnectorHttp, Transport
from citizen_account.connector_sdk.manifest import AuthKind, Manifest
from citizen_account.connector_sdk.protocol import Clock


class NotUsableError(Exception):
    """Say why a connector stays out."""


@dataclass(frozen=True, slots=True)
class Ways:
    """The ways of one connector, all over one pool of connections."""

    manifest: Manifest
    transport: Transport
    clock: Clock

    def local(self, given: ConnectorConfiguration) -> ConnectorHttp:
        """Return the way of a connector that runs here, with those to its peers."""
        wanted = self.manifest.auth.peers
        if given.peers.keys() != wanted.keys():
            differing = ", ".join(sorted(given.peers.keys() ^ wanted.keys()))
            raise NotUsableError(f"peers differ from the manifest's: {differing}")
        peers = {name: self._to(peer, wanted[name]) for name, peer in given.peers.items()}
        return self._to(given, self.manifest.auth.kinds, peers)

    def remote(self, given: ConnectorConfiguration) -> ConnectorHttp:
        """Return the way to a connector that runs elsewhere, which has peers of its own."""
        return self._to(given, (AuthKind.JWT_CLIENT,))

    def _to(
        self,
        given: PeerConfiguration,
        kinds: tuple[AuthKind, ...],
        peers: Mapping[str, ConnectorHttp] | None = None,
    ) -> ConnectorHttp:
        if given.auth.kind not in kinds:
            raise NotUsableError(f"it does not take auth of the kind {given.auth.kind}")
        try:
            credentials = given.auth.credentials(self.clock)
        except OSError as error:
            raise NotUsableError(f"secret_file: {type(error).__name__}") from error
        return ConnectorHttp(
            given.base_url,
            self.transport,
            credentials=credentials,
            timeout_seconds=self.manifest.limits.timeout.total_seconds(),
            peers=peers,
        )
