"""Registered URLs lead to the internet or nowhere; names are true and answers bounded."""

from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import ip_address, ip_network
from pathlib import Path

import pytest

from citizen_account.domain.transactions import NetworkInTransactionError, in_transaction
from citizen_account.outbound import Outbound, OutboundError, OutboundFault, is_public
from tests.listening import Authority, answering, listening, new_authority

LOOPBACK = ip_network("127.0.0.0/8")
SERVED_NAME = "keys.client.example"


def resolving(*addresses: str) -> "Resolver":
    return Resolver([list(addresses)])


@dataclass
class Resolver:
    """Answers its turns one after the other, and the last one from then on."""

    turns: list[list[str]]
    asked: int = 0

    async def __call__(self, host: str, port: int) -> Sequence[str]:
        del host, port
        turn = self.turns[min(self.asked, len(self.turns) - 1)]
        self.asked += 1
        return turn


async def fault_of(outbound: Outbound, url: str) -> OutboundFault:
    with pytest.raises(OutboundError) as caught:
        await outbound.get_json(url)
    await outbound.close()
    return caught.value.fault


# --- where it may go ----------------------------------------------------------------------------

INSIDE = [
    "0.0.0.0", "10.1.2.3", "100.100.100.200", "127.0.0.1", "127.9.9.9", "168.63.129.16",  # noqa: S104  # no listener
    "169.254.169.254", "172.16.0.1", "192.0.0.1", "192.0.2.1", "192.88.99.1", "192.168.1.1",
    "198.18.0.1", "198.51.100.1", "203.0.113.1", "224.0.0.1", "240.0.0.1", "255.255.255.255",
    "::", "::1", "::7f00:1", "64:ff9b::7f00:1", "64:ff9b:1::1", "100::1", "2001::1", "2001:db8::1",
    "2002:7f00:1::", "3fff::1", "fc00::1", "fd00:ec2::254", "fe80::1", "fec0::1", "ff02::1",
    "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:169.254.169.254",
]  # fmt: skip


@pytest.mark.parametrize("address", INSIDE)
async def test_name_that_leads_inside_is_refused(address: str) -> None:
    outbound = Outbound(resolve=resolving(address))
    assert await fault_of(outbound, "https://client.example/") is OutboundFault.ADDRESS_FORBIDDEN


@pytest.mark.parametrize("address", ["1.1.1.1", "93.184.215.14", "2606:4700:4700::1111"])
def test_address_of_the_internet_is_public(address: str) -> None:
    assert is_public(ip_address(address))


@pytest.mark.parametrize(
    "url",
    [
        "https://2130706433/", "https://0x7f000001/", "https://0177.0.0.1/", "https://127.1/",
        "https://127.0.0.1/", "https://[::1]/", "https://[::ffff:7f00:1]/", "https://localhost/",
    ],
)  # fmt: skip
async def test_spelling_of_an_inside_address_does_not_matter(url: str) -> None:
    assert await fault_of(Outbound(), url) in {
        OutboundFault.ADDRESS_FORBIDDEN,
        OutboundFault.NAME_UNKNOWN,
        OutboundFault.URL_MALFORMED,
    }


@pytest.mark.parametrize(
    "url",
    [
        "http://client.example/", "ftp://client.example/", "file:///etc/passwd", "client.example",
        "https:///path", "https://", "", "https://good.example@evil.example/",
        "https://good.example\\@evil.example/", "https://client.example/#fragment",
        "https://client.example:0/", "https://client.example:99999999/", "https://[::1%25lo]/",
        "https://client.example/\r\nHost: other", "https://client.example/a b", "https://\x00/",
        "https://\ud800/", "https://client.example/" + "a" * 3000, "gopher://x/", "javascript:1",
    ],
)  # fmt: skip
async def test_url_of_another_form_is_refused(url: str) -> None:
    outbound = Outbound(resolve=resolving("127.0.0.1"))
    assert await fault_of(outbound, url) is OutboundFault.URL_MALFORMED


async def test_refused_address_is_never_connected_to() -> None:
    async with listening(answering("200 OK", b"{}")) as peer:
        await fault_of(Outbound(), f"https://127.0.0.1:{peer.port}/")
    assert peer.requests == []


async def test_name_is_resolved_once_so_that_a_second_answer_changes_nothing(
    authority: Authority,
) -> None:
    resolver = Resolver([["127.0.0.1"], ["127.0.0.2"]])
    tls = authority.serving(SERVED_NAME)
    async with listening(answering("200 OK", b"{}"), tls=tls) as peer:
        outbound = Outbound([LOOPBACK], authority.file, resolve=resolver)
        assert await outbound.get_json(f"https://{SERVED_NAME}:{peer.port}/") == {}
        await outbound.close()
    assert resolver.asked == 1


async def test_public_and_inside_addresses_of_one_name_lead_to_the_public_ones_only() -> None:
    async with listening(answering("200 OK", b"{}")) as peer:
        # 192.0.2.0/24 is for documentation: nobody answers there; here it stands for the internet.
        outbound = Outbound(
            [ip_network("192.0.2.0/24")],
            total_seconds=0.5,
            resolve=resolving("127.0.0.1", "192.0.2.1"),
        )
        fault = await fault_of(outbound, f"https://client.example:{peer.port}/")
    assert fault is OutboundFault.NO_ANSWER
    assert peer.requests == []


