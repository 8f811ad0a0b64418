"""Speak to a connector that runs elsewhere, as if it were here: the other end of `serving`."""

import json
from collections.abc import Sequence
from http import HTTPStatus
from typing import TypeVar

from citizen_account.connector_sdk.errors import ERRORS as KINDS
from citizen_account.connector_sdk.errors import ConnectorError, Unavailable
from citizen_account.connector_sdk.http import ConnectorHttp, Reply, error_of
from citizen_account.connector_sdk.manifest import (
    LinkMethod,
    Manifest,
    ManifestError,
    parse_manifest,
)
from citizen_account.connector_sdk.models import (
    Answer,
    Case,
    Condition,
    Context,
    Entitlement,
    Erasure,
    Export,
    Health,
    HealthReport,
    Link,
    Place,
)
from citizen_account.connector_sdk.operations import (
    ERROR_TYPE,
    MANIFEST_PATH,
    Around,
    Erasing,
    Letter,
    Nothing,
    One,
    Page,
    Problem,
    Somebody,
    error_of_problem,
)
from citizen_account.connector_sdk.protocol import Connector
from citizen_account.connector_sdk.reading import Json, parse_json
from citizen_account.connector_sdk.wire import WireError, dump, load

T = TypeVar("T")
ERRORS = range(HTTPStatus.BAD_REQUEST, 600)
TOLD = frozenset(f"{ERROR_TYPE}{kind.code}" for kind in KINDS)


class RemoteConnector:
    """All capabilities; `build_remote` offers those of the manifest."""

    def __init__(self, manifest: Manifest, http: ConnectorHttp) -> None:
        self._manifest = manifest
        self._http = http

    async def list_cases(self, context: Context, cursor: str | None = None) -> Answer[Case]:
        return await self._ask("/v1/cases:list", Page(context, cursor), Answer[Case])

    async def get_case(self, context: Context, ref: str) -> Answer[Case]:
        return await self._ask("/v1/cases:get", One(context, ref), Answer[Case])

    async def mine(self, context: Context) -> Answer[Entitlement]:
        return await self._ask("/v1/entitlements:mine", Somebody(context), Answer[Entitlement])

    async def near(
        self, lat: float, lon: float, radius: float, kinds: Sequence[str] = ()
    ) -> Answer[Place]:
        around = Around(lat, lon, radius, tuple(kinds))
        return await self._ask("/v1/places:near", around, Answer[Place])

    async def link(self, context: Context, reference: str, secret: str) -> Link:
        letter = Letter(context, reference, secret)
        return await self._ask("/v1/link:letter", letter, Link, is_read=False)

    async def recognise(self, context: Context) -> Link:
        return await self._ask("/v1/link:recognise", Somebody(context), Link)

    async def unlink(self, context: Context) -> None:
        await self._ask("/v1/link:remove", Somebody(context), Nothing)

    async def export(self, context: Context) -> Export:
        return await self._ask("/v1/gdpr:export", Somebody(context), Export)

    async def erase(self, context: Context, *, dry_run: bool) -> Erasure:
        return await self._ask("/v1/gdpr:erase", Erasing(context, dry_run), Erasure)

    async def check(self) -> HealthReport:
        """Ask the connector, and whether it still is the one whose manifest was accepted."""
        try:
            told = await self._http.get_json(MANIFEST_PATH)
            if not self._is_accepted(told):
                return self._all(Condition.MISCONFIGURED, "its manifest is not the accepted one")
            return await self._ask("/v1/health", Nothing(), HealthReport)
        except Unavailable as error:
            return self._all(Condition.DOWN, str(error))
        except ConnectorError as error:
            return self._all(Condition.MISCONFIGURED, str(error))

    def _is_accepted(self, told: Json) -> bool:
        try:
            return isinstance(told, dict) and parse_manifest(told) == self._manifest
        except ManifestError:
            return False

    def _all(self, condition: Condition, detail: str) -> HealthReport:
        names = self._manifest.capabilities.keys() - {"health"}
        return HealthReport({name: Health(condition, detail) for name in names})

    async def _ask(self, path: str, asked: object, shape: type[T], *, is_read: bool = True) -> T:
        body = parse_json(dump(asked, type(asked)))
        reply = await self._http.request("POST", path, json=body, is_read=is_read, expected=ERRORS)
        if reply.status in ERRORS:
            raise _error_of(reply, is_read=is_read)
        try:
            return load(json.dumps(reply.body).encode(), shape)
        except WireError as error:
            raise Unavailable(f"the answer has another shape: {error}") from None


def _error_of(reply: Reply, *, is_read: bool) -> ConnectorError:
    try:
        problem = load(json.dumps(reply.body).encode(), Problem)
    except WireError:
        problem = None
    if problem is not None and problem.type in TOLD:
        return error_of_problem(problem)
    # Not the connector spoke, but something on the way to it.
    error = error_of(reply.status, reply.headers, is_read=is_read)
    return error or Unavailable(f"an answer with the status {reply.status}")


def build_remote(manifest: Manifest, http: ConnectorHttp) -> Connector:
    """Return the connector that the manifest describes, elsewhere."""
    remote = RemoteConnector(manifest, http)
    methods = set(manifest.link.methods) if manifest.link else set()
    offered = manifest.capabilities.keys()
    return Connector(
        health=remote,
        link=remote if LinkMethod.REFERENCE_AND_SECRET in methods else None,
        recognition=remote if methods - {LinkMethod.REFERENCE_AND_SECRET} else None,
        cases=remote if "cases" in offered else None,
        places=remote if "places" in offered else None,
        entitlements=remote if "entitlements" in offered else None,
        gdpr=remote if "gdpr" in offered else None,
    )
