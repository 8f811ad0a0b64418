"""Encode the answers of the machine endpoints, free of any web framework."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import assert_never

from authlib.consts import default_json_headers
from authlib.oauth2 import OAuth2Error
from authlib.oauth2.rfc6749.errors import InvalidRequestError

UNAUTHORIZED = 401
JSON_HEADERS: Mapping[str, str] = dict(default_json_headers)


@dataclass(frozen=True, slots=True)
class Refused:
    error: OAuth2Error


@dataclass(frozen=True, slots=True)
class Issued:
    """Tokens in clear, on their only way out."""

    access_token: str
    refresh_token: str | None
    id_token: str | None
    lifetime_seconds: int
    scope: str
    token_type: str


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    body: Mapping[str, object]


def encode(outcome: Issued | Refused) -> Answer:
    match outcome:
        case Issued():
            # RFC 6749 section 5.1: never cached.
            return Answer(200, JSON_HEADERS, _token_body(outcome))
        case Refused(error):
            return refusal(error)
        case unexpected:
            assert_never(unexpected)


def refusal(error: OAuth2Error) -> Answer:
    """Return the error of RFC 6749 section 5.2."""
    status, body, headers = error()
    if status == UNAUTHORIZED:
        # RFC 7617 section 2: the realm is required, and Authlib's challenge has none.
        challenge = {"WWW-Authenticate": f'Basic realm="client", error="{error.error}"'}
        return Answer(status, {**dict(headers), **challenge}, body)
    return Answer(status, dict(headers), body)


def malformed(reason: str, status: int = 400) -> Answer:
    """Return invalid_request for what could not even be read."""
    return refusal(InvalidRequestError(reason, status_code=status))


def _token_body(issued: Issued) -> dict[str, str | int]:
    body: dict[str, str | int] = {
        "access_token": issued.access_token,
        "token_type": issued.token_type,
        "expires_in": issued.lifetime_seconds,
        "scope": issued.scope,
    }
    if issued.refresh_token is not None:
        body["refresh_token"] = issued.refresh_token
    if issued.id_token is not None:
        # OIDC Core section 3.1.3.3.
        body["id_token"] = issued.id_token
    return body
