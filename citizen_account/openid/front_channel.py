"""Tell clients of a sign-out through the browser (OpenID Connect Front-Channel Logout 1.0)."""

import re
from urllib.parse import urlencode, urlsplit

from citizen_account.domain.accounts import SessionId
from citizen_account.domain.clients import Client
from citizen_account.openid.metadata_urls import origin_of
from citizen_account.openid.provider import Provider
from citizen_account.openid.subjects import session_name

# It is named in a Content-Security-Policy: nothing that could end a directive.
_ORIGIN = re.compile(r"https?://[A-Za-z0-9.\-]+(:[0-9]+)?/")


def front_channel_of(provider: Provider, client: Client, session_id: SessionId) -> str | None:
    """Return what the browser loads to end the client's session; None: it wants nothing so."""
    address = client.metadata.get("frontchannel_logout_uri")
    if not isinstance(address, str) or client.is_disabled:
        return None
    if not _ORIGIN.fullmatch(origin_of([address])):
        return None
    # Section 2: `iss` and `sid` come together, whether they are required or not.
    told = {
        "iss": provider.issuer,
        "sid": session_name(session_id, client, provider.pairwise_key),
    }
    return f"{address}{'&' if urlsplit(address).query else '?'}{urlencode(told)}"
