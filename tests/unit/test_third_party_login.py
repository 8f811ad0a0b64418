"""OIDC Core section 4: the account sends residents to where a service begins its sign-in."""

from dataclasses import replace

import pytest

from citizen_account.openid.third_party_login import login_address
from tests.factories import ISSUER
from tests.services import LIBRARY

LOGIN = "https://library.example/login"
ISS = "iss=https%3A%2F%2Faccount.city.example"
TARGET = "target_link_uri=https%3A%2F%2Flibrary.example%2F"


@pytest.mark.parametrize(
    ("place", "address"),
    [
        (LOGIN, f"{LOGIN}?{ISS}&{TARGET}"),
        (f"{LOGIN}?by=city", f"{LOGIN}?by=city&{ISS}&{TARGET}"),
        ("https://login.library.example/", f"https://login.library.example/?{ISS}"),
    ],
)
def test_service_learns_who_sends_the_resident_and_nothing_of_her(place: str, address: str) -> None:
    client = replace(LIBRARY, metadata={"initiate_login_uri": place})
    assert login_address(client, ISSUER) == address


def test_service_without_such_a_place_is_only_opened() -> None:
    assert login_address(LIBRARY, ISSUER) is None