async def test_open_transaction_forbids_the_network() -> None:
    outbound = Outbound(resolve=resolving("1.1.1.1"))
    token = in_transaction.set(True)
    try:
        with pytest.raises(NetworkInTransactionError):
            await outbound.get_json("https://client.example/")
    finally:
        in_transaction.reset(token)
        await outbound.close()


# --- in development -----------------------------------------------------------------------------


async def test_development_may_reach_itself_by_http() -> None:
    async with listening(answering("200 OK", b'{"keys": []}')) as peer:
        outbound = Outbound(allow_http_loopback=True)
        assert await outbound.get_json(f"http://localhost:{peer.port}/jwks") == {"keys": []}
        await outbound.close()
    assert b"Host: localhost:" in peer.requests[0]


async def test_development_reaches_nothing_else_by_http() -> None:
    outbound = Outbound(allow_http_loopback=True, resolve=resolving("93.184.215.14"))
    assert await fault_of(outbound, "http://client.example/") is OutboundFault.ADDRESS_FORBIDDEN


# --- who answers --------------------------------------------------------------------------------


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return new_authority(tmp_path)


async def test_certificate_must_be_of_the_name_that_was_asked_for(authority: Authority) -> None:
    async with listening(
        answering("200 OK", b"{}"), tls=authority.serving("other.example")
    ) as peer:
        outbound = Outbound([LOOPBACK], authority.file, resolve=resolving("127.0.0.1"))
        fault = await fault_of(outbound, f"https://{SERVED_NAME}:{peer.port}/")
    assert fault is OutboundFault.CERTIFICATE_INVALID
    assert peer.requests == []


async def test_certificate_of_an_unknown_authority_is_refused(authority: Authority) -> None:
    tls = authority.serving(SERVED_NAME)
    async with listening(answering("200 OK", b"{}"), tls=tls) as peer:
        outbound = Outbound([LOOPBACK], resolve=resolving("127.0.0.1"))
        fault = await fault_of(outbound, f"https://{SERVED_NAME}:{peer.port}/")
    assert fault is OutboundFault.CERTIFICATE_INVALID


async def test_form_reaches_an_allowed_network_under_its_name(authority: Authority) -> None:
    tls = authority.serving(SERVED_NAME)
    async with listening(answering("204 No Content"), tls=tls) as peer:
        outbound = Outbound([LOOPBACK], authority.file, resolve=resolving("127.0.0.1"))
        status = await outbound.post_form(
            f"https://{SERVED_NAME}:{peer.port}/logout", {"logout_token": "a.b.c"}
        )
        await outbound.close()
    assert status == 204
    assert f"Host: {SERVED_NAME}:{peer.port}".encode() in peer.requests[0]
    assert peer.requests[0].endswith(b"logout_token=a.b.c")


# --- what it answers ----------------------------------------------------------------------------


async def answered(answer: bytes) -> OutboundFault:
    async with listening(answer) as peer:
        outbound = Outbound(allow_http_loopback=True)
        return await fault_of(outbound, f"http://127.0.0.1:{peer.port}/")


async def test_redirect_is_not_followed() -> None:
    async with listening(answering("200 OK", b"{}")) as elsewhere:
        location = f"Location: http://127.0.0.1:{elsewhere.port}/"
        assert (
            await answered(answering("302 Found", b"", location)) is OutboundFault.STATUS_UNEXPECTED
        )
    assert elsewhere.requests == []


@pytest.mark.parametrize(
    "body",
    [b"", b"<html>", b"{", b"\xff", b'"\\ud800"', b"NaN", b"[" * 100_000, b"1" * 300_000],
)
async def test_answer_that_is_no_bounded_json_is_refused(body: bytes) -> None:
    assert await answered(answering("200 OK", body)) is OutboundFault.ANSWER_UNREADABLE


async def test_packed_answer_is_refused_because_nobody_asked_for_it() -> None:
    packed = answering("200 OK", b"\x1f\x8b", "Content-Encoding: gzip")
    assert await answered(packed) is OutboundFault.ANSWER_UNREADABLE


async def test_slow_peer_is_given_up() -> None:
    async with listening(answering("200 OK", b"{}"), delay=5) as peer:
        outbound = Outbound(allow_http_loopback=True, total_seconds=0.2)
        fault = await fault_of(outbound, f"http://127.0.0.1:{peer.port}/")
    assert fault is OutboundFault.NO_ANSWER


async def test_environment_names_no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    async with (
        listening(answering("200 OK", b"{}")) as proxy,
        listening(answering("200 OK", b"1")) as peer,
    ):
        for name in ("http_proxy", "https_proxy", "all_proxy"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.port}")
        outbound = Outbound(allow_http_loopback=True)
        assert await outbound.get_json(f"http://127.0.0.1:{peer.port}/") == 1
        await outbound.close()
    assert proxy.requests == []
