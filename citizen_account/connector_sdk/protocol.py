"""Say what a connector can do: small async protocols, each of them optional but `health`.

Common rules. A subject that the source does not know gets an empty answer, not an error. Every
personal record names its owner as the source states it. Errors are those of `errors`.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Protocol

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

if TYPE_CHECKING:
    from citizen_account.connector_sdk.http import ConnectorHttp


class LinkCapability(Protocol):
    """Link by a letter: the method `reference_and_secret`.

    Raises `Refused` with `wrong_secret` (also for an unknown reference: a stranger must not
    learn which exist), `too_many_tries` or `expired`.
    """

    async def link(self, context: Context, reference: str, secret: str) -> Link: ...

    async def unlink(self, context: Context) -> None:
        """Forget the subject. Forgetting twice is fine."""
        ...


class RecognitionCapability(Protocol):
    """Link without a letter: the methods `pairwise` and `verified_email`.

    With `verified_email` the address stands in `context.claims["email"]`.
    """

    async def recognise(self, context: Context) -> Link: ...

    async def unlink(self, context: Context) -> None:
        """Forget the subject. Forgetting twice is fine."""
        ...


class CasesCapability(Protocol):
    async def list_cases(self, context: Context, cursor: str | None = None) -> Answer[Case]: ...

    async def get_case(self, context: Context, ref: str) -> Answer[Case]:
        """Answer with one case, whole. Raises `Gone` for one that is not the subject's."""
        ...


class PlacesCapability(Protocol):
    """Public: it is told no subject, and its requests carry no credentials of a resident."""

    async def near(
        self, lat: float, lon: float, radius: float, kinds: Sequence[str] = ()
    ) -> Answer[Place]:
        """Answer with the places within `radius` metres, nearest first; no kinds means all."""
        ...


class EntitlementsCapability(Protocol):
    async def mine(self, context: Context) -> Answer[Entitlement]: ...


class GdprCapability(Protocol):
    """Export and erase what the source holds (Helsinki's GDPR API 1.1)."""

    async def export(self, context: Context) -> Export: ...

    async def erase(self, context: Context, *, dry_run: bool) -> Erasure:
        """Erase, or with `dry_run` only say whether it would be allowed. Twice is fine."""
        ...


class HealthCapability(Protocol):
    async def check(self) -> HealthReport:
        """Try every capability on its source. Never raises: what failed is the answer."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Connector:
    """What `build` returns: one object for each capability, often the same for several."""

    health: HealthCapability
    link: LinkCapability | None = None
    recognition: RecognitionCapability | None = None
    cases: CasesCapability | None = None
    places: PlacesCapability | None = None
    entitlements: EntitlementsCapability | None = None
    gdpr: GdprCapability | None = None

    @property
    def capabilities(self) -> frozenset[str]:
        """The names that the manifest must declare, no more and no fewer."""
        offered: Mapping[str, object | None] = {
            "health": self.health,
            "link": self.link or self.recognition,
            "cases": self.cases,
            "places": self.places,
            "entitlements": self.entitlements,
            "gdpr": self.gdpr,
        }
        return frozenset(name for name, part in offered.items() if part is not None)


Clock = Callable[[], datetime]
Build = Callable[[Mapping[str, str], "ConnectorHttp"], Connector]
"""The entry point: the settings of the connector and its HTTP client in, the connector out."""
