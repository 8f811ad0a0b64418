"""Name the assurance levels as OpenID Connect carries them: the `acr` of a sign-in."""

from collections.abc import Collection, Mapping
from types import MappingProxyType

from citizen_account.domain.accounts import Level

# Implementing Regulation (EU) 2015/1502; the addresses are those of the eIDAS profile.
ACR_OF_LEVEL: Mapping[Level, str] = MappingProxyType(
    {level: f"http://eidas.europa.eu/LoA/{level}" for level in Level}
)
LEVEL_OF_ACR: Mapping[str, Level] = MappingProxyType(
    {acr: level for level, acr in ACR_OF_LEVEL.items()}
)
ACR_VALUES = tuple(ACR_OF_LEVEL.values())
_ORDER = list(Level)


def reaches(level: Level, any_of: Collection[Level]) -> bool:
    """Say whether the level is at least one of those."""
    return any(_ORDER.index(level) >= _ORDER.index(wanted) for wanted in any_of)
