"""Say the same of the plans of FAPI 2.0 (private_key_jwt, DPoP, OpenID Connect).

The other variants run the same modules: with certificates those of DPoP are left out, and without
OpenID Connect those of `nonce`, `claims` and the order of the scope.
"""

from collections.abc import Mapping

from tests.conformance.plans import DPOP, OBJECT, PAR, SECURITY, Module, review, shown

PREFIX = "fapi2-security-profile-final-"
CERTIFICATES = "conformance/test_fapi2_certificates.py::"
AT_RESOURCE = "conformance/test_fapi2_dpop.py::"
SIGNING = "conformance/test_fapi2_message_signing.py::"
SCRIPT = "conformance/test_browser_script_fapi.py::"

_FLOW = f"{SECURITY}test_request_succeeds"
_PUSH = f"{PAR}test_rfc9126_2_3_wrong_request_is_refused_at_once"
_ASSERTION = f"{SECURITY}test_wrong_client_assertion_is_refused"
_AHEAD = f"{SECURITY}test_assertion_of_a_clock_8_seconds_ahead_is_accepted"
_AUDIENCE = f"{PAR}test_fapi_5_3_2_1_8_audience_is_the_issuer_as_a_string"
_PROOF = f"{DPOP}test_4_3_proof_that_differs_in_nothing_that_counts_is_accepted"
_BAD_PROOF = f"{DPOP}test_4_3_wrong_proof_is_refused"
_OUTSIDE = f"{PAR}test_rfc9101_6_3_nothing_from_outside_the_object_counts"
_VERIFIER = f"{SECURITY}test_code_needs_its_verifier"
_NAME = f"{PAR}test_rfc9126_2_2_name_is_the_client_s_own_and_expires"
_BOUND = f"{PAR}test_rfc9449_10_1_proof_at_par_binds_the_code"
_JKT = f"{DPOP}test_10_code_is_for_the_key_of_the_request"

