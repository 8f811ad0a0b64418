"""Say how often something may be tried: by account, by address block, and over all."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import IPv4Address, IPv6Address, ip_address

IPV4_PREFIX = 24
IPV6_PREFIX = 56
MAX_FAILURES_IN_A_ROW = 100
"""NIST SP 800-63B-4 section 3.2.2: then the password alone opens nothing until it is replaced."""


@dataclass(frozen=True, slots=True)
class Rule:
    """So many tries in so much time, counted under a name."""

    name: str
    limit: int
    window: timedelta


@dataclass(frozen=True, slots=True)
class Counter:
    """One rule applied to one subject, for instance to an account."""

    rule: Rule
    subject: str

    @property
    def key(self) -> str:
        return f"{self.rule.name} {self.subject}"


@dataclass(frozen=True, slots=True)
class Throttled:
    """Too many tries; the next one is welcome then."""

    until: datetime

    def seconds_from(self, now: datetime) -> int:
        """Return the value of Retry-After (RFC 9110 section 10.2.3), at least one second."""
        return max(1, int((self.until - now).total_seconds()) + 1)


@dataclass(frozen=True, slots=True)
class Subjects:
    """Whom a try is counted against; `account` is an address or an id, never shown."""

    account: str
    client_address: str


_QUARTER = timedelta(minutes=15)
_HOUR = timedelta(hours=1)
_DAY = timedelta(days=1)
# A stranger elsewhere cannot use up the tries of the owner: the account is counted by block.
_SIGN_IN_ACCOUNT_AND_BLOCK = Rule("sign-in account block", 10, _QUARTER)
_SIGN_IN_ACCOUNT = Rule("sign-in account", 50, _HOUR)
_SIGN_IN_BLOCK = Rule("sign-in block", 200, _QUARTER)
_SIGN_IN_ALL = Rule("sign-in all", 20_000, _QUARTER)
_SEND_ACCOUNT = Rule("send account", 6, _HOUR)
_SEND_BLOCK = Rule("send block", 100, _HOUR)
_SEND_ALL = Rule("send all", 5_000, _HOUR)
_CODE_ACCOUNT = Rule("code account", 30, _HOUR)
_CODE_BLOCK = Rule("code block", 300, _HOUR)
_CODE_ALL = Rule("code all", 20_000, _HOUR)
_LINK_ACCOUNT = Rule("link account", 10, _HOUR)
_LINK_BLOCK = Rule("link block", 50, _HOUR)
_LINK_ALL = Rule("link all", 2_000, _DAY)
_UPSTREAM_BLOCK = Rule("upstream block", 200, _QUARTER)
_UPSTREAM_ALL = Rule("upstream all", 20_000, _QUARTER)


def sign_in_counters(subjects: Subjects) -> Sequence[Counter]:
    """Count a password that is tried; a right one is given back."""
    block = address_block(subjects.client_address)
    return (
        Counter(_SIGN_IN_ACCOUNT_AND_BLOCK, f"{subjects.account} {block}"),
        Counter(_SIGN_IN_ACCOUNT, subjects.account),
        Counter(_SIGN_IN_BLOCK, block),
        Counter(_SIGN_IN_ALL, ""),
    )


def send_counters(subjects: Subjects) -> Sequence[Counter]:
    """Count a code that is sent: nobody's mailbox is to be flooded through us."""
    return _three(subjects, _SEND_ACCOUNT, _SEND_BLOCK, _SEND_ALL)


def code_counters(subjects: Subjects) -> Sequence[Counter]:
    """Count a code that is entered."""
    return _three(subjects, _CODE_ACCOUNT, _CODE_BLOCK, _CODE_ALL)


def link_counters(subjects: Subjects) -> Sequence[Counter]:
    """Count a reference and secret that are entered to link a service."""
    return _three(subjects, _LINK_ACCOUNT, _LINK_BLOCK, _LINK_ALL)


def upstream_counters(subjects: Subjects) -> Sequence[Counter]:
    """Count a departure to another provider; who leaves is not known yet."""
    return (
        Counter(_UPSTREAM_BLOCK, address_block(subjects.client_address)),
        Counter(_UPSTREAM_ALL, ""),
    )


def address_block(client_address: str) -> str:
    """Return the network that one subscriber can move in: IPv4 /24, IPv6 /56.

    What is no address (a test, a socket file) is one block of its own.
    """
    try:
        address = ip_address(client_address.partition("%")[0])
    except ValueError:
        return "unknown"
    match address:
        case IPv6Address(ipv4_mapped=IPv4Address() as inner):
            return _network(inner, IPV4_PREFIX)
        case IPv6Address():
            return _network(address, IPV6_PREFIX)
        case IPv4Address():
            return _network(address, IPV4_PREFIX)


def _three(subjects: Subjects, account: Rule, block: Rule, everyone: Rule) -> Sequence[Counter]:
    return (
        Counter(account, subjects.account),
        Counter(block, address_block(subjects.client_address)),
        Counter(everyone, ""),
    )


def _network(address: IPv4Address | IPv6Address, prefix: int) -> str:
    first = int(address) >> (address.max_prefixlen - prefix)
    return f"{address.version}-{first:x}"
