"""How a browser is named."""

import pytest

from citizen_account.domain.devices import summarise_device


@pytest.mark.parametrize(
    ("user_agent", "summary"),
    [
        ("Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0", "Firefox, Windows"),  # noqa: E501  # as browsers send it
        ("Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0 Safari/537.36 Edg/140.0", "Edge, Windows"),  # noqa: E501  # as browsers send it
        ("Mozilla/5.0 (Linux; Android 16) AppleWebKit/537.36 (KHTML, like Gecko) SamsungBrowser/28 Chrome/130 Mobile Safari/537.36", "Samsung Internet, Android"),  # noqa: E501  # as browsers send it
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) AppleWebKit/605.1.15 Version/19.0 Mobile Safari/604.1", "Safari, iPhone"),  # noqa: E501  # as browsers send it
        ("Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 Chrome/140.0 Safari/537.36", "Chrome, macOS"),  # noqa: E501  # as browsers send it
        ("curl/8.0", ""),
        ("", ""),
    ],
)  # fmt: skip
def test_a_browser_is_named(user_agent: str, summary: str) -> None:
    assert summarise_device(user_agent) == summary
