"""Read what clients send to /token, /introspect and /revoke, refusing what is malformed."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from authlib.oauth2 import OAuth2Error
from authlib.oauth2.rfc6749.errors import (
    InvalidRequestError,
    InvalidScopeError,
    UnsupportedGrantTypeError,
)

from citizen_account.openid.client_authentication import Credentials, read_credentials
from citizen_account.openid.resources import read_resources
from citizen_account.openid.responses import Refused

# RFC 6749 appendix A: codes, tokens and their like are 1*VSCHAR.
_UNSTORABLE = re.compile("[\0\ud800-\udfff]")
_VISIBLE_ASCII = re.compile(r"[\x20-\x7e]+")
# RFC 6749 section 3.3.
_SCOPE = re.compile(r"[\x21\x23-\x5b\x5d-\x7e]+(?: [\x21\x23-\x5b\x5d-\x7e]+)*")

Fields = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class CodeRequest:
    """A request of RFC 6749 section 4.1.3 whose grammar is right; nothing else is known of it."""

    credentials: Credentials
    code: str
    redirect_uri: str | None
    code_verifier: str | None
    resources: tuple[str, ...] = ()
    """Where the access token is to be used (RFC 8707 section 2.2)."""


@dataclass(frozen=True, slots=True)
class RefreshRequest:
    """A request of RFC 6749 section 6."""

    credentials: Credentials
    refresh_token: str
    scope: frozenset[str] | None
    """None where the client left it out: then all that the token stands for."""
    resources: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ClientRequest:
    """A request of RFC 6749 section 4.4: the client asks for itself."""

    credentials: Credentials
    scope: frozenset[str] | None
    resources: tuple[str, ...] = ()


TokenRequest = CodeRequest | RefreshRequest | ClientRequest


@dataclass(frozen=True, slots=True)
class PresentedRequest:
    """A request of RFC 7009 section 2.1 or of RFC 7662 section 2.1: about one token.

    The hint that both allow is not read: one look-up finds either kind of token.
    """

    credentials: Credentials
    token: str


def read_token_request(
    authorization: str | None, form: Sequence[tuple[str, str]]
) -> TokenRequest | Refused:
    try:
        # RFC 8707 section 2 is the one that lets a parameter come twice.
        fields = only_once([(name, value) for name, value in form if name != "resource"])
        resources = read_resources([value for name, value in form if name == "resource"])
        return _read_grant(read_credentials(authorization, fields), fields, resources)
    except OAuth2Error as error:
        return Refused(error)


def read_presented_request(
    authorization: str | None, form: Sequence[tuple[str, str]]
) -> PresentedRequest | Refused:
    try:
        fields = only_once(form)
        token = _required(fields, "token")
        return PresentedRequest(read_credentials(authorization, fields), token)
    except OAuth2Error as error:
        return Refused(error)


def only_once(form: Sequence[tuple[str, str]]) -> dict[str, str]:
    """Return the fields by name. Raises Authlib's OAuth errors."""
    # RFC 6749 section 3.2: an empty parameter counts as omitted, and none comes twice.
    present = [(name, value) for name, value in form if value]
    fields = dict(present)
    if len(fields) != len(present):
        raise InvalidRequestError("A parameter is repeated.")
    # A NUL or half a surrogate pair is in no grammar of ours, and some databases choke on them.
    if not all(_is_storable(value) for value in fields.values()):
        raise InvalidRequestError("A parameter holds a character that cannot be.")
    return fields


def _read_grant(
    credentials: Credentials, fields: Fields, resources: tuple[str, ...]
) -> TokenRequest:
    match _required(fields, "grant_type"):
        case "authorization_code":
            return CodeRequest(
                credentials,
                code=_required(fields, "code"),
                redirect_uri=fields.get("redirect_uri"),
                code_verifier=fields.get("code_verifier"),
                resources=resources,
            )
        case "refresh_token":
            token = _required(fields, "refresh_token")
            return RefreshRequest(credentials, token, _scope(fields), resources)
        case "client_credentials":
            return ClientRequest(credentials, _scope(fields), resources)
        case other:
            raise UnsupportedGrantTypeError(other)


def _scope(fields: Fields) -> frozenset[str] | None:
    if "scope" not in fields:
        return None
    if not _SCOPE.fullmatch(fields["scope"]):
        raise InvalidScopeError("The scope is malformed.")
    return frozenset(fields["scope"].split(" "))


def _required(fields: Fields, name: str) -> str:
    value = fields.get(name, "")
    if not _VISIBLE_ASCII.fullmatch(value):
        raise InvalidRequestError(f"The parameter {name} is missing or malformed.")
    return value


def _is_storable(value: str) -> bool:
    return _UNSTORABLE.search(value) is None
