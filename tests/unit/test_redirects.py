"""RFC 8252 section 7.3: the port of a native program is the system's choice, and nothing else."""

from dataclasses import replace

import pytest

from citizen_account.domain.clients import ClientProfile
from citizen_account.openid.redirects import is_registered
from tests.authorization_facts import LIBRARY

REGISTERED = (
    "http://127.0.0.1/callback",
    "http://[::1]:3000/callback?kept=1",
    "http://localhost:4000/callback",
    "https://library.example/callback",
    "com.library.app:/callback",
)
NATIVE = replace(LIBRARY, redirect_uris=REGISTERED, metadata={"application_type": "native"})


@pytest.mark.parametrize(
    "asked",
    [
        *REGISTERED,
        "http://127.0.0.1:51004/callback",
        "http://127.0.0.1:1/callback",
        "http://127.0.0.1:65535/callback",
        "http://[::1]/callback?kept=1",
        "http://[::1]:61023/callback?kept=1",
    ],
)
def test_rfc8252_7_3_any_port_of_the_loopback_address(asked: str) -> None:
    assert is_registered(NATIVE, asked)


@pytest.mark.parametrize(
    "asked",
    [
        # Section 8.3: a name may lead elsewhere, so it is held to the letter.
        "http://localhost:4001/callback",
        "https://library.example:8443/callback",
        "http://127.0.0.1:51004/callback/",
        "http://127.0.0.1:51004/Callback",
        "http://127.0.0.1:51004/callback?more=1",
        "http://127.0.0.1:51004/callback#part",
        "http://127.0.0.1:51004/other/../callback",
        "https://127.0.0.1:51004/callback",
        "HTTP://127.0.0.1:51004/callback",
        "http://127.0.0.2:51004/callback",
        "http://127.1:51004/callback",
        "http://2130706433:51004/callback",
        "http://0x7f.0.0.1:51004/callback",
        "http://[::ffff:127.0.0.1]:51004/callback",
        "http://127.0.0.1:51004@evil.example/callback",
        "http://user@127.0.0.1:51004/callback",
        "http://127.0.0.1.evil.example:51004/callback",
        "http://evil.example:51004/callback",
        "http://evil.example/http://127.0.0.1:51004/callback",
        "http://127.0.0.1:/callback",
        "http://127.0.0.1:0/callback",
        "http://127.0.0.1:080/callback",
        "http://127.0.0.1:65536/callback",
        "http://127.0.0.1:999999/callback",
        "http://127.0.0.1:-1/callback",
        "http://127.0.0.1:5\uff11/callback",
        "http://127.0.0.1:51004\\@evil.example/callback",
        "http://127.0.0.1:51004/callback\n",
        "http://127.0.0.1:51004\n/callback",
        " http://127.0.0.1:51004/callback",
        "http://127.0.0.1:51004",
        "http://[::1]:61023/callback",
        "",
    ],
)
def test_rfc9700_4_1_3_all_else_is_held_to_the_letter(asked: str) -> None:
    assert not is_registered(NATIVE, asked)


def test_who_is_not_native_has_the_ports_it_registered() -> None:
    asked = "http://127.0.0.1:51004/callback"
    assert not is_registered(replace(NATIVE, metadata={}), asked)
    assert not is_registered(replace(NATIVE, metadata={"application_type": "web"}), asked)
    # Of a FAPI client, nothing is left to the moment.
    assert not is_registered(replace(NATIVE, profile=ClientProfile.HIGH), asked)
