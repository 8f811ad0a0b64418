"""What client metadata may say, and how a wrong member is named."""

from typing import Any

import pytest
from joserfc.jwk import ECKey, RSAKey

from citizen_account.domain.claims import SCOPES
from citizen_account.domain.clients import AuthenticationMethod, Client, GrantType, SubjectType
from citizen_account.openid.metadata_members import RegistrationError
from citizen_account.openid.registration import Registration, Surroundings, read_registration
from citizen_account.security.tokens import digest, is_secret_of
from tests.factories import START

MINIMAL: dict[str, Any] = {"redirect_uris": ["https://library.example/callback"]}
SECRET = "s" * 32
EC = ECKey.generate_key("P-256")
PURPOSE: dict[str, Any] = {
    "id": "loans",
    "text": {"en": "Lending books", "sk": "Požičiavanie kníh"},
    "legal_basis": "public_task",
    "legal_reference": "Act 126/2015, section 16",
    "retention": "P3Y",
    "claims": [{"name": "name", "required": True, "reason": {"en": "For the card"}}],
}


def register(
    *, is_development: bool = False, previous: Client | None = None, **members: object
) -> Registration:
    surroundings = Surroundings(is_development, "new-id", "new-secret", START)
    return read_registration({**MINIMAL, **members}, surroundings, previous)


def fault_of(**members: object) -> str:
    with pytest.raises(RegistrationError) as caught:
        register(**members)  # type: ignore[arg-type]  # wrong on purpose
    line = str(caught.value)
    assert "\n" not in line
    return line


def test_least_metadata_gives_the_defaults_of_rfc_7591() -> None:
    registered = register()
    client = registered.client
    assert client.id == "new-id"
    assert registered.generated_secret == "new-secret"
    assert client.secret_digest == digest("new-secret")
    assert client.authentication_method is AuthenticationMethod.BASIC
    assert client.grant_types == {GrantType.AUTHORIZATION_CODE}
    assert client.scopes == frozenset(SCOPES)
    assert client.subject_type is SubjectType.PAIRWISE
    assert client.sector == "library.example"
    assert client.require_pkce
    assert client.id_token_algorithm == "RS256"
    assert client.service_url == "https://library.example/"
    assert client.name == client.operator == {"en": "library.example"}


def test_given_id_and_secret_are_honoured() -> None:
    registered = register(client_id="library", client_secret=SECRET)
    assert registered.client.id == "library"
    assert registered.generated_secret is None
    assert registered.client.secret_digest is not None
    assert is_secret_of(SECRET, registered.client.secret_digest)


def test_secret_is_kept_out_of_the_shown_metadata() -> None:
    assert "client_secret" not in register(client_secret=SECRET).client.metadata


def test_second_registration_keeps_the_secret() -> None:
    first = register(client_id="library", client_secret=SECRET).client
    second = register(client_id="library", previous=first)
    assert second.client.secret_digest == first.secret_digest
    assert second.generated_secret is None


def test_names_are_read_in_each_language() -> None:
    both = {"client_name": "Library", "client_name#sk": "Knižnica", "operator": {"sk": "Mesto"}}
    client = register(**both).client  # type: ignore[arg-type]  # members by name
    assert client.name == {"en": "Library", "sk": "Knižnica"}
    assert client.operator == {"sk": "Mesto"}


def test_purposes_are_read() -> None:
    [purpose] = register(purposes=[PURPOSE]).client.purposes
    assert (purpose.id, purpose.retention) == ("loans", "P3Y")
    [use] = purpose.claims
    assert (use.name, use.is_required, use.reason) == ("name", True, {"en": "For the card"})


def test_loopback_may_be_http_in_development_alone() -> None:
    local = ["http://localhost:8002/callback", "http://127.0.0.1:8002/callback"]
    for address in local:
        client = register(is_development=True, redirect_uris=[address]).client
        assert client.redirect_uris == (address,)
        assert "https" in fault_of(redirect_uris=[address])


