"""Begin a sign-in at a service from outside of it (OIDC Core section 4)."""

from urllib.parse import urlencode, urlsplit

from citizen_account.domain.clients import Client


def login_address(client: Client, issuer: str) -> str | None:
    """Return where a resident goes to be signed in at the service; None where it has no such place.

    No login_hint: an address of hers has nothing to do in the service's logs.
    """
    address = client.initiate_login_uri
    if address is None:
        return None
    asked = {"iss": issuer}
    # The service decides whether it goes there; only a page of its own is named.
    if client.service_url and _host(client.service_url) == _host(address):
        asked["target_link_uri"] = client.service_url
    return f"{address}{'&' if urlsplit(address).query else '?'}{urlencode(asked)}"


def _host(address: str) -> str:
    return urlsplit(address).netloc.lower()
