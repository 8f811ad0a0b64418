"""Say for each module of the certification plans which test of ours shows what it demands.

A reference is a file below `tests/` and the name of a test in it. `Expected` says what the suite is
expected to report where that is not a plain pass.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

BASIC = "conformance/test_basic.py::"
SECURITY = "conformance/test_fapi2_security_profile.py::"
REQUEST = "protocol/test_authorize_request.py::"
SIGN_IN = "protocol/test_authorize_sign_in.py::"
USERINFO = "protocol/test_oidc_core_userinfo.py::"
LOGOUT = "protocol/test_rp_initiated_logout.py::"
BACK = "protocol/test_oidc_backchannel_logout.py::"
FRONT = "protocol/test_oidc_frontchannel_logout.py::"
PAR = "protocol/test_rfc9126_par.py::"
DPOP = "protocol/test_rfc9449_dpop.py::"
TOKEN = "protocol/test_rfc6749_token.py::"
OBJECT = "unit/test_request_object.py::"
THIRD = "conformance/test_third_party_login.py::"
DYNAMIC = "conformance/test_dynamic.py::"
FORM = "conformance/test_form_post.py::"
SCRIPT = "conformance/test_browser_script.py::"


class Result(StrEnum):
    PASS = "pass"
    REVIEW = "review"
    """Passes; a person looks at the picture of a page."""
    SKIP = "skip"
    FAIL = "fail"
    """In a plan that is left out."""


@dataclass(frozen=True)
class Module:
    tests: tuple[str, ...]
    result: Result = Result.PASS
    why: str = ""


def shown(*tests: str) -> Module:
    return Module(tests)


def review(*tests: str) -> Module:
    return Module(tests, Result.REVIEW, "the suite asks a person for a picture of the page")


def skipped(*tests: str) -> Module:
    why = "no algorithm `none` in the discovery document, so the suite skips it"
    return Module(tests, Result.SKIP, why)


_CONFIG = f"{BASIC}test_discovery_document_is_complete_and_holds_nothing_strange"
_FLOW = f"{BASIC}test_request_succeeds"
_SCOPE = f"{BASIC}test_scope_gives_its_claims_at_userinfo_and_not_in_the_id_token"
_AGAIN = (
    f"{BASIC}test_second_sign_in_tells_a_later_time",
    f"{SCRIPT}test_second_sign_in_is_pictured",
)
_UNSIGNED = f"{BASIC}test_unsigned_request_object_is_refused_by_name"
_REPLAY = f"{BASIC}test_code_that_comes_again_ends_its_token"

OIDCC_BASIC: Mapping[str, Module] = {
    "oidcc-server": shown(_FLOW, f"{SCRIPT}test_resident_signs_in_allows_and_arrives"),
    "oidcc-response-type-missing": shown(f"{REQUEST}test_4_1_2_1_client_is_told_what_is_wrong"),
    "oidcc-idtoken-signature": shown(f"{DYNAMIC}test_id_token_is_signed_as_registered"),
    "oidcc-idtoken-unsigned": skipped(_CONFIG),
    "oidcc-userinfo-get": shown(_FLOW),
    "oidcc-userinfo-post-header": shown(f"{USERINFO}test_5_3_1_token_may_come_by_post"),
    "oidcc-userinfo-post-body": shown(f"{USERINFO}test_5_3_1_token_may_come_by_post"),
    "oidcc-ensure-request-without-nonce-succeeds-for-code-flow": shown(_FLOW),
    "oidcc-scope-profile": shown(
        _SCOPE, f"{USERINFO}test_5_4_scope_profile_is_all_fourteen_of_who_has_them"
    ),
    "oidcc-scope-email": shown(_SCOPE),
    "oidcc-scope-address": shown(_SCOPE),
    "oidcc-scope-phone": shown(_SCOPE),
    "oidcc-scope-all": shown(_SCOPE, f"{SCRIPT}test_dynamic_client_gets_all_it_asks_for"),
    "oidcc-alternate-happy-flow": shown(_FLOW),
    "oidcc-display-page": shown(_FLOW),
    "oidcc-display-popup": shown(_FLOW),
    "oidcc-prompt-login": review(
        *_AGAIN, f"{SIGN_IN}test_prompt_login_asks_once_and_tells_a_later_time"
    ),
    "oidcc-prompt-none-not-logged-in": shown(
        f"{SIGN_IN}test_prompt_none_without_a_session_is_login_required"
    ),
    "oidcc-prompt-none-logged-in": shown(
        f"{SIGN_IN}test_prompt_none_gives_a_code_for_the_same_sign_in"
    ),
    "oidcc-max-age-1": review(
        *_AGAIN, f"{SIGN_IN}test_max_age_asks_for_a_new_sign_in_when_the_last_is_older"
    ),
    "oidcc-max-age-10000": shown(f"{BASIC}test_sign_in_that_is_young_enough_is_told_again"),
    "oidcc-ensure-request-with-unknown-parameter-succeeds": shown(_FLOW),
    "oidcc-id-token-hint": shown(
        f"{SIGN_IN}test_hint_of_the_same_resident_is_answered_in_silence",
        f"{SIGN_IN}test_hint_of_another_resident_is_login_required",
    ),
    "oidcc-login-hint": shown(_FLOW, f"{BASIC}test_login_hint_and_locale_reach_the_page"),
    "oidcc-ui-locales": shown(_FLOW, f"{BASIC}test_login_hint_and_locale_reach_the_page"),
    "oidcc-claims-locales": shown(_FLOW),
    "oidcc-ensure-request-with-acr-values-succeeds": shown(_FLOW),
    "oidcc-codereuse": shown(_REPLAY),
    "oidcc-codereuse-30seconds": shown(_REPLAY, f"{TOKEN}test_4_1_2_reused_code_ends_its_tokens"),
    "oidcc-ensure-registered-redirect-uri": review(
        f"{BASIC}test_unregistered_redirect_uri_is_a_page_of_ours",
        f"{SCRIPT}test_refusal_is_pictured",
        f"{REQUEST}test_4_1_2_1_unproven_address_is_never_redirected_to",
    ),
    "oidcc-ensure-post-request-succeeds": shown(
        f"{BASIC}test_post_of_another_site_finds_the_session",
        f"{SCRIPT}test_posted_request_arrives",
        f"{REQUEST}test_form_of_another_site_is_taken_without_cookies",
    ),
    "oidcc-server-client-secret-post": shown(
        f"{TOKEN}test_2_3_client_may_prove_itself_in_the_form"
    ),
    "oidcc-request-uri-unsigned-supported-correctly-or-rejected-as-unsupported": skipped(_UNSIGNED),
    "oidcc-unsigned-request-object-supported-correctly-or-rejected-as-unsupported": skipped(
        _UNSIGNED
    ),
    "oidcc-claims-essential": shown(_FLOW, f"{SCRIPT}test_dynamic_client_gets_the_claim_it_names"),
    "oidcc-ensure-request-object-with-redirect-uri": skipped(_UNSIGNED),
    "oidcc-refresh-token": shown(
        f"{BASIC}test_refreshed_id_token_fits_the_first_and_client2_gets_none",
        f"{SCRIPT}test_dynamic_client_gets_all_it_asks_for",
    ),
    "oidcc-ensure-request-with-valid-pkce-succeeds": shown(
        f"{BASIC}test_pkce_is_accepted_from_who_need_not_send_it"
    ),
}
_FORM_POST = (
    f"{SCRIPT}test_form_post_arrives",
    f"{REQUEST}test_form_post_sends_itself_in_a_browser_that_knows_no_modules",
    f"{REQUEST}test_form_post_carries_the_code_in_a_form",
    f"{REQUEST}test_form_post_carries_errors_too",
)
_SILENT = f"{FORM}test_answer_in_silence_is_a_form"
# What differs where no page of ours comes before the form, or a form came before the page.
_OF_FORM = {
    "oidcc-prompt-none-logged-in": (_SILENT,),
    "oidcc-id-token-hint": (_SILENT,),
    "oidcc-max-age-10000": (_SILENT,),
    "oidcc-ensure-post-request-succeeds": (f"{FORM}test_posted_request_is_answered_by_a_form",),
}
OIDCC_FORM_POST: Mapping[str, Module] = {
    name: Module((*module.tests, *_FORM_POST, *_OF_FORM.get(name, ())), module.result, module.why)
    for name, module in OIDCC_BASIC.items()
}
OIDCC_CONFIG: Mapping[str, Module] = {"oidcc-discovery-endpoint-verification": shown(_CONFIG)}
_LEFT = f"{SCRIPT}test_logout_arrives_or_is_pictured"
_HINT = f"{LOGOUT}test_4_bad_hint_is_a_page_and_no_redirect"
_ADDRESS = f"{LOGOUT}test_3_other_address_is_never_followed"
RP_INITIATED_LOGOUT: Mapping[str, Module] = {
    "oidcc-rp-initiated-logout-discovery-endpoint-verification": shown(_CONFIG),
    "oidcc-rp-initiated-logout": shown(
        f"{LOGOUT}test_2_proven_request_signs_out_and_returns", _LEFT
    ),
    "oidcc-rp-initiated-logout-bad-post-logout-redirect-uri": review(_ADDRESS, _LEFT),
    "oidcc-rp-initiated-logout-modified-id-token-hint": review(_HINT, _LEFT),
    "oidcc-rp-initiated-logout-no-id-token-hint": review(
        f"{LOGOUT}test_2_without_a_hint_she_is_asked_and_led_nowhere", _LEFT
    ),
    "oidcc-rp-initiated-logout-no-params": review(
        f"{LOGOUT}test_2_without_a_hint_she_is_asked_and_led_nowhere", _LEFT
    ),
    "oidcc-rp-initiated-logout-no-post-logout-redirect-uri": review(
        f"{LOGOUT}test_2_without_an_address_she_stays_here", _LEFT
    ),
    "oidcc-rp-initiated-logout-no-state": shown(
        f"{LOGOUT}test_2_without_a_state_none_is_returned", _LEFT
    ),
    "oidcc-rp-initiated-logout-only-state": review(
        f"{LOGOUT}test_2_without_a_hint_she_is_asked_and_led_nowhere", _LEFT
    ),
    "oidcc-rp-initiated-logout-query-added-to-post-logout-redirect-uri": review(_ADDRESS, _LEFT),
    "oidcc-rp-initiated-logout-bad-id-token-hint": review(_HINT, _LEFT),
}
BACKCHANNEL_LOGOUT: Mapping[str, Module] = {
    "oidcc-backchannel-logout-discovery-endpoint-verification": shown(
        "protocol/test_discovery.py::test_what_openid_connect_requires_is_there"
    ),
    "oidcc-backchannel-rp-initiated-logout": shown(
        f"{BACK}test_2_4_token_says_whose_session_ended",
        "protocol/test_single_sign_on.py::"
        "test_one_sign_in_opens_both_and_one_sign_out_reaches_both",
        f"{LOGOUT}test_2_proven_request_signs_out_and_returns",
    ),
}
FRONTCHANNEL_LOGOUT: Mapping[str, Module] = {
    "oidcc-frontchannel-logout-discovery-endpoint-verification": shown(
        f"{FRONT}test_3_metadata_says_so"
    ),
    "oidcc-frontchannel-rp-initiated-logout": shown(
        f"{FRONT}test_3_page_loads_the_client_s_address_with_issuer_and_session",
        f"{FRONT}test_3_page_goes_on_without_javascript",
        f"{FRONT}test_session_has_ended_when_the_page_is_shown",
        f"{SCRIPT}test_browser_tells_the_suite_and_arrives",
    ),
}
THIRD_PARTY_LOGIN: Mapping[str, Module] = {
    "oidcc-3rd_party-init-login": shown(f"{THIRD}test_https_address_is_kept_and_shown"),
    "oidcc-3rd_party-init-login-nohttps": shown(f"{THIRD}test_http_address_is_refused"),
}
