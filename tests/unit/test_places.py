"""Where a browser may be sent after it has signed in: places of ours only."""

import pytest

from citizen_account.web.places import safe_place, with_query


@pytest.mark.parametrize(
    "place", ["/sk/privacy", "/en/services/permits?done=linked", "/admin/outbox", "/sk/"]
)
def test_place_of_ours_is_kept(place: str) -> None:
    assert safe_place(place, "/sk/dashboard") == place


# OWASP ASVS 5.0 section 1.2.2, RFC 9700 section 4.11.
@pytest.mark.parametrize(
    "place",
    [
        None,
        "",
        "https://thief.example",
        "//thief.example",
        "/\\thief.example",
        "/sk//thief.example",
        "/sk/\\thief.example",
        "/sk/a\nSet-Cookie: x",
        "/sk/%2f%2fthief.example",
        "javascript:alert(1)",
        "/logout",
        "/sk/a#https://thief.example",
        "/sk/" + "a" * 600,
        "/sk/a?next=https://thief.example",
    ],
)
def test_anything_else_becomes_the_default(place: str | None) -> None:
    assert safe_place(place, "/sk/dashboard") == "/sk/dashboard"


def test_query_holds_what_is_given() -> None:
    assert with_query("/sk/sign-in", next="/sk/privacy", saved=None) == (
        "/sk/sign-in?next=%2Fsk%2Fprivacy"
    )
