"""Name what can go wrong: stable codes without HTTP and without text."""

from enum import StrEnum


class ErrorCode(StrEnum):
    # Anywhere
    NOT_FOUND = "not_found"
    METHOD_NOT_ALLOWED = "method_not_allowed"
    REQUEST_MALFORMED = "request_malformed"
    REQUEST_TOO_LARGE = "request_too_large"
    CONTENT_TYPE_UNSUPPORTED = "content_type_unsupported"
    HOST_UNKNOWN = "host_unknown"
    TOO_BUSY = "too_busy"
    UNEXPECTED = "unexpected"
    # Forms and sessions
    FORM_FORGED = "form_forged"
    SIGN_IN_REQUIRED = "sign_in_required"
    ROLE_REQUIRED = "role_required"
    TOO_MANY_TRIES = "too_many_tries"
    # Accounts
    LINK_EXPIRED = "link_expired"
    # Provider
    INTERACTION_UNKNOWN = "interaction_unknown"
    TOKEN_INVALID = "token_invalid"  # noqa: S105  # a code, no secret
    TOKEN_INSUFFICIENT = "token_insufficient"  # noqa: S105  # a code, no secret
    CLIENT_UNKNOWN = "client_unknown"
    REQUEST_URI_INVALID = "request_uri_invalid"
    REDIRECT_URI_UNREGISTERED = "redirect_uri_unregistered"
    CONSENT_UNKNOWN = "consent_unknown"
    ID_TOKEN_HINT_INVALID = "id_token_hint_invalid"  # noqa: S105  # a code, no secret
    POST_LOGOUT_REDIRECT_URI_UNREGISTERED = "post_logout_redirect_uri_unregistered"
    # Connectors
    CONNECTOR_UNKNOWN = "connector_unknown"
    CONNECTION_UNKNOWN = "connection_unknown"
    CASE_UNKNOWN = "case_unknown"


class DomainError(Exception):
    """Refuse a request that leaves no trace. The facts are for the log, never for the wire."""

    def __init__(self, code: ErrorCode, **facts: object) -> None:
        super().__init__(code)
        self.code = code
        self.facts = facts
