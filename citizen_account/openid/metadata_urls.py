"""Judge the addresses of client metadata, and find the sector they belong to."""

import re
from collections.abc import Sequence
from urllib.parse import SplitResult, urlsplit

from citizen_account.domain.clients import SubjectType
from citizen_account.openid.metadata_members import Members

LOOPBACK_HOSTS = frozenset({"localhost", "127.0.0.1", "::1"})
MAXIMUM_URI = 2048
MOST_ADDRESSES = 100
NATIVE = "native"
# A name or an address; no pattern, and nothing that readers decode differently.
_HOST = re.compile(r"[A-Za-z0-9._-]+|[0-9A-Fa-f:.]+")


def read_redirect_uris(members: Members, name: str, *, is_development: bool) -> tuple[str, ...]:
    """Return the addresses to which browsers may be sent, to the letter."""
    addresses = members.words(name)
    if len(addresses) > MOST_ADDRESSES:
        raise members.fail(name, f"must be {MOST_ADDRESSES} addresses at most")
    # RFC 8252 section 7.3: a program on the resident's own machine listens there by http.
    is_native = members.raw("application_type") == NATIVE
    for address in addresses:
        _check(members, name, address, may_be_loopback=is_development or is_native)
    return addresses


def read_uri(members: Members, name: str, *, is_development: bool) -> str | None:
    address = members.text(name, maximum=MAXIMUM_URI)
    if address is not None:
        _check(members, name, address, may_be_loopback=is_development)
    return address


def read_service_url(members: Members, *, is_development: bool) -> str:
    """Return where residents find the service; empty where the metadata does not say."""
    for name in ("service_url", "client_uri"):
        address = read_uri(members, name, is_development=is_development)
        if address is not None:
            return address
    return ""


def host_of(addresses: Sequence[str]) -> str:
    return next((urlsplit(address).hostname or "" for address in addresses), "")


def origin_of(addresses: Sequence[str]) -> str:
    parts = next((urlsplit(address) for address in addresses), None)
    return "" if parts is None else f"{parts.scheme}://{parts.netloc}/"


def sector_of(members: Members, subject_type: SubjectType, addresses: Sequence[str]) -> str:
    """Return the host of the sector identifier (OIDC Core section 8.1); empty without any host.

    The operator's word is taken for `sector_identifier_uri`; a client's own is checked against
    the list behind it (`check_sector`).
    """
    given = members.text("sector_identifier_uri", maximum=MAXIMUM_URI)
    if given is not None:
        # OIDC Registration section 5: https, also in development.
        _check(members, "sector_identifier_uri", given, may_be_loopback=False)
        return host_of([given])
    hosts = sorted({host_of([address]) for address in addresses} - _shared_hosts(members))
    if len(hosts) > 1 and subject_type is SubjectType.PAIRWISE:
        raise members.fail(
            "sector_identifier_uri",
            f"is needed, as redirect_uris have several hosts: {', '.join(hosts)}",
        )
    return hosts[0] if hosts else ""


def check_sector(listed: object, redirect_uris: Sequence[str]) -> str | None:
    """Say what is wrong with the list behind `sector_identifier_uri`; None where all is well."""
    # OIDC Registration section 5: a JSON array that names every redirect URI.
    if not isinstance(listed, list):
        return "does not answer with a JSON array of redirect URIs"
    missing = next((uri for uri in redirect_uris if uri not in listed), None)
    return None if missing is None else f"does not list {missing}"


def _shared_hosts(members: Members) -> frozenset[str]:
    """Return the hosts that are no sector: all native programs answer on the same ones."""
    return LOOPBACK_HOSTS if members.raw("application_type") == NATIVE else frozenset()


def _check(members: Members, name: str, address: str, *, may_be_loopback: bool) -> None:
    parts = _split(address)
    if parts is None or not _HOST.fullmatch(parts.hostname or "") or "\\" in address:
        raise members.fail(name, f"{address[:200]!r} is no absolute address")
    # RFC 6749 section 3.1.2; a user part makes two readers of one address see two hosts.
    if "#" in address or parts.username is not None or parts.password is not None:
        raise members.fail(name, f"{address[:200]!r} must have no fragment and no user")
    # RFC 9700 section 2.6.
    is_local = may_be_loopback and parts.hostname in LOOPBACK_HOSTS
    if parts.scheme != "https" and not (parts.scheme == "http" and is_local):
        raise members.fail(
            name,
            f"{address[:200]!r} must be https (http is for loopback hosts, in development or"
            " where application_type is native)",
        )


def _split(address: str) -> SplitResult | None:
    if len(address) > MAXIMUM_URI or not address.isascii() or not address.isprintable():
        return None
    try:
        parts = urlsplit(address)
        _ = parts.port
    except ValueError:
        return None
    return None if " " in address else parts
