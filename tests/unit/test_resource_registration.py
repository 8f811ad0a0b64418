"""How an operator describes a resource server, and what is refused by name (RFC 8707 section 2)."""

from collections.abc import Mapping
from datetime import timedelta

import pytest

from citizen_account.domain.accounts import Level
from citizen_account.domain.resources import ResourceServer, TokenFormat
from citizen_account.openid.metadata_members import RegistrationError
from citizen_account.openid.resource_registration import read_resource_server
from tests.factories import ISSUER, START

PARKING: Mapping[str, object] = {
    "resource": "https://parking.example/api",
    "client_id": "parking",
    "scopes_supported": ["parking.read"],
}


def read(changes: Mapping[str, object]) -> ResourceServer:
    asked = {**PARKING, **changes}
    given = {name: value for name, value in asked.items() if value is not None}
    return read_resource_server(given, ISSUER, START, None)


def test_least_description_gives_opaque_tokens_of_ten_minutes() -> None:
    server = read({})
    assert server.token_format is TokenFormat.OPAQUE
    assert server.token_lifetime == timedelta(minutes=10)
    assert (server.required_level, server.max_age) == (None, None)


def test_demands_are_read() -> None:
    server = read({"acr": "http://eidas.europa.eu/LoA/high", "max_age": 60})
    assert (server.required_level, server.max_age) == (Level.HIGH, timedelta(minutes=1))


def test_api_that_reads_its_tokens_needs_no_client() -> None:
    assert read({"client_id": None, "access_token_format": "jwt"}).client_id is None


@pytest.mark.parametrize(
    ("changes", "member"),
    [
        ({"resource": None}, "resource"),
        ({"resource": "/api"}, "resource"),
        ({"resource": "https://api.example/#x"}, "resource"),
        ({"resource": ISSUER}, "resource"),
        ({"client_id": None}, "client_id"),
        ({"scopes_supported": []}, "scopes_supported"),
        ({"scopes_supported": ["openid"]}, "scopes_supported"),
        ({"scopes_supported": ["a b"]}, "scopes_supported"),
        ({"scopes_supported": [""]}, "scopes_supported"),
        ({"access_token_format": "paseto"}, "access_token_format"),
        ({"access_token_signing_alg": "none"}, "access_token_signing_alg"),
        ({"access_token_lifetime": 59}, "access_token_lifetime"),
        ({"access_token_lifetime": True}, "access_token_lifetime"),
        ({"acr": "very high"}, "acr"),
        ({"max_age": 0}, "max_age"),
    ],
    ids=str,
)
def test_wrong_description_is_named(changes: Mapping[str, object], member: str) -> None:
    with pytest.raises(RegistrationError, match=f"^{member}: "):
        read(changes)
