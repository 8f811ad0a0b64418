"""Name the pages that a service gives of itself, for whoever decides about it."""

from collections.abc import Sequence
from dataclasses import dataclass

from citizen_account.domain.clients import Client
from citizen_account.i18n import Message, m

# OIDC Registration section 2. The logo too is a link: a picture from elsewhere would tell its
# owner who looks at the page, and when.
_NAMES = {
    "client_uri": m("Home page"),
    "policy_uri": m("Privacy policy"),
    "tos_uri": m("Terms of use"),
    "logo_uri": m("Logo"),
}


@dataclass(frozen=True, slots=True)
class ServiceLink:
    name: Message
    address: str


def links_of(client: Client, language: str = "en") -> Sequence[ServiceLink]:
    """Return the pages in the language, where the service has them in it."""
    found = []
    for member, name in _NAMES.items():
        localised = client.metadata.get(f"{member}#{language}")
        address = localised or client.metadata.get(member)
        if isinstance(address, str):
            found.append(ServiceLink(name, address))
    return found
