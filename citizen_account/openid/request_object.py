"""Read a signed request object (RFC 9101, FAPI 2.0 Message Signing section 5.3.1)."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from authlib.oauth2 import OAuth2Error
from authlib.oauth2.rfc6749.errors import InvalidRequestError

from citizen_account.domain.clients import Client, ClientProfile
from citizen_account.security.signing import (
    ACCEPTED_ALGORITHMS,
    BadTokenError,
    client_keys,
    read_header,
    verify,
)

Parameters = Sequence[tuple[str, str]]

REQUEST_OBJECT_ALGORITHMS = ACCEPTED_ALGORITHMS
HIGH_ALGORITHMS = frozenset({"PS256", "ES256", "EdDSA"})
# FAPI 2.0 Message Signing section 5.3.1: neither older nor good for longer than an hour.
LONGEST_LIFE = timedelta(minutes=60)
CLOCK_SKEW = timedelta(seconds=10)
# RFC 9101 section 10.8 with RFC 8725 section 3.11: other kinds of JWT are no requests.
TYPES = frozenset({"oauth-authz-req+jwt", "jwt", ""})
# What RFC 7519 says of the token itself, not of the request.
_OF_THE_TOKEN = frozenset({"iss", "aud", "exp", "nbf", "iat", "jti"})


class InvalidRequestObjectError(OAuth2Error):
    """RFC 9101 section 7."""

    error = "invalid_request_object"
    description = "The request object is malformed, expired, or not signed by the client."


def requires_request_object(client: Client) -> bool:
    """Say whether the client must sign its requests (RFC 9101 section 10.5)."""
    return client.metadata.get("require_signed_request_object") is True


def read_request_object(
    parameters: Parameters, client: Client, issuer: str, *, now: datetime
) -> Parameters:
    """Return the parameters that count: where an object came, those in it alone.

    For the authenticated client's pushed request, after `client_assertion` and its like are
    taken out. Raises Authlib's OAuth errors: invalid_request, invalid_request_object.
    """
    objects = [value for name, value in parameters if name == "request" and value]
    if len(objects) > 1:
        raise InvalidRequestError("A parameter is repeated.")
    if not objects:
        if requires_request_object(client):
            raise InvalidRequestError("The client must send a signed request object.")
        return parameters
    # RFC 9101 section 6.3 and RFC 9126 section 3: nothing from outside the object is used, but
    # whoever names two clients is refused.
    if any(value != client.id for name, value in parameters if name == "client_id" and value):
        raise InvalidRequestError("The request names another client.")
    claims = _proven_claims(objects[0], client)
    _require_parties(claims, client, issuer)
    _require_times(claims, client, now)
    return [("client_id", client.id), *_parameters_of(claims)]


def _proven_claims(token: str, client: Client) -> Mapping[str, object]:
    allowed = HIGH_ALGORITHMS if client.profile is ClientProfile.HIGH else ACCEPTED_ALGORITHMS
    registered = client.metadata.get("request_object_signing_alg")
    try:
        header = read_header(token)
        algorithm = str(header.get("alg"))
        if algorithm not in allowed or registered not in {None, algorithm}:
            raise InvalidRequestObjectError("The request object's algorithm is not accepted.")
        if str(header.get("typ", "")).lower() not in TYPES:
            raise InvalidRequestObjectError("The JWT is of another type.")
        return verify(token, client_keys(client.jwks or {}, algorithm))
    except BadTokenError:
        raise InvalidRequestObjectError from None


def _require_parties(claims: Mapping[str, object], client: Client, issuer: str) -> None:
    # RFC 9101 section 5 and section 6.2: the client says who it is, and whom it asks.
    if claims.get("iss") != client.id or claims.get("client_id", client.id) != client.id:
        raise InvalidRequestObjectError("The request object was made by another client.")
    audience = claims.get("aud")
    if issuer not in (audience if isinstance(audience, list) else [audience]):
        raise InvalidRequestObjectError("The request object was made for another server.")
    # RFC 9101 section 10.8: a client assertion must not pass as a request. Section 4: no nesting.
    if claims.keys() & {"sub", "request", "request_uri"}:
        raise InvalidRequestObjectError("The request object holds a claim that it must not hold.")


def _require_times(claims: Mapping[str, object], client: Client, now: datetime) -> None:
    instant, skew = now.timestamp(), CLOCK_SKEW.total_seconds()
    begins, ends = _seconds(claims, "nbf"), _seconds(claims, "exp")
    # FAPI 2.0 Message Signing section 5.3.1 demands both.
    if client.profile is ClientProfile.HIGH and (begins is None or ends is None):
        raise InvalidRequestObjectError("The request object needs nbf and exp.")
    if ends is not None and ends <= instant - skew:
        raise InvalidRequestObjectError("The request object has expired.")
    if begins is None:
        return
    if begins > instant + skew or begins < instant - LONGEST_LIFE.total_seconds() - skew:
        raise InvalidRequestObjectError("The request object is too young or too old.")
    if ends is not None and ends > begins + LONGEST_LIFE.total_seconds():
        raise InvalidRequestObjectError("The request object lives too long.")


def _seconds(claims: Mapping[str, object], name: str) -> float | None:
    value = claims.get(name)
    if value is None:
        return None
    # A JSON number; true and false are none, though Python counts them as such.
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise InvalidRequestObjectError(f"The claim {name} is no number.")
    return float(value)


def _parameters_of(claims: Mapping[str, object]) -> Parameters:
    return [
        (name, text)
        for name, value in claims.items()
        if name not in _OF_THE_TOKEN and name != "client_id"
        for text in _texts(name, value)
    ]


def _texts(name: str, value: object) -> Sequence[str]:
    match value:
        case str():
            return [value]
        case bool() | None:
            raise InvalidRequestObjectError(f"The parameter {name} is malformed.")
        # RFC 9101 section 4: numbers are numbers, and what is JSON anyhow is JSON.
        case int():
            return [str(value)]
        case dict():
            return [json.dumps(value)]
        # RFC 8707 section 2 lets a parameter come many times.
        case list() if all(isinstance(each, str) for each in value):
            return value
        case _:
            raise InvalidRequestObjectError(f"The parameter {name} is malformed.")
