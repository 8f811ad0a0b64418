"""No address that a client can register reaches us ourselves, however it is written."""

from collections.abc import AsyncIterator, Sequence
from ipaddress import ip_network

import pytest

from citizen_account.outbound import Outbound, OutboundError
from tests.inside_addresses import LEAST_FORMS, Canary, forms, resolve_inside, singing


@pytest.fixture
async def canary() -> AsyncIterator[Canary]:
    async with singing() as canary:
        yield canary


async def test_no_form_of_an_inside_address_is_connected_to(canary: Canary) -> None:
    # OWASP ASVS 5.0 1.3.6; research of attacks 14: no packet reaches the canary.
    outbound = Outbound(resolve=resolve_inside, total_seconds=2)
    tried = list(dict.fromkeys(forms(canary.port)))
    assert len(tried) >= LEAST_FORMS
    for url in tried:
        with pytest.raises(OutboundError):
            await outbound.get_json(url)
        with pytest.raises(OutboundError):
            await outbound.post_form(url, {"logout_token": "a.b.c"})
    await outbound.close()
    assert canary.heard == 0


async def test_canary_hears_what_is_allowed(canary: Canary) -> None:
    outbound = Outbound([ip_network("127.0.0.0/8")], resolve=resolve_inside, total_seconds=2)
    with pytest.raises(OutboundError):
        await outbound.get_json(f"https://localhost:{canary.port}/")
    await outbound.close()
    assert canary.heard == 1


async def test_name_that_is_bound_again_while_we_connect_is_not_asked_again(
    canary: Canary,
) -> None:
    turns = [["192.0.2.1"]]

    async def rebinding(_: str, __: int) -> Sequence[str]:
        return turns.pop() if turns else ["127.0.0.1"]

    # 192.0.2.0/24 is for documentation: it stands for the internet, and nobody answers there.
    outbound = Outbound([ip_network("192.0.2.0/24")], resolve=rebinding, total_seconds=0.5)
    with pytest.raises(OutboundError):
        await outbound.get_json(f"https://client.example:{canary.port}/")
    with pytest.raises(OutboundError):
        await outbound.get_json(f"https://client.example:{canary.port}/")
    await outbound.close()
    assert canary.heard == 0