SECURITY_PROFILE: Mapping[str, Module] = {
    "discovery-end-point-verification": shown(
        f"{SECURITY}test_discovery_says_what_fapi_needs",
        "conformance/test_basic.py::test_discovery_document_is_complete_and_holds_nothing_strange",
    ),
    "happy-flow": shown(
        f"{PAR}test_fapi_pushed_request_ends_in_bound_tokens",
        f"{SECURITY}test_scheme_has_no_case_and_the_query_holds_no_token",
        f"{SECURITY}test_token_of_client2_is_nothing_to_the_key_of_client1",
        f"{SECURITY}test_plain_oauth_opens_the_api",
        f"{CERTIFICATES}test_flow_ends_in_tokens_of_the_certificate",
        f"{CERTIFICATES}test_plain_oauth_opens_the_api_to_the_certificate",
        f"{SCRIPT}test_both_clients_arrive",
        f"{SIGNING}test_signed_request_gets_a_signed_code",
        f"{SIGNING}test_plain_oauth_is_signed_both_ways",
    ),
    "user-rejects-authentication": shown(
        f"{SECURITY}test_user_who_refuses_is_access_denied",
        f"{SCRIPT}test_who_refuses_is_asked_each_time",
        f"{SIGNING}test_refusal_is_signed",
    ),
    "ensure-authorization-request-without-state-success": shown(_FLOW),
    "ensure-authorization-request-without-nonce-success": shown(_FLOW),
    "ensure-authorization-request-with-64-char-nonce-success": shown(_FLOW),
    "ensure-other-scope-order-succeeds": shown(_FLOW),
    "test-claims-parameter-identity-claims": shown(_FLOW),
    "access-token-type-header-case-sensitivity": shown(
        f"{SECURITY}test_scheme_has_no_case_and_the_query_holds_no_token"
    ),
    "check-dpop-proof-nbf-exp": shown(_PROOF, _BAD_PROOF),
    "ensure-dpopproof-with-iat-10seconds-before-succeeds": shown(_PROOF),
    "ensure-dpopproof-with-iat-10seconds-after-succeeds": shown(_PROOF),
    "ensure-mismatched-dpop-jkt-fails": shown(
        f"{PAR}test_rfc9449_10_1_proof_and_thumbprint_must_agree"
    ),
    "ensure-token-endpoint-fails-with-mismatched-dpop-proof-jkt": shown(_BOUND),
    "ensure-token-endpoint-fails-with-mismatched-dpop-jkt": shown(_JKT),
    "ensure-dpopproof-at-par-endpoint-binding-success": shown(_BOUND),
    "ensure-dpop-auth-code-binding-success": shown(_JKT),
    "ensure-different-nonce-inside-and-outside-request-object": shown(_OUTSIDE),
    "ensure-different-state-inside-and-outside-request-object": shown(_OUTSIDE),
    "ensure-authorization-request-with-long-nonce": shown(_FLOW),
    "ensure-authorization-request-with-long-state": shown(_FLOW),
    "state-only-outside-request-object-not-used": shown(
        f"{PAR}test_rfc9101_6_3_state_outside_alone_is_not_used"
    ),
    "ensure-request-object-without-redirect-uri-fails": shown(_PUSH),
    "plain-fapi-tolerate-unregistered-redirect-uri": shown(_PUSH),
    "ensure-unsigned-authorization-request-without-using-par-fails": shown(
        f"{PAR}test_fapi_5_3_2_2_3_request_that_was_not_pushed_is_refused"
    ),
    "ensure-redirect-uri-in-authorization-request": shown(_PUSH),
    "ensure-response-type-code-idtoken-fails": shown(_PUSH),
    "ensure-response-type-token-fails": shown(_PUSH),
    "ensure-client-id-in-token-endpoint": shown(
        f"{SECURITY}test_code_of_client1_is_refused_to_client2"
    ),
    "ensure-holder-of-key-required": shown(
        f"{PAR}test_fapi_5_3_2_1_4_code_without_proof_of_possession_gives_nothing",
        f"{CERTIFICATES}test_code_without_the_certificate_gives_nothing",
    ),
    "ensure-authorization-code-is-bound-to-client": shown(
        f"{SECURITY}test_code_of_client1_is_refused_to_client2"
    ),
    "attempt-reuse-authorization-code-after-one-second": shown(
        f"{SECURITY}test_code_that_comes_again_after_a_second_ends_its_token"
    ),
    "ensure-token-endpoint-fails-with-expired-auth-code": shown(
        f"{SECURITY}test_code_expires_after_a_minute"
    ),
    "ensure-signed-client-assertion-with-RS256-fails": shown(
        f"{SECURITY}test_rs256_is_refused_of_the_very_key_that_may_sign_ps256"
    ),
    "ensure-client-assertion-in-token-endpoint": shown(_ASSERTION),
    "ensure-client-assertion-with-exp-is-5-minutes-in-past-fails": shown(_ASSERTION),
    "ensure-client-assertion-with-wrong-aud-fails": shown(_ASSERTION),
    "ensure-client-assertion-with-no-sub-fails": shown(_ASSERTION),
    "ensure-invalid-client-assertions-fail": shown(_ASSERTION, _AHEAD),
    "dpop-negative-tests": shown(
        f"{AT_RESOURCE}test_wrong_proof_is_refused",
        f"{AT_RESOURCE}test_proof_is_good_once",
        f"{AT_RESOURCE}test_two_headers_are_refused",
        f"{AT_RESOURCE}test_proof_of_another_key_is_refused",
        f"{AT_RESOURCE}test_token_without_a_proof_is_refused",
        f"{AT_RESOURCE}test_bound_token_is_no_bearer_token",
        f"{AT_RESOURCE}test_difference_that_does_not_count_is_accepted",
    ),
    "refresh-token": shown(
        f"{SECURITY}test_refresh_token_is_kept_and_bound_to_client_and_key",
        f"{CERTIFICATES}test_flow_ends_in_tokens_of_the_certificate",
        "unit/test_grants.py::test_fapi_2_5_3_2_1_9_refresh_token_is_not_rotated",
    ),
    "par-ensure-reused-request-uri-prior-to-auth-completion-succeeds": review(
        f"{PAR}test_fapi_name_is_used_up_by_the_answer_and_not_by_a_visit",
        f"{SCRIPT}test_first_visit_only_looks",
    ),
    "par-attempt-reuse-request_uri": review(
        f"{SECURITY}test_used_request_uri_leads_to_a_page_of_ours",
        f"{SCRIPT}test_page_of_a_wrong_name_is_pictured",
    ),
    "par-attempt-to-use-expired-request_uri": review(_NAME),
    "par-attempt-to-use-request_uri-for-different-client": review(_NAME),
    "par-authorization-request-containing-request_uri-form-param": shown(_PUSH),
    "par-attempt-invalid-http-method": shown(f"{PAR}test_rfc9126_2_1_post_is_the_only_method"),
    "par-ensure-pkce-required": shown(_PUSH),
    "ensure-pkce-code-verifier-required": shown(_VERIFIER),
    "incorrect-pkce-code-verifier-rejected": shown(_VERIFIER),
    "par-plain-pkce-rejected": shown(_PUSH),
    "par-without-duplicate-parameters": shown(
        f"{SECURITY}test_pushed_parameters_need_not_be_repeated_at_the_authorization_endpoint",
        f"{SECURITY}test_doubled_parameter_cannot_be_pushed",
    ),
}
# Suites before the release that tries all wrong assertions in one module have these instead of it.
EARLIER: Mapping[str, Module] = {
    "par-ensure-jwt-client-assertions-nbf-8-seconds-in-the-future-is-accepted": shown(_AHEAD),
    "par-ensure-jwt-client-assertions-nbf-over-60-seconds-in-the-future-fails": shown(_ASSERTION),
    "par-test-array-as-audience-fails": shown(_ASSERTION, _AUDIENCE),
    "par-test-par-endpoint-url-as-audience-fails": shown(_ASSERTION, _AUDIENCE),
    "par-test-token-endpoint-url-as-audience-fails": shown(_ASSERTION, _AUDIENCE),
}
# The security profile's modules that need no resident: `fapi_client_credentials_grant`.
CLIENT_CREDENTIALS: Mapping[str, Module] = {
    **{
        name: SECURITY_PROFILE[name]
        for name in (
            "discovery-end-point-verification",
            "access-token-type-header-case-sensitivity",
            "check-dpop-proof-nbf-exp",
            "ensure-dpopproof-with-iat-10seconds-before-succeeds",
            "ensure-dpopproof-with-iat-10seconds-after-succeeds",
            "ensure-client-id-in-token-endpoint",
            "ensure-holder-of-key-required",
            "ensure-signed-client-assertion-with-RS256-fails",
            "ensure-client-assertion-in-token-endpoint",
            "ensure-client-assertion-with-exp-is-5-minutes-in-past-fails",
            "ensure-client-assertion-with-wrong-aud-fails",
            "ensure-client-assertion-with-no-sub-fails",
            "ensure-invalid-client-assertions-fail",
            "dpop-negative-tests",
        )
    },
    "happy-flow": shown(
        f"{SECURITY}test_client_credentials_are_bound_to_the_key",
        f"{CERTIFICATES}test_client_s_own_token_is_bound_to_the_certificate",
    ),
}
_KEEPS = f"{OBJECT}test_object_that_keeps_the_rules_is_believed"
_BREAKS = f"{OBJECT}test_object_that_breaks_a_rule_is_refused"
_WRONG = f"{PAR}test_rfc9101_6_2_wrong_object_is_refused"
_STRANGER = f"{PAR}test_rfc9101_10_2_object_of_another_key_is_refused"
# Beside those of the security profile, whose requests are signed then, and answers by JARM.
MESSAGE_SIGNING: Mapping[str, Module] = {
    "ensure-request-object-with-multiple-aud-succeeds": shown(_KEEPS),
    "ensure-request-object-with-nbf-8-seconds-in-the-future-is-accepted": shown(_KEEPS),
    "ensure-request-object-without-exp-fails": shown(_WRONG),
    "ensure-request-object-without-nbf-fails": shown(_WRONG),
    "ensure-expired-request-object-fails": shown(_BREAKS),
    "ensure-request-object-with-bad-aud-fails": shown(_WRONG),
    "ensure-request-object-with-exp-over-60-fails": shown(_BREAKS),
    "ensure-request-object-with-nbf-over-60-fails": shown(_BREAKS),
    "ensure-signed-request-object-with-RS256-fails": shown(
        f"{OBJECT}test_fapi_5_4_1_rs256_is_not_for_the_profile_high"
    ),
    "ensure-request-object-signature-algorithm-is-not-none": shown(
        f"{OBJECT}test_rfc8725_2_1_algorithm_is_never_the_attacker_s_choice"
    ),
    "ensure-request-object-with-invalid-signature-fails": shown(_STRANGER),
    "ensure-matching-key-in-authorization-request": shown(_STRANGER),
    "ensure-unsigned-request-at-par-endpoint-fails": shown(
        f"{PAR}test_rfc9101_client_that_must_sign_is_held_to_it"
    ),
    "par-authorization-request-containing-request_uri": shown(_BREAKS),
}