def test_several_hosts_need_a_sector_identifier() -> None:
    several = ["https://a.example/callback", "https://b.example/callback"]
    assert fault_of(redirect_uris=several).startswith("sector_identifier_uri: is needed")
    sector = "https://city.example/sector.json"
    client = register(redirect_uris=several, sector_identifier_uri=sector).client
    assert client.sector == "city.example"
    assert register(redirect_uris=several, subject_type="public").client.id == "new-id"


def test_machine_needs_no_redirect_uri() -> None:
    machine = {"redirect_uris": [], "grant_types": ["client_credentials"], "scope": "cases.read"}
    client = register(**machine).client  # type: ignore[arg-type]  # members by name
    assert client.grant_types == {GrantType.CLIENT_CREDENTIALS}


def test_key_client_has_no_secret() -> None:
    keys = {"keys": [EC.as_dict(private=False)]}
    registered = register(token_endpoint_auth_method="private_key_jwt", jwks=keys)
    assert registered.client.secret_digest is None
    assert registered.generated_secret is None


def test_unknown_member_is_ignored() -> None:
    # RFC 7591 section 2.
    assert register(software_version="1").client.metadata["software_version"] == "1"


KEY_METHOD = {"token_endpoint_auth_method": "private_key_jwt"}
PUBLIC = {"token_endpoint_auth_method": "none"}
OWN_SCHEME = "org.example.app:/callback"


@pytest.mark.parametrize(
    ("member", "metadata"),
    [
        ("redirect_uris", {"redirect_uris": None}),
        ("redirect_uris", {"redirect_uris": []}),
        ("redirect_uris", {"redirect_uris": "https://library.example/callback"}),
        ("redirect_uris", {"redirect_uris": [1]}),
        ("redirect_uris", {"redirect_uris": [OWN_SCHEME]}),
        ("redirect_uris", {"redirect_uris": ["javascript:alert(1)"]}),
        ("redirect_uris", {"redirect_uris": ["//library.example/callback"]}),
        ("redirect_uris", {"redirect_uris": ["http://library.example/callback"]}),
        ("redirect_uris", {"redirect_uris": ["https://library.example/#part"]}),
        ("redirect_uris", {"redirect_uris": ["https://library.example/#"]}),
        ("redirect_uris", {"redirect_uris": ["https://jana@library.example/"]}),
        ("redirect_uris", {"redirect_uris": ["https://library.example\\@thief.example/"]}),
        ("redirect_uris", {"redirect_uris": ["https://library.example/a b"]}),
        ("redirect_uris", {"redirect_uris": ["https://knižnica.example/"]}),
        ("redirect_uris", {"redirect_uris": ["https://library.example:99999/"]}),
        ("redirect_uris", {"redirect_uris": ["https://[::1/"]}),
        ("redirect_uris", {"redirect_uris": [f"https://library.example/{'a' * 2100}"]}),
        ("post_logout_redirect_uris", {"post_logout_redirect_uris": ["http://a.example/"]}),
        ("backchannel_logout_uri", {"backchannel_logout_uri": "http://a.example/"}),
        ("sector_identifier_uri", {"sector_identifier_uri": "http://a.example/"}),
        ("client_id", {"client_id": ""}),
        ("client_id", {"client_id": "ľudmila"}),
        ("client_id", {"client_id": "a\x00b"}),
        ("client_id", {"client_id": "0123456789abcdef0123456789abcdef"}),
        ("client_id", {"client_id": "a" * 256}),
        ("client_secret", {"client_secret": "short"}),
        ("client_secret", {"client_secret": "with blanks " * 4}),
        ("client_secret", {"client_secret": "100%" * 8}),
        ("client_secret", {"client_secret": SECRET, **PUBLIC}),
        ("client_name", {"client_name": 1}),
        ("client_name.sk", {"client_name": {"sk": ""}}),
        ("first_party", {"first_party": "yes"}),
        ("profile", {"profile": "highest"}),
        ("profile", {"profile": "high"}),
        ("profile", {"profile": "high", "token_endpoint_auth_method": "client_secret_post"}),
        ("subject_type", {"subject_type": "private"}),
        ("token_endpoint_auth_method", {"token_endpoint_auth_method": "client_secret_jwt"}),
        ("id_token_signed_response_alg", {"id_token_signed_response_alg": "none"}),
        ("id_token_signed_response_alg", {"id_token_signed_response_alg": "HS256"}),
        ("grant_types", {"grant_types": ["implicit"]}),
        ("grant_types", {"grant_types": ["password"]}),
        ("grant_types", {"grant_types": ["client_credentials"], "response_types": [], **PUBLIC}),
        ("response_types", {"response_types": ["token"]}),
        ("response_types", {"grant_types": ["client_credentials"], "response_types": ["code"]}),
        ("scope", {"scope": 'openid "quoted"'}),
        ("require_pkce", {"require_pkce": False, **PUBLIC}),
        ("dpop_bound_access_tokens", {"dpop_bound_access_tokens": "yes"}),
        ("request_object_signing_alg", {"request_object_signing_alg": "none"}),
        ("authorization_signed_response_alg", {"authorization_signed_response_alg": "HS256"}),
        ("require_signed_request_object", {"require_signed_request_object": True}),
        ("userinfo_signed_response_alg", {"userinfo_signed_response_alg": "RS256"}),
        ("jwks", KEY_METHOD),
        ("jwks", {"jwks_uri": "https://a.example/jwks", **KEY_METHOD}),
        ("jwks", {"jwks": {"keys": []}, **KEY_METHOD}),
        ("jwks", {"jwks": {"keys": {}}}),
        ("jwks", {"jwks": {"keys": [EC.as_dict(private=True)]}}),
        ("jwks", {"jwks": {"keys": [{"kty": "oct", "k": "c2VjcmV0"}]}}),
        (
            "jwks",
            {"jwks": {"keys": [EC.as_dict(private=False)]}, "jwks_uri": "https://a.example/jwks"},
        ),
        (
            "jwks",
            {
                "jwks": {"keys": [EC.as_dict(private=False)]},
                "token_endpoint_auth_signing_alg": "RS256",
                **KEY_METHOD,
            },
        ),
    ],
)
def test_wrong_member_is_named(member: str, metadata: dict[str, object]) -> None:
    assert fault_of(**metadata).startswith(f"{member}:")


