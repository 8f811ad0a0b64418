"""Word the refusals of the registration endpoint that no metadata causes."""

from authlib.oauth2 import OAuth2Error


class InvalidTokenError(OAuth2Error):
    """RFC 6750 section 3.1."""

    error = "invalid_token"
    description = (
        "Send the access token that you were given in the header Authorization: Bearer. It may have"
        " expired or been used up; the operator of the account gives another."
    )
    status_code = 401

    def get_headers(self) -> list[tuple[str, str]]:
        challenge = 'Bearer realm="register", error="invalid_token"'
        return [*super().get_headers(), ("WWW-Authenticate", challenge)]


class RegistrationClosedError(OAuth2Error):
    """Nobody registers by himself here."""

    error = "access_denied"
    description = "The operator of the account registers clients: send the metadata there."
    status_code = 403


class QueueFullError(OAuth2Error):
    """Too many came before."""

    error = "temporarily_unavailable"
    description = "Too many clients have registered. Try again later, or ask the operator."
    status_code = 429

    def get_headers(self) -> list[tuple[str, str]]:
        # RFC 6585 section 4.
        return [*super().get_headers(), ("Retry-After", "600")]
