"""Ask connectors in the words of their capabilities. Jobs do, and the page that links a service."""

import ssl
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TypeVar

from citizen_account.connector_host.configuration import read_configurations
from citizen_account.connector_host.outcomes import Outcome
from citizen_account.connector_host.registry import Registry, load_registry
from citizen_account.connector_host.runner import Call, Patience, Runner
from citizen_account.connector_sdk.errors import Misconfigured, Unavailable
from citizen_account.connector_sdk.http import open_transport
from citizen_account.connector_sdk.manifest import Manifest
from citizen_account.connector_sdk.models import (
    Answer,
    Case,
    Context,
    Entitlement,
    Erasure,
    Export,
    HealthReport,
    Link,
    Place,
)
from citizen_account.connector_sdk.protocol import CasesCapability, Connector
from citizen_account.domain.errors import DomainError, ErrorCode
from citizen_account.storage.unit_of_work import Clock, Database

T = TypeVar("T")
LINK_SECONDS = 5.0
# More than any resident has; a source whose pages never end stops here.
MAXIMUM_PAGES = 20


class Connectors:
    """All installed connectors. Every call ends as an `Outcome`; none raises for a source."""

    def __init__(self, registry: Registry, runner: Runner) -> None:
        self.registry = registry
        self._runner = runner

    @property
    def manifests(self) -> Mapping[str, Manifest]:
        """The manifests of those in use, by id."""
        installed = self.registry.connectors.items()
        return {name: one.manifest for name, one in installed if one.connector is not None}

    def manifest(self, connector_id: str) -> Manifest:
        """Return the manifest of an installed connector.

        Raises:
            DomainError: connector_unknown.

        """
        installed = self.registry.find(connector_id)
        if installed is None:
            raise DomainError(ErrorCode.CONNECTOR_UNKNOWN)
        return installed.manifest

    async def list_cases(self, connector_id: str, context: Context) -> Outcome[Answer[Case]]:
        """Return all of the resident's cases, whatever number of pages they take."""

        async def pages(connector: Connector, asked: Context) -> Answer[Case]:
            return await _all_pages(_offered(connector.cases), asked)

        return await self._runner.run(
            Call(
                connector_id=connector_id,
                capability="cases",
                shape=Answer[Case],
                invoke=pages,
                context=context,
            )
        )

    async def get_case(
        self, connector_id: str, context: Context, ref: str
    ) -> Outcome[Answer[Case]]:
        return await self._runner.run(
            Call(
                connector_id=connector_id,
                capability="cases",
                shape=Answer[Case],
                invoke=lambda connector, asked: _offered(connector.cases).get_case(asked, ref),
                context=context,
                withheld=frozenset({ref}),
            )
        )

    async def entitlements(
        self, connector_id: str, context: Context
    ) -> Outcome[Answer[Entitlement]]:
        return await self._runner.run(
            Call(
                connector_id=connector_id,
                capability="entitlements",
                shape=Answer[Entitlement],
                invoke=lambda connector, asked: _offered(connector.entitlements).mine(asked),
                context=context,
            )
        )

    async def places_near(
        self,
        connector_id: str,
        position: tuple[float, float],
        radius: float,
        kinds: Sequence[str] = (),
    ) -> Outcome[Answer[Place]]:
        """Return public places around a latitude and longitude; nobody's reference is told."""
        lat, lon = position
        return await self._runner.run(
            Call(
                connector_id=connector_id,
                capability="places",
                shape=Answer[Place],
                invoke=lambda connector, _: _offered(connector.places).near(
                    lat, lon, radius, kinds
                ),
            )
        )

    async def link(
        self, connector_id: str, context: Context, reference: str, secret: str
    ) -> Outcome[Link]:
        """Link by what a letter says: once, because the source counts tries."""
        return await self._runner.run(
            Call(
                connector_id=connector_id,
                capability="link",
                shape=Link,
                invoke=lambda connector, asked: _offered(connector.link).link(
                    asked, reference, secret
                ),
                context=context,
                is_repeatable=False,
                budget_seconds=LINK_SECONDS,
                withheld=frozenset({reference, secret}),
            )
        )

    async def recognise(self, connector_id: str, context: Context) -> Outcome[Link]:
        """Link by our reference or by the verified address that the context tells."""
        return await self._runner.run(
            Call(
                connector_id=connector_id,
                capability="link",
                shape=Link,
                invoke=lambda connector, asked: _offered(connector.recognition).recognise(asked),
                context=context,
                budget_seconds=LINK_SECONDS,
            )
        )

    async def unlink(self, connector_id: str, context: Context) -> Outcome[None]:
        async def forget(connector: Connector, asked: Context) -> None:
            if connector.link is not None:
                await connector.link.unlink(asked)
            else:
                await _offered(connector.recognition).unlink(asked)

        return await self._runner.run(
            Call(
                connector_id=connector_id,
                capability="link",
                shape=None,
                invoke=forget,
                context=context,
            )
        )

    async def export(self, connector_id: str, context: Context) -> Outcome[Export]:
        return await self._runner.run(
            Call(
                connector_id=connector_id,
                capability="gdpr",
                shape=Export,
                invoke=lambda connector, asked: _offered(connector.gdpr).export(asked),
                context=context,
            )
        )

    async def erase(
        self, connector_id: str, context: Context, *, dry_run: bool
    ) -> Outcome[Erasure]:
        return await self._runner.run(
            Call(
                connector_id=connector_id,
                capability="gdpr",
                shape=Erasure,
                invoke=lambda connector, asked: _offered(connector.gdpr).erase(
                    asked, dry_run=dry_run
                ),
                context=context,
            )
        )

    async def close(self) -> None:
        await self.registry.close()

    async def check(self, connector_id: str) -> Outcome[HealthReport]:
        """Try every capability now, whatever failed before, and keep what is found."""
        return await self._runner.check(connector_id)


def _offered(part: T | None) -> T:
    # The registry compared the manifest with what is there; link methods differ by manifest.
    if part is None:
        raise Misconfigured("this is not offered")
    return part


async def _all_pages(cases: CasesCapability, context: Context) -> Answer[Case]:
    pages = [await cases.list_cases(context)]
    seen: set[str] = set()
    while (cursor := pages[-1].cursor) is not None:
        if cursor in seen or len(pages) >= MAXIMUM_PAGES:
            raise Unavailable("the pages have no end")
        seen.add(cursor)
        pages.append(await cases.list_cases(context, cursor))
    subjects = {page.subject for page in pages}
    return Answer(
        records=tuple(case for page in pages for case in page.records),
        as_of=min(page.as_of for page in pages),
        source=pages[0].source,
        # Pages of different owners are nobody's: the owner is compared later.
        subject=subjects.pop() if len(subjects) == 1 else "",
    )


def open_connectors(
    file: Path | None,
    trusted: ssl.SSLContext,
    database: Database,
    clock: Clock,
    patience: Patience | None = None,
) -> Connectors:
    """Load what is installed, with the addresses and secrets of CONNECTORS_FILE.

    Raises:
        ConfigurationError: when the file does not hold.

    """
    registry = load_registry(
        read_configurations(file),
        lambda connections: open_transport(trusted, connections),
        clock,
    )
    return Connectors(registry, Runner(registry, database, clock, patience))