@pytest.mark.parametrize(
    ("place", "changes"),
    [
        ("purposes[0].id", {"id": "With Blanks"}),
        ("purposes[0].legal_basis", {"legal_basis": "vital_interest"}),
        ("purposes[0].legal_basis", {"legal_basis": None}),
        ("purposes[0].legal_reference", {"legal_reference": None}),
        ("purposes[0].retention", {"retention": "three years"}),
        ("purposes[0].text", {"text": None}),
        ("purposes[0].claims", {"claims": "name"}),
        ("purposes[0].claims[0].name", {"claims": [{"name": "shoe_size", "reason": "x"}]}),
        ("purposes[0].claims[0].reason", {"claims": [{"name": "name"}]}),
        ("purposes[0].claims[0].required", {"claims": [{"name": "name", "required": 1}]}),
    ],
)
def test_wrong_purpose_is_named_by_its_place(place: str, changes: dict[str, object]) -> None:
    assert fault_of(purposes=[{**PURPOSE, **changes}]).startswith(f"{place}:")


def test_two_purposes_need_two_ids() -> None:
    assert "loans comes twice" in fault_of(purposes=[PURPOSE, PURPOSE])


@pytest.mark.filterwarnings("ignore:Key size")
def test_short_key_is_no_key() -> None:
    weak = RSAKey.generate_key(1024)
    keys = {"keys": [weak.as_dict(private=False)]}
    line = fault_of(token_endpoint_auth_method="private_key_jwt", jwks=keys)
    assert line.startswith("jwks: holds no public key")
