"""Write the addresses of this machine and of inner networks in every way that leads there.

A canary listens; whoever connects is counted, before any TLS.
"""

import asyncio
import socket
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from ipaddress import IPv4Address, IPv6Address

LEAST_FORMS = 500
INSIDE = [
    IPv4Address(address)
    for address in (
        "0.0.0.0",  # noqa: S104  # a form of loopback
        "10.0.0.1",
        "100.64.0.1",
        "127.0.0.1",
        "127.255.255.254",
        "169.254.169.254",
        "172.16.0.1",
        "192.168.0.1",
        "224.0.0.1",
    )
]
INSIDE_6 = ["::", "::1", "fc00::1", "fe80::1", "ff02::1", "::ffff:127.0.0.1"]
FULL_WIDTH = {ord(digit): ord(digit) + 0xFEE0 for digit in "0123456789."}
CIRCLED = {ord(digit): 0x245F + int(digit) for digit in "123456789"}
SCHEMES = ["https://", "http://", "HTTPS://", "https:/", "https:", "https:///", "//", "ftp://"]


class Canary:
    """Hears everything that comes to one port of this machine."""

    def __init__(self) -> None:
        self.port = 0
        self.heard = 0

    def hear(self, _: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.heard += 1
        writer.close()


@asynccontextmanager
async def singing() -> AsyncIterator[Canary]:
    canary = Canary()
    async with await asyncio.start_server(canary.hear, "127.0.0.1") as server:
        canary.port = server.sockets[0].getsockname()[1]
        yield canary


async def resolve_inside(host: str, port: int) -> Sequence[str]:
    """Read every spelling of an address as the system does; all names lead to us."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST)
    except socket.gaierror:
        return ["127.0.0.1", "::1"]
    return [str(where[0]) for *_, where in found]


def spellings(address: IPv4Address) -> Iterator[str]:
    """Write an IPv4 address in every way that some reader understands."""
    dotted, number, parts = str(address), int(address), address.packed
    yield from (dotted, f"{dotted}.", str(number), hex(number), f"0{number:o}", f"0x{number:010x}")
    yield from (f"{parts[0]}.{number & 0xFFFFFF}", f"{parts[0]}.{parts[1]}.{number & 0xFFFF}")
    yield ".".join(hex(part) for part in parts)
    yield ".".join(f"0{part:o}" for part in parts)
    yield ".".join(f"{part:03}" for part in parts)
    yield f"0x{parts[0]:x}.0{parts[1]:o}.{parts[2]}.{parts[3]}"
    yield "".join(f"%{ord(letter):02x}" for letter in dotted)
    yield dotted.translate(FULL_WIDTH)
    yield dotted.translate(CIRCLED)
    yield dotted.replace(".", "\u3002")
    yield f"{dotted}.nip.example"
    mapped = IPv6Address(b"\0" * 10 + b"\xff\xff" + parts)
    yield from (f"[::ffff:{dotted}]", f"[{mapped.exploded}]", f"[::{dotted}]")
    yield f"[64:ff9b::{dotted}]"
    yield f"[64:ff9b:1::{dotted}]"
    sixth = IPv6Address(b"\x20\x02" + parts + bytes(10))
    teredo = IPv6Address(b"\x20\x01" + bytes(10) + bytes(255 - part for part in parts))
    yield from (f"[{sixth}]", f"[{teredo}]")
    yield f"[::ffff:0:{dotted}]"


def forms(port: int) -> Iterator[str]:
    hosts = [host for address in INSIDE for host in spellings(address)]
    hosts += [f"[{address}]" for address in INSIDE_6]
    hosts += [f"[{IPv6Address(address).exploded}]" for address in INSIDE_6[:5]]
    hosts += ["localhost", "LOCALHOST", "localhost.", "localhost.localdomain", "ip6-localhost"]
    hosts += ["[::1%25lo]", "[::1%lo]", "[fe80::1%25eth0]", "0", "127.1", "127.0.1", "0x7f.1"]
    for host in hosts:
        yield f"https://{host}:{port}/jwks"
        yield f"https://client.example@{host}:{port}/"
    for host in ("127.0.0.1", "localhost", "[::1]", "169.254.169.254"):
        for scheme in SCHEMES:
            yield f"{scheme}{host}:{port}/"
        place = f"{host}:{port}"
        yield from (
            f"https://{place}#@client.example/",
            f"https://{place}\\@client.example/",
            f"https://client.example\\@{place}/",
            f"https://client.example:443@{place}/",
            f"https://{place}?@client.example/",
            f"https://{place};client.example/",
            f"https://client.example@@{place}/",
            f"https://{place}\t/",
            f"\nhttps://{place}/",
            f"https://{place}/\r\nHost: client.example",
            f"https:\\\\{place}/",
            f"https://{place}%00.client.example/",
            f"https://[{place}]/",
            f"gopher://{place}/_GET",
            f"file://{place}/etc/passwd",
            f"jar:https://{place}!/",
        )
