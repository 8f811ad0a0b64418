"""Which addresses are taken, and which are one and the same."""

import pytest

from citizen_account.domain.emails import read_email


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("jana@example.sk", "jana@example.sk"),
        ("  Jana.Nova+mesto@Example.SK ", "Jana.Nova+mesto@example.sk"),
        ("jana@škola.sk", "jana@xn--kola-f6a.sk"),
        ("jana@s\u030ckola.sk", "jana@xn--kola-f6a.sk"),
        ("jana@xn--kola-f6a.sk", "jana@xn--kola-f6a.sk"),
    ],
)
def test_an_address_has_one_spelling(given: str, expected: str) -> None:
    address = read_email(given)
    assert address is not None
    assert address.text == expected


def test_capitals_make_no_second_mailbox() -> None:
    one, other = read_email("Jana@Example.sk"), read_email("jana@example.SK")
    assert one is not None
    assert other is not None
    assert one.canonical == other.canonical


@pytest.mark.parametrize(
    "given",
    [
        "",
        "jana",
        "@example.sk",
        "jana@",
        "jana@localhost",
        "jana@example.1",
        "jana@example..sk",
        "jana@-example.sk",
        ".jana@example.sk",
        "jana..nova@example.sk",
        "jana nova@example.sk",
        '"jana"@example.sk',
        "jana@example.sk\r\nBcc: x@example.sk",
        "jana\0@example.sk",
        "jana@example.sk\u202e",
        "jana\u200b@example.sk",
        "j\u0430na@example.sk",
        "jana@ex\u0430mple.sk",
        "jana@straße.de",
        "jana@exa\u0131mple.sk",
        "j" * 65 + "@example.sk",
        "jana@" + "a" * 64 + ".sk",
        "jana@" + "a." * 130 + "sk",
        "\ud800@example.sk",
        "jana@\ud800.sk",
    ],
)
def test_what_is_no_address_or_passes_for_another_is_refused(given: str) -> None:
    assert read_email(given) is None


def test_a_masked_address_is_known_to_its_owner_only() -> None:
    address = read_email("jana.kovacova@example.sk")
    assert address is not None
    assert address.masked == "j…@example.sk"
