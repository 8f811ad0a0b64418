"""Read what a client pushes to /par, and the name by which the browser brings it (RFC 9126)."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from authlib.oauth2 import OAuth2Error
from authlib.oauth2.rfc6749.errors import InvalidRequestError

from citizen_account.domain.clients import Client
from citizen_account.domain.errors import DomainError, ErrorCode
from citizen_account.openid.authorization import Parameters
from citizen_account.openid.client_authentication import Credentials, read_credentials
from citizen_account.openid.request_object import read_request_object
from citizen_account.openid.responses import Refused

PREFIX = "urn:ietf:params:oauth:request_uri:"
_REFERENCE = re.compile(re.escape(PREFIX) + r"[A-Za-z0-9_-]{43}")
# They prove who the client is, and are no part of what it asks for.
_OF_THE_CLIENT = frozenset({"client_secret", "client_assertion", "client_assertion_type"})


@dataclass(frozen=True, slots=True)
class PushRequest:
    """A request of RFC 9126 section 2.1; of the authorization request nothing is checked yet."""

    credentials: Credentials
    parameters: Sequence[tuple[str, str]]


def read_push_request(authorization: str | None, form: Parameters) -> PushRequest | Refused:
    try:
        present = [(name, value) for name, value in form if value]
        if any("\ud800" <= character <= "\udfff" for _, value in present for character in value):
            raise InvalidRequestError("A parameter holds a character that cannot be.")
        fields = dict(present)
        # RFC 6749 section 3.1: none comes twice, but `resource` (RFC 8707 section 2).
        names = [name for name, _ in present if name != "resource"]
        if len(set(names)) != len(names):
            raise InvalidRequestError("A parameter is repeated.")
        # RFC 9126 section 2.1 point 2.
        if "request_uri" in fields:
            raise InvalidRequestError("A request_uri cannot be pushed.")
        credentials = read_credentials(authorization, fields)
        if fields.get("client_id", credentials.client_id) != credentials.client_id:
            raise InvalidRequestError("The client named itself in two ways.")
    except OAuth2Error as error:
        return Refused(error)
    asked = [(name, value) for name, value in present if name not in _OF_THE_CLIENT | {"client_id"}]
    return PushRequest(credentials, [("client_id", credentials.client_id), *asked])


def find_reference(parameters: Parameters) -> str | None:
    """Return the request URI of a pushed request; None where the request speaks for itself.

    Raises: request_malformed, request_uri_invalid.
    """
    named = [value for name, value in parameters if name == "request_uri" and value]
    if not any(value.startswith(PREFIX) for value in named):
        return None
    if len(named) > 1:
        raise DomainError(ErrorCode.REQUEST_MALFORMED)
    if not _REFERENCE.fullmatch(named[0]):
        raise DomainError(ErrorCode.REQUEST_URI_INVALID)
    return named[0]


def open_request_object(
    parameters: Parameters, client: Client, issuer: str, *, now: datetime
) -> Parameters | Refused:
    """Return what the client asks for, out of the object that it signed where it sent one."""
    try:
        return read_request_object(parameters, client, issuer, now=now)
    except OAuth2Error as error:
        return Refused(error)


def refuse_push(error: DomainError) -> Refused:
    """Say as OAuth does what /authorize would say on a page (RFC 9126 section 2.3)."""
    reasons = {ErrorCode.REDIRECT_URI_UNREGISTERED: "The redirect_uri is missing or unregistered."}
    return Refused(InvalidRequestError(reasons.get(error.code, "The request is malformed.")))
