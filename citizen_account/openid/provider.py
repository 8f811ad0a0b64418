"""Hold what every answer of the provider rests on: who we are, and the keys we answer with."""

from dataclasses import dataclass

from citizen_account.security.signing import KeyRing


@dataclass(frozen=True, slots=True)
class Provider:
    """The facts about ourselves that the core needs."""

    issuer: str
    pairwise_key: bytes
    keys: KeyRing
    nonce_key: bytes
    """Makes the nonces of DPoP proofs."""

    def address(self, path: str) -> str:
        """Return the address of an endpoint of ours, whatever socket the request came by."""
        return f"{self.issuer}{path}"
