"""Say the same of the plans that are not run, module by module: what each would report, and why.

A plan is passed as a whole. Dynamic demands the implicit grant, and Session Management cookies that
browsers hold back; `docs/conformance.md` lists these rows.
"""

from collections.abc import Mapping

from tests.conformance.plans import (
    BASIC,
    DYNAMIC,
    OIDCC_BASIC,
    REQUEST,
    Module,
    Result,
    review,
    shown,
)

REGISTRATION = "protocol/test_rfc7591_registration.py::"
ADDRESSES = "protocol/test_client_addresses.py::"

_LACKS = f"{DYNAMIC}test_what_the_plans_left_out_demand_is_not_offered"
_BARE = f"{DYNAMIC}test_client_s_pages_are_linked_on_the_consent_page_alone"
_LETTER = f"{REGISTRATION}test_redirect_uri_is_kept_to_the_letter"
_UNSIGNED = f"{BASIC}test_unsigned_request_object_is_refused_by_name"


def failing(why: str, *tests: str) -> Module:
    """Return a module that fails, with a test that notices when what it misses comes."""
    return Module(tests, Result.FAIL, why)


_REFERENCE = failing("no `request_uri` but one of `/par`", _LACKS, _UNSIGNED)
_IFRAME = failing("no `check_session_iframe`", _LACKS)

DYNAMIC_PLAN: Mapping[str, Module] = {
    "oidcc-idtoken-rs256": shown(f"{DYNAMIC}test_id_token_is_signed_as_registered"),
    "oidcc-idtoken-unsigned": OIDCC_BASIC["oidcc-idtoken-unsigned"],
    "oidcc-userinfo-rs256": shown(f"{DYNAMIC}test_userinfo_is_signed_as_registered"),
    "oidcc-ensure-redirect-uri-in-authorization-request": review(
        f"{REQUEST}test_4_1_2_1_unproven_address_is_never_redirected_to"
    ),
    "oidcc-redirect-uri-query-OK": shown(_LETTER),
    "oidcc-redirect-uri-query-mismatch": review(_LETTER),
    "oidcc-redirect-uri-query-added": review(_LETTER),
    "oidcc-redirect-uri-regfrag": shown(
        f"{REGISTRATION}test_3_2_2_wrong_metadata_is_refused_and_named"
    ),
    "oidcc-discovery-endpoint-verification": failing(
        "`response_types_supported` lacks `id_token`, `grant_types_supported` lacks `implicit`",
        _LACKS,
    ),
    "oidcc-server": OIDCC_BASIC["oidcc-server"],
    "oidcc-registration-logo-uri": failing(
        "the sign-in page shows no logo: pages load no picture from elsewhere", _BARE
    ),
    "oidcc-registration-policy-uri": failing(
        "the link is on the consent page, not on the sign-in page", _BARE
    ),
    "oidcc-registration-tos-uri": failing(
        "the link is on the consent page, not on the sign-in page", _BARE
    ),
    "oidcc-registration-jwks-uri": shown(
        f"{ADDRESSES}test_keys_are_read_once_and_again_when_the_client_rotates_them",
        f"{ADDRESSES}test_refresh_token_is_good_with_the_client_s_next_key",
    ),
    "oidcc-registration-sector-uri": shown(f"{ADDRESSES}test_sector_is_the_host_of_the_list"),
    "oidcc-registration-sector-bad": shown(
        f"{ADDRESSES}test_redirect_uri_outside_of_the_list_is_refused"
    ),
    "oidcc-server-rotate-keys": shown(
        "protocol/test_discovery.py::test_rotation_publishes_first_signs_later_and_retires_last",
        "storage/test_client_commands.py::test_keys_are_listed_and_rotated",
    ),
    "oidcc-refresh-token-rp-key-rotation": shown(
        f"{ADDRESSES}test_refresh_token_is_good_with_the_client_s_next_key"
    ),
    "oidcc-request-uri-unsigned": _REFERENCE,
    "oidcc-request-uri-signed-rs256": _REFERENCE,
    "oidcc-ensure-request-object-with-redirect-uri": OIDCC_BASIC[
        "oidcc-ensure-request-object-with-redirect-uri"
    ],
    "oidcc-refresh-token": OIDCC_BASIC["oidcc-refresh-token"],
    "oidcc-ensure-client-assertion-with-iss-aud-succeeds": shown(
        "protocol/test_rfc7523_private_key_jwt.py::test_key_opens_every_endpoint"
    ),
}
SESSION_MANAGEMENT: Mapping[str, Module] = {
    "oidcc-session-management-discovery-endpoint-verification": _IFRAME,
    "oidcc-session-management-rp-initiated-logout": _IFRAME,
}
