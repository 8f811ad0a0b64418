"""Name the assurance levels as OpenID Connect carries them: the `acr` of a sign-in."""

from collections.abc import Mapping
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
